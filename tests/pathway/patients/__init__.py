"""Synthetic patients: who each is, what the hospital sends and when, and what the pathway has to make of it.

A file per theme. Each patient is data: read her `who`, then her `steps` from top to bottom, then what is `asked`.
"""

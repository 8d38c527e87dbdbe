"""Wiring and people: settings, start-up, command line, admin REST and pages."""

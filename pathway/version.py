"""Which version of this product works on a plan."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("calcinosis-pathway")

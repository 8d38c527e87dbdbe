"""After what time somebody who went silent is taken for dead, the same for all who have such a time."""

from __future__ import annotations

from datetime import timedelta

SILENT = timedelta(seconds=3)

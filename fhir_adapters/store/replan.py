"""When due work that is planned again is new work: pure, for SQL and memory alike."""

from __future__ import annotations

from dataclasses import replace

from pathway.due_work import OPEN, DueWork

_MEANT = ("kind", "due_at", "wall_time", "zone", "expires_at", "window_low", "window_high", "payload")


def replanned(stored: DueWork | None, wanted: DueWork) -> DueWork | None:
    """The row to write, None when nothing changes.

    Open work is replaced when what is meant changed, cancelled work always, work that came to an end only when it is
    due at another time. A new generation is a new start: no attempt, no error, and older claims are dead.
    """
    if stored is None:
        return replace(wanted, generation=1, state="scheduled", attempt=0, last_error=None)
    if stored.state in OPEN:
        changed = any(getattr(stored, name) != getattr(wanted, name) for name in _MEANT)
    else:
        changed = stored.state == "cancelled" or stored.due_at != wanted.due_at
    if not changed:
        return None
    return replace(wanted, generation=stored.generation + 1, state="scheduled", attempt=0, last_error=None)

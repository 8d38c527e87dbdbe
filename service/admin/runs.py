"""One hospital's duties, run now because a person asks for it."""

from __future__ import annotations

from pathway.errors import Refused
from schedules.timetable import Timetable
from service.admin.models import DutyDone

_PATIENCE = 60.0  # seconds; a duty waits for a slow server at most half of that by default


def run_now(timetable: Timetable, hospital: str) -> list[DutyDone]:
    """Between two turns of the clock, never beside one. Raises Refused without duties, Conflict after a minute."""
    done = timetable.run_now(f"{hospital}.", _PATIENCE)
    if not done:
        raise Refused(f"{hospital} is not active: it has no duties")
    return [DutyDone(duty=name.removeprefix(f"{hospital}."), outcome=outcome) for name, outcome in done.items()]

"""Whether the service does its work: the database answers, its schema is this version's, and no duty is late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from fhir_adapters.store.migrate import head
from schedules.timetable import QUIET_SECONDS, Duty
from service.bootstrap import LATE_SECONDS, Services

_TURNS = 3


def lacking(services: Services) -> list[str]:
    """What keeps it from being ready, a sentence each. An active hospital needs a worker, in whichever process."""
    try:
        schema = services.store.schema()
        if schema != head():
            return [f"The database is at schema {schema}, this version works with {head()}"]
        last = {beat.name: beat.at for beat in services.store.heartbeats()}
        duties, now = services.duties(), services.store.wire_now()
        lacking = services.dispatcher.lacking() if duties else []
    except SQLAlchemyError as error:
        return [f"The database does not answer ({type(error).__name__})"]
    slack = LATE_SECONDS + QUIET_SECONDS + services.settings.hospital_timeout_seconds
    return [late for duty in duties if (late := _late(duty, last, now, slack))] + list(lacking)


def _late(duty: Duty, last: Mapping[str, datetime], now: datetime, slack: float) -> str | None:
    """Duties take turns, so a slow one delays the others: `slack` is what that may come to, in seconds."""
    if duty.name not in last:
        return f"{duty.name} has not run yet"
    silent = (now - last[duty.name]).total_seconds()
    if silent <= _TURNS * duty.every + slack:
        return None
    return f"{duty.name} last ran {silent:.0f} seconds ago; its turn comes every {duty.every:g} seconds"

"""A date that somebody changed in one of our requests is a clinician's word on that step: it wins over the plan's."""

from __future__ import annotations

from pathway.individual import Individual
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.situation import Now
from pathway.tasks import is_movable
from pathway.timing import Window, calendar_date

HOSPITAL = {"display": "the hospital"}


def redated(care_plan: Resource, before: Resource, after: Resource, zone: str, now: Now) -> Individual | None:
    """The word that lies in a request of `care_plan` whose days were changed; None when they were not.

    What is booked or accepted is the hospital's anyway: there the pathway only asks.
    """
    plan, key = key_of(care_plan), key_of(after)
    if plan is None or key is None or not key.value.startswith(f"{plan.value}:"):
        return None
    old, new = days_in(before, zone), days_in(after, zone)
    if new is None or new == old or not (is_movable(before) and is_movable(after)):
        return None
    action, _, rest = key.value.removeprefix(f"{plan.value}:").partition(":")
    return Individual(
        action=action,
        occurrence=rest.partition(":")[0],
        change="change",
        reason="the date was changed in the hospital's own system",
        author=HOSPITAL,
        at=now.instant,
        days=new,
        instead=old.in_words() if old else "",
    )


def days_in(request: Resource, zone: str) -> Window | None:
    """The days for which a request is sought, in the clinic's calendar; None when it says none, or not whole days."""
    period = (
        request.get("restriction", {}).get("period")
        or request.get("occurrencePeriod")
        or next(iter(request.get("requestedPeriod", [])), None)
    )
    if period is None and "occurrenceDateTime" in request:
        period = {"start": request["occurrenceDateTime"], "end": request["occurrenceDateTime"]}
    return period_of(period or {}, zone)


def period_of(period: Resource, zone: str) -> Window | None:
    """A FHIR Period as calendar days at the clinic; None without any whole day."""
    first, last = (calendar_date(str(period[e]), zone) if e in period else None for e in ("start", "end"))
    return Window(first, last) if first or last else None

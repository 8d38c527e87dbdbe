"""A date that somebody changed in one of our requests is a clinician's word on that step: it wins over the plan's."""

from __future__ import annotations

from pathway.context import Context
from pathway.individual import Individual
from pathway.ports import Resource
from pathway.proposing import Proposal
from pathway.tasks import is_movable
from pathway.timing import Window, calendar_date
from pathway.when import own_days

HOSPITAL = {"display": "the hospital"}


def were_changed(before: Resource, after: Resource, zone: str) -> bool:
    """Whether a version of a request has other days than the one before.

    What is booked or accepted is the hospital's anyway: there the pathway only asks.
    """
    new = days_in(after, zone)
    return new is not None and new != days_in(before, zone) and is_movable(before) and is_movable(after)


def redated(context: Context, proposal: Proposal, request: Resource) -> Individual | None:
    """The word that lies in the days of a request; None when they are what the plan proposes itself."""
    zone = context.situation.site.zone
    days = days_in(request, zone)
    if days == days_in(proposal.resource, zone):
        return None
    return Individual(
        action=proposal.action,
        occurrence=proposal.scope.occurrence,
        change="change",
        reason="the date was changed in the hospital's own system",
        author=HOSPITAL,
        at=context.now.instant,
        days=days,
        instead=own_days(context, context.actions[proposal.action], proposal.scope),
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

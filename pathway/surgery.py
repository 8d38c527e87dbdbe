"""What "the surgery" is: which Procedure is our operation, when it ended, and what speaks against using it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Site, has_code
from pathway.timing import Moment, calendar_date

UNPLANNED = "surgery-unplanned"  # the review-reason code of a recorded surgery that no plan is for


@dataclass(frozen=True)
class Finding:
    """Why a Procedure cannot simply be used: a review-reason code and a sentence for the person who looks at it."""

    reason: str
    explanation: str


@dataclass(frozen=True)
class Surgery:
    """One planned operation: our excision ServiceRequest (None while only decided), and what is known of it.

    `operation` is its recognised, completed Procedure with a usable date; `begun` the day of one whose end is unknown
    or that was `stopped`; `unreadable` why what should say the date, and did or may have, does not.
    """

    occurrence: str
    request: Resource | None
    planned: date | None = None
    operation: Resource | None = None
    done_on: date | None = None
    begun: date | None = None
    stopped: bool = False
    unreadable: str = ""

    @property
    def recorded_by(self) -> frozenset[str]:
        """The Procedures that were recognised as its record: ServiceRequest.supportingInfo keeps them."""
        named = [str(r.get("reference")) for r in (self.request or {}).get("supportingInfo", [])]
        return frozenset(reference for reference in named if reference.startswith("Procedure/"))

    @property
    def moment(self) -> Moment | None:
        """When it happens or happened; None while nobody has planned a date."""
        if self.done_on is not None:
            return Moment(self.done_on, self.done_on, done=True)
        day = self.begun or self.planned
        return Moment(day, day) if day is not None else None


def planned_date(request: Resource, appointments: Sequence[Resource], zone: str) -> date | Finding | None:
    """The start of an Appointment based on the excision request, else the request's own occurrence.

    A Finding when it is not the date of a day.
    """
    for appointment in appointments:
        based_on = {r.get("reference") for r in appointment.get("basedOn", [])}
        if reference_to(request) not in based_on or appointment.get("status") in (
            "cancelled",
            "entered-in-error",
            "noshow",
        ):
            continue
        if appointment.get("start") and not key_of(appointment):
            return _day(appointment, "start", appointment["start"], zone)
    if "occurrenceDateTime" in request:
        return _day(request, "occurrenceDateTime", request["occurrenceDateTime"], zone)
    start = request.get("occurrencePeriod", {}).get("start")
    return _day(request, "occurrencePeriod.start", start, zone) if start else None


def no_day(resource: Resource, element: str, value: str) -> str:
    """The sentence about a date that is not one of a day."""
    return f"{reference_to(resource)}.{element} is not the date of a day: {value}"


def _day(resource: Resource, element: str, value: str, zone: str) -> date | Finding:
    return calendar_date(value, zone) or Finding("surgery-date-partial", no_day(resource, element, value))


def end_of(procedure: Resource, zone: str, today: date) -> date | Finding:
    """The calendar date on which a completed Procedure ended, or why there is none to rely on."""
    for element in ("performedString", "performedAge", "performedRange"):
        if element in procedure:
            return Finding("surgery-date-not-a-date", f"The date of the surgery is given as {element}, not as a date.")
    period = procedure.get("performedPeriod", {})
    value = procedure.get("performedDateTime") or period.get("end")
    if value is None and period.get("start"):
        return Finding("surgery-end-missing", f"The surgery began on {period['start']}, but its end is not recorded.")
    if value is None:
        return Finding("surgery-date-missing", "The surgery is recorded as completed without a date.")
    day = calendar_date(value, zone)
    if day is None:
        return Finding("surgery-date-partial", f"The date of the surgery is incomplete: {value}.")
    if day > today:
        return Finding("surgery-in-future", f"The surgery is recorded as completed on {day}, which is in the future.")
    return day


_STATUS_FINDINGS = {
    "stopped": Finding("surgery-stopped", "The operation was begun and stopped."),
    "not-done": Finding("surgery-not-done", "The operation is recorded as not done."),
    "entered-in-error": Finding("surgery-entered-in-error", "The record of the operation was entered in error."),
    "unknown": Finding("surgery-ambiguous", "The status of the operation is unknown."),
}


def status_finding(procedure: Resource) -> Finding | None:
    """What a status other than completed asks a person to look at."""
    return _STATUS_FINDINGS.get(str(procedure.get("status")))


def recognised(
    procedure: Resource, surgeries: Sequence[Surgery], care_plan: Resource, site: Site
) -> Surgery | Finding | None:
    """The surgery a Procedure is the record of; a Finding when a person must say; None when it is no surgery of ours.

    In this order: based on our excision request; our identifier; recognised before; a surgery code of the site on an
    enrolled patient; any other within some days of the booked date.
    """
    based_on = {r.get("reference") for r in procedure.get("basedOn", [])}
    own_key = key_of(procedure)
    plans = {str(r) for r in based_on if str(r).startswith("CarePlan/")}
    if plans and reference_to(care_plan) not in plans:
        return None
    planned = [(surgery, surgery.request) for surgery in surgeries if surgery.request is not None]
    named = [surgery for surgery, request in planned if reference_to(request) in based_on]
    carried = [surgery for surgery, request in planned if own_key is not None and own_key == key_of(request)]
    kept = [surgery for surgery, _ in planned if reference_to(procedure) in surgery.recorded_by]
    if named or carried or kept:
        return (named or carried or kept)[0]
    coded = has_code(procedure.get("code"), site.surgery_codes)
    if coded:
        return _only_candidate(procedure, surgeries, site)
    return _near_booked_date(procedure, surgeries, site) if procedure.get("status") != "entered-in-error" else None


def _only_candidate(procedure: Resource, surgeries: Sequence[Surgery], site: Site) -> Surgery | Finding:
    day = _some_day(procedure, site)
    same_day = [s for s in surgeries if day is not None and day in (s.planned, s.done_on)]
    candidates = same_day if len(same_day) == 1 else [s for s in surgeries if s.request is not None]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        return Finding(UNPLANNED, "A surgery is recorded for which no decision and no plan exists here.")
    return Finding(
        "surgery-ambiguous",
        f"This record fits {len(candidates)} planned operations: say which one it is (Procedure.basedOn).",
    )


def _near_booked_date(procedure: Resource, surgeries: Sequence[Surgery], site: Site) -> Finding | None:
    day = _some_day(procedure, site)
    limit = site.parameters.surgery_match_days
    for surgery in surgeries:
        if day and surgery.planned and surgery.done_on is None and abs((day - surgery.planned).days) <= limit:
            return Finding(
                "surgery-other-code",
                f"A procedure with another code took place on {day}, near the surgery planned for {surgery.planned}: "
                "is it the excision?",
            )
    return None


def _some_day(procedure: Resource, site: Site) -> date | None:
    period = procedure.get("performedPeriod", {})
    value = procedure.get("performedDateTime") or period.get("end") or period.get("start")
    return calendar_date(value, site.zone) if value else None

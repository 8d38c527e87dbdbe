"""Where an action stands in time: its days, the moment it is looked at, and the due row for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from pathway.context import Context, Scope
from pathway.due_kinds import START, VERSION
from pathway.due_work import DueWork
from pathway.ports import Resource
from pathway.quiet_hours import QuietHours, zone_of
from pathway.references import reference_to
from pathway.surgery import no_day
from pathway.timing import Moment, Timed, Window, calendar_date, instant_if_said, offsets, timed, wall


def own_days(context: Context, action: Resource, scope: Scope) -> str:
    """The plan's own days for an action, in words; "" while they are not known."""
    window = own_window(context, action, scope)
    return window.in_words() if window else ""


def own_window(context: Context, action: Resource, scope: Scope) -> Window | None:
    """The plan's own days for an action, whatever a clinician said of it; None while they are not known."""
    return _offset(context, action, scope).window


def placed(context: Context, action: Resource, scope: Scope) -> Timed:
    """Where an action stands in time: a clinician's days, else the first of its relatedActions that has an offset."""
    when = _offset(context, action, scope)
    individual = context.individual(action, scope)
    if individual is None or individual.days is None:
        return when
    first = individual.days.first
    at = wall(first, time(), context.situation.site.zone) if first else None
    return replace(when, window=individual.days, at=at, expires=None, waits_for=None, unreadable=None)


def _offset(context: Context, action: Resource, scope: Scope) -> Timed:
    site = context.situation.site
    for related in action.get("relatedAction", []):
        offset = offsets(related)
        if offset is None:
            continue
        anchor = context.action(related["actionId"])
        moment, wrong = _moment(context, anchor, scope)
        unreadable = (str(anchor["id"]), wrong) if wrong else None
        if moment is None:
            before = related["relationship"].startswith("before")
            waits_for = None if before else related["actionId"]
            return Timed(waits_for=waits_for, provisional=not before, unreadable=unreadable)
        hours = quiet_hours(context, action)
        clock = hours.zone if hours else None
        when = timed(moment, related["relationship"], *offset, site.zone, site.parameters.reminder_time, clock)
        when = replace(when, unreadable=unreadable)
        return _for_patient(when, moment, hours) if hours else when
    return Timed()


def _for_patient(when: Timed, anchor: Moment, hours: QuietHours) -> Timed:
    """A message goes outside of quiet hours; one about a visit is of use until it begins, if no other follows."""
    assert when.at
    one_day = when.window is None or when.window.first is None
    expires = anchor.begins if anchor.begins and one_day and when.expires else when.expires
    return replace(when, at=hours.allowed(when.at, expires), expires=expires)


def quiet_hours(context: Context, action: Resource) -> QuietHours | None:
    """The quiet hours that an action has to keep: a message to the patient does, at the patient's own time."""
    site = context.situation.site
    if context.kind(action) != "CommunicationRequest":
        return None
    zone = zone_of(context.situation.subject, site.zone)
    return QuietHours(site.parameters.quiet_from, site.parameters.quiet_until, zone)


def _moment(context: Context, anchor: Resource, scope: Scope) -> tuple[Moment | None, str]:
    """The date of an anchor, as far as it is known; and why what should say it cannot be read."""
    if context.is_surgery(anchor):
        return (scope.surgery.moment, scope.surgery.unreadable) if scope.surgery else (None, "")
    zone = context.situation.site.zone
    if "definitionCanonical" not in anchor:
        return _over(scope.trigger or {}, zone), ""
    existing = context.existing(anchor, scope) or {}
    if "start" not in existing:
        return None, ""
    day = calendar_date(existing["start"], zone)
    if day is None:
        return None, no_day(existing, "start", existing["start"])
    return Moment(day, day, begins=instant_if_said(existing["start"])), ""


def _over(trigger: Resource, zone: str) -> Moment | None:
    """When what an occurrence comes from is over: a Task at the end of its period, a message at its time."""
    value = trigger.get("restriction", {}).get("period", {}).get("end") or trigger.get("occurrenceDateTime")
    day = calendar_date(str(value), zone) if value else None
    if value is None or day is None:
        return None
    at = instant_if_said(str(value)) or wall(day + timedelta(days=1), time(), zone)
    return Moment(day, day, done=True, at=at)


def due(context: Context, action: Resource, scope: Scope, when: Timed) -> DueWork:
    """The due row at which an action's start condition is looked at."""
    assert when.at and when.window
    days, hours = when.window.period(), quiet_hours(context, action)
    zone = hours.zone if hours else context.situation.site.zone
    return DueWork(
        key=context.key(action, scope).value,
        kind=START,
        due_at=when.at,
        wall_time=when.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(),
        zone=zone,
        care_plan=reference_to(context.situation.care_plan),
        action=action["id"],
        why=str(action.get("title", action["id"])),
        window_low=days.get("start"),
        window_high=days.get("end"),
        expires_at=when.expires,
        payload={"version": VERSION},
    )

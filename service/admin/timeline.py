"""What happened to one CarePlan, what lies ahead and why: pure functions over what was read.

Names of people and free text of a hospital's own resources are left out: they are in the resources, for those who may
read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from pathway.due_work import DueWork
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.requests import PROVISIONAL
from pathway.review import title_of
from pathway.situation import Situation
from pathway.surgery import Surgery
from pathway.tasks import is_open, status_of
from pathway.timing import calendar_date, instant, wall
from service.admin import models
from service.admin.reading import FullReading, Post, Reading
from service.admin.reasons import reasons

VISIT, VISIT_APPOINTMENT = "fu-first-visit", "fu-first-visit-appointment"
_WRITTEN = ("authoredOn", "created", "authored", "recorded", "recordedDate")
_DATED = ("start", "performedDateTime", "occurrenceDateTime")
_PERIODS = ("performedPeriod", "occurrencePeriod", "period")


def patient(reading: Reading) -> models.Patient:
    """One line of the list of patients."""
    situation = reading.situation
    today = reading.now.clinical.astimezone(ZoneInfo(situation.site.zone)).date()
    follow_ups = _follow_ups(situation, today)
    tasks = [r for r in situation.of_type("Task") if key_of(r) and is_open(r)]
    return models.Patient(
        care_plan=reference_to(situation.care_plan),
        patient=situation.care_plan["subject"]["reference"],
        status=situation.care_plan["status"],
        surgeries=[_surgery(each) for each in reading.surgeries],
        follow_ups=follow_ups,
        open_tasks=[_open_task(task, today) for task in tasks],
        overdue=any(each.overdue for each in follow_ups),
        problem=reading.problem,
    )


def timeline(reading: FullReading) -> models.Timeline:
    """All of it, oldest first."""
    situation = reading.situation
    said = _reasons(reading)
    resources = [situation.care_plan, *([situation.referral] if situation.referral else []), *situation.data]
    unique = {reference_to(resource): resource for resource in resources}
    entries = [_entry(resource, reading, said) for resource in unique.values()]
    entries += [_change(provenance, reading) for provenance in reading.provenance]
    entries += [_due(work) for work in reading.due]
    return models.Timeline(
        **patient(reading).model_dump(),
        entries=sorted(entries, key=lambda e: (e.at, e.kind, e.reference or "", e.what)),
        explanations=[reasons(each, reading.actions.get(each.action, {})) for each in reading.explanations],
    )


def sent(post: Post) -> models.Sent:
    """How far the hospital is with a resource of ours."""
    entry, link = post.entry, post.link
    if entry is None and link is None:
        return models.Sent(state="kept-here")
    return models.Sent(
        state=entry.state if entry is not None and entry.state != "done" else "at-the-hospital",
        hospital_reference=link.their_reference if link else None,
        wanted_version=entry.wanted_version if entry else None,
        sent_version=link.sent_version if link else None,
        attempt=entry.attempt if entry else 0,
        last_error=entry.last_error if entry else None,
    )


def _surgery(surgery: Surgery) -> models.Surgery:
    return models.Surgery(
        occurrence=surgery.occurrence,
        request=reference_to(surgery.request) if surgery.request else None,
        operation=reference_to(surgery.operation) if surgery.operation else None,
        planned=surgery.planned,
        done_on=surgery.done_on,
    )


def _follow_ups(situation: Situation, today: date) -> list[models.FollowUp]:
    visits = _of_action(situation, "Task", VISIT)
    appointments = _of_action(situation, "Appointment", VISIT_APPOINTMENT)
    found = [
        _follow_up(occurrence, visits[occurrence], appointments.get(occurrence), situation, today)
        for occurrence in visits
    ]
    return sorted(found, key=lambda each: (each.window.first or date.max, each.occurrence))


def _follow_up(
    occurrence: str, task: Resource, appointment: Resource | None, situation: Situation, today: date
) -> models.FollowUp:
    window = _window(task) or models.Days()
    return models.FollowUp(
        occurrence=occurrence,
        task=reference_to(task),
        status=task["status"],
        provisional=task.get("businessStatus") == PROVISIONAL,
        window=window,
        appointment=reference_to(appointment) if appointment else None,
        appointment_status=appointment["status"] if appointment else None,
        date=_day(appointment, situation.site.zone) if appointment else None,
        overdue=_overdue(task, window, today),
    )


def _of_action(situation: Situation, type: str, action: str) -> Mapping[str, Resource]:
    """Requests that an action led to, by occurrence."""
    start = f"{situation.key.value}:{action}:"
    return {
        key.removeprefix(start): r
        for (kind, key), r in situation.by_key.items()
        if kind == type and key.startswith(start)
    }


def _open_task(task: Resource, today: date) -> models.OpenTask:
    window = _window(task) or models.Days()
    return models.OpenTask(
        reference=reference_to(task),
        what=title_of(task),
        status=task["status"],
        owner=task.get("owner", {}).get("reference"),
        last_day=window.last,
        overdue=_overdue(task, window, today),
    )


def _overdue(task: Resource, window: models.Days, today: date) -> bool:
    return is_open(task) and window.last is not None and window.last < today


def _entry(resource: Resource, reading: FullReading, reasons: Mapping[str, str]) -> models.Entry:
    reference, zone = reference_to(resource), reading.situation.site.zone
    own = key_of(resource) is not None
    post = reading.posts.get(reference)
    return models.Entry(
        at=_written_at(resource, zone),
        kind="plan" if resource["resourceType"] == "CarePlan" else "request" if own else "record",
        what=title_of(resource) if own else resource["resourceType"],
        reference=reference,
        status=status_of(resource),
        business_status=resource.get("businessStatus", {}).get("text") if own else None,
        window=_window(resource),
        date=_day(resource, zone),
        why=_why(resource, reading, reasons) if own else None,
        who=resource.get("owner", {}).get("reference"),
        sent=sent(post) if post else None,
    )


def _change(provenance: Resource, reading: FullReading) -> models.Entry:
    """Who is the assembling agent: this service."""
    reference = reference_to(provenance)
    who = provenance["agent"][0]["who"]
    targets = [target["reference"] for target in provenance["target"]]
    post = reading.posts.get(reference)
    return models.Entry(
        at=_written_at(provenance, reading.situation.site.zone),
        kind="change",
        what=f"Changed: {', '.join(targets)}",
        reference=reference,
        why=_text(provenance),
        who=who.get("reference") or who.get("display"),
        sent=sent(post) if post else None,
    )


def _due(work: DueWork) -> models.Entry:
    return models.Entry(
        at=work.due_at,
        kind="due",
        what=work.action,
        reference=None,
        status=work.state,
        date=datetime.fromisoformat(work.wall_time).date(),
        why=work.why,
        due=models.Due.model_validate(work),
    )


def _reasons(reading: FullReading) -> Mapping[str, str]:
    """The newest sentence about each resource. A Provenance has one text for all: `reference: sentence; ...`."""
    found: dict[str, str] = {}
    for provenance in sorted(reading.provenance, key=lambda p: str(p["recorded"])):
        text = _text(provenance)
        starts = {t["reference"]: text.find(f"{t['reference']}: ") for t in provenance["target"]}
        placed = sorted((place, reference) for reference, place in starts.items() if place >= 0)
        ends = [place for place, _ in placed[1:]] + [len(text)]
        for (place, reference), end in zip(placed, ends, strict=True):
            found[reference] = text[place + len(reference) + 2 : end].rstrip().removesuffix(";")
    return found


def _text(provenance: Resource) -> str:
    return "; ".join(reason.get("text", "") for reason in provenance.get("reason", []))


def _why(resource: Resource, reading: FullReading, reasons: Mapping[str, str]) -> str | None:
    referral = reading.situation.referral
    if resource["resourceType"] == "CarePlan":
        return f"Referred by {reference_to(referral)}" if referral else "The referral could not be read"
    if known := reasons.get(reference_to(resource)):
        return known
    if resource["resourceType"] == "Task" and "reasonCode" in resource:
        return str(resource["reasonCode"].get("text", "")) or None
    said = resource.get("comment") or resource.get("description")
    return said if isinstance(said, str) else None


def _window(resource: Resource) -> models.Days | None:
    period = resource.get("restriction", {}).get("period")
    if period is None:
        return None
    return models.Days(first=_date(period.get("start")), last=_date(period.get("end")))


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value[:10]) if value and len(value) >= 10 else None


def _day(resource: Resource, zone: str) -> date | None:
    """The calendar day a resource is about, at the clinic."""
    periods = [resource.get(name) for name in _PERIODS] + [*resource.get("requestedPeriod", [])[:1]]
    values = [resource.get(name) for name in _DATED]
    values += [p.get("end") or p.get("start") for p in periods if isinstance(p, dict)]
    return next((calendar_date(value, zone) for value in values if isinstance(value, str)), None)


def _written_at(resource: Resource, zone: str) -> datetime:
    """When it was written; for what says no time, when it was stored here."""
    for name in _WRITTEN:
        value = resource.get(name)
        if not isinstance(value, str):
            continue
        try:
            return instant(value).astimezone(UTC)
        except ValueError:
            day = calendar_date(value, zone)
            if day is not None:
                return wall(day, time(), zone)
    return instant(resource["meta"]["lastUpdated"]).astimezone(UTC)

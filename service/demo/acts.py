"""The acts of the story. Each does what somebody at the hospital would do, waits until the pathway has answered in the
hospital's own server, and returns the sentence that a person reads on the timeline.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from pathway import codes
from pathway.ports import Key, Resource
from pathway.references import reference_to
from service.demo import records
from service.demo.records import answer, group, response
from service.demo.stage import Stage, StoryFailed

Act = Callable[[Stage], str]


def hospital_records(stage: Stage) -> str:
    """The hospital holds its people, the patient and her conditions."""
    stage.record(records.organization())
    stage.owners = {role: reference_to(stage.record(person)) for role, person in records.practitioners().items()}
    stage.patient = reference_to(stage.record(records.patient()))
    stage.conditions = [reference_to(stage.record(c)) for c in records.conditions(stage.patient)]
    return "The hospital holds the patient's record: calcinosis cutis, systemic sclerosis; two identifiers, no phone."


def registered(stage: Stage) -> str:
    """Our service gets to know the hospital."""
    start = stage.at(stage.days.referral, 8)
    body = {
        "base_url": stage.hospital.base,
        "site": stage.clinic.site(stage.owners).model_dump(mode="json"),
        "clinical_time": start.isoformat(),
    }
    stage.ask("POST", "/hospitals", body)
    stage.ask("POST", f"/hospitals/{stage.clinic.name}/activate")
    stage.now = start
    return f"The service knows the hospital ({stage.hospital.plan.software}) and who does what there."


def referred(stage: Stage) -> str:
    """A referral arrives; the patient is enrolled."""
    stage.record(records.referral(stage.patient, stage.owners["primary-care"], stage.conditions[0]))
    task = stage.task("calcinosis-surgery-indications")
    _owned(task, stage.owners["surgeon"])
    care_plan(stage)
    return "Referral pulled, patient enrolled: the CarePlan is in the hospital, the surgeon has a form to answer."


def indications(stage: Stage) -> str:
    """The surgeon answers the indications questionnaire."""
    cause = {"system": f"{codes.BASE}/CodeSystem/autoimmune-cause", "code": "systemic-sclerosis"}
    size = {"system": f"{codes.BASE}/CodeSystem/deposit-size", "code": "medium"}
    severity = {"system": f"{codes.BASE}/CodeSystem/severity", "code": "mild"}
    items = [
        group(
            "indications",
            answer("ind-severe-pain", valueBoolean=True),
            answer("ind-mobility-limitation", valueBoolean=True),
        ),
        group("cause", answer("cause-autoimmune", valueCoding=cause)),
        group("lesion", answer("dec-size", valueCoding=size)),
        group(
            "burden",
            answer("pain-score", valueInteger=7),
            answer("cosmetic-concern", valueCoding=severity),
            answer("quality-of-life-impact", valueBoolean=True),
            answer("diagnosis-certain", valueBoolean=True),
        ),
    ]
    _answered(stage, codes.INDICATIONS, items)
    stage.task("calcinosis-surgery-indications", status="completed")
    task = stage.task("calcinosis-shared-decision")
    proposed = next(
        i["valueCodeableConcept"]["coding"][0]["code"] for i in task["input"] if "valueCodeableConcept" in i
    )
    reasons = [i["valueString"] for i in task["input"] if "valueString" in i]
    return f"Proposed, with reasons: {proposed}. {reasons[0] if reasons else ''} The surgeon decides."


def decided_surgery(stage: Stage) -> str:
    """The surgeon records the decision for surgery; preparation opens."""
    _decide(stage, "surgery")
    request = _excisions(stage, 1)[0]
    if request["status"] != "draft":
        raise StoryFailed(f"An order of ours must wait for a signature, but it is {request['status']}")
    tasks = [stage.task(name) for name in _PREPARATION]
    return f"Decision recorded: surgery. Order drafted for signature; {len(tasks)} preparation Tasks have owners."


def decided_conservative(stage: Stage) -> str:
    """The surgeon decides against surgery."""
    _decide(stage, "conservative")
    stage.task("alt-conservative-default")
    stage.task("watchful-follow-up")
    if stage.ours("ServiceRequest", "proc-excision"):
        raise StoryFailed("A conservative decision must not order surgery")
    return (
        "Decision recorded: conservative. Treatment and a watchful follow-up are to be agreed; no surgery is ordered."
    )


def booked_surgery(stage: Stage) -> str:
    """The surgeon signs the order and the operating theatre books a date."""
    request = _excisions(stage, 1)[0]
    _book_surgery(stage, request, stage.days.planned)
    last = stage.days.planned - timedelta(days=3)
    stage.expect("preparation is due", lambda: _due_by(stage, "prep-transport", last))
    return f"Order signed, surgery booked for {_day(stage.days.planned)}: each preparation has its date."


def prepared(stage: Stage) -> str:
    """People get preparation done."""
    for name in _PREPARATION[:-1]:
        task = stage.task(name)
        stage.change(reference_to(task), lambda t: {**t, "status": "accepted"})
        stage.change(reference_to(task), lambda t: {**t, "status": "completed"})
    return f"{len(_PREPARATION) - 1} of {len(_PREPARATION)} preparation Tasks are done; the escort home is still open."


def moved_surgery(stage: Stage) -> str:
    """The operation moves by two days."""
    request = _excisions(stage, 1)[0]
    booking = _booking_of(stage, request)
    stage.change(reference_to(booking), lambda a: {**a, **_hours(stage, stage.days.surgery, 8, 2)})
    last = stage.days.surgery - timedelta(days=3)
    stage.expect("preparation moved", lambda: _due_by(stage, "prep-transport", last))
    return f"Surgery moved to {_day(stage.days.surgery)}: what depends on it moved too, what is done stayed done."


def operated(stage: Stage) -> str:
    """The hospital records the operation; the follow-up is planned."""
    request = _excisions(stage, 1)[0]
    stage.clock(stage.at(stage.days.surgery, 12))
    stage.record(procedure(stage, request, stage.days.surgery))
    return _planned_follow_up(stage, _occurrence(request))


def booked_visit(stage: Stage) -> str:
    """The coordinator books the proposed visit."""
    appointment = follow_up_appointment(stage)
    day = date.fromisoformat(appointment["requestedPeriod"][0]["start"])
    hours = _hours(stage, day, 10, 1)
    stage.change(reference_to(appointment), lambda a: {**a, **hours, "status": "booked"})
    stage.ask("POST", f"/hospitals/{stage.clinic.name}/run")
    return f"The hospital books the visit: {_day(day)}, 10:00."


def reminded(stage: Stage) -> str:
    """Three days before the visit a reminder falls due."""
    day = _visit_day(stage)
    stage.expect("the booking is known to the service", lambda: _reminder_planned(stage))
    stage.clock(stage.at(day - timedelta(days=3), 9, 5))
    stage.expect("a reminder", lambda: stage.ours("CommunicationRequest", "fu-attend-all-3d"))
    return "Three days before the visit: the reminder for the patient is in the hospital."


def visited(stage: Stage) -> str:
    """The visit takes place."""
    day = _visit_day(stage)
    appointment = follow_up_appointment(stage)
    stage.clock(stage.at(day, 11, 30))
    stage.change(reference_to(appointment), lambda a: {**a, "status": "fulfilled"})
    stage.record(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": codes.ACT_CODE, "code": "AMB", "display": "ambulatory"},
            "subject": {"reference": stage.patient},
            "appointment": [{"reference": reference_to(appointment)}],
            "period": _hours(stage, day, 10, 1),
        }
    )
    stage.task("fu-first-visit", status="completed")
    plan = stage.hospital.read(*care_plan(stage).split("/", 1))
    if plan["status"] != "active":
        raise StoryFailed(f"The plan must stay open for what remains, but it is {plan['status']}")
    stage.task("calcinosis-outcome", status="requested")
    return "The wound was looked at: the follow-up is complete. The plan stays open: the outcome is asked at six weeks."


def fever(stage: Stage) -> str:
    """On day 3 the patient reports a fever in the diary."""
    stage.clock(stage.at(stage.days.after(3), 8))
    items = [
        answer("pain-score", valueInteger=5),
        answer("temperature", valueDecimal=38.6),
        answer("flag-redness", valueBoolean=True),
    ]
    _answered(stage, codes.RECOVERY_DIARY, items, author=stage.patient)
    task = stage.task("flag-fever", priority="urgent")
    stage.expect("the Flag is at the hospital", lambda: stage.ours("Flag", "flag-fever"))
    _owned(task, stage.owners["surgeon"])
    alert = stage.expect(
        "an alert reaches the duty desk", lambda: [a for a in stage.alerts() if a["code"] == "flag-fever"]
    )[0]
    stage.ask("POST", alert["link"].partition("/admin/v1")[2] + "/acknowledge", {"by": "duty desk"})
    return "Day 3, fever of 38.6: a Flag, an urgent Task for the surgeon, and an alert that the duty desk acknowledged."


def nobody_came(stage: Stage) -> str:
    """Day 14 ends without a visit."""
    stage.clock(stage.at(stage.days.after(15), 0, 1))
    task = stage.task("fu-missed-visit", priority="urgent")
    _owned(task, stage.owners["coordinator"])
    return "Day 14 has ended without a visit: the coordinator has an urgent Task to find the patient."


def never_recorded(stage: Stage) -> str:
    """The day after the planned date nobody has said anything about the surgery."""
    stage.clock(stage.at(stage.days.planned + timedelta(days=1), 0, 1))
    task = stage.task("rule-surgery-unknown")
    _owned(task, stage.owners["coordinator"])
    follow_up = stage.task("fu-first-visit", status="draft")
    if follow_up["businessStatus"]["coding"][0]["code"] != "provisional":
        raise StoryFailed("The follow-up must be marked provisional")
    return "Nobody recorded the surgery: the coordinator is asked, the follow-up is in the hospital, provisional."


def staged_operation(stage: Stage) -> str:
    """A second operation is decided, booked and done; it gets its own follow-up."""
    first = _excisions(stage, 1)[0]
    _decide(stage, "surgery", answer("add-additional-surgery", valueBoolean=True))
    second = next(r for r in _excisions(stage, 2) if r["id"] != first["id"])
    day = stage.days.after(28)
    _book_surgery(stage, second, day)
    stage.clock(stage.at(day, 12))
    stage.record(procedure(stage, second, day))
    sentence = _planned_follow_up(stage, _occurrence(second), day)
    visits = stage.ours("Task", "fu-first-visit")
    if len(visits) != 2:
        raise StoryFailed(f"Two operations need two follow-ups, not {len(visits)}")
    return f"A second operation: its own follow-up. {sentence}"


def care_plan(stage: Stage) -> str:
    """Wait for our CarePlan at the hospital; its reference there."""
    plan = stage.expect(
        "our CarePlan is at the hospital", lambda: stage.ours("CarePlan", "calcinosis-excision-pathway")
    )[0]
    return reference_to(plan)


def procedure(stage: Stage, request: Resource, day: date) -> Resource:
    """The record of an operation that took an hour and a half."""
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"coding": [records.EXCISION], "text": "Excision of calcinosis, left forearm"},
        "subject": {"reference": stage.patient},
        "basedOn": [{"reference": reference_to(request)}],
        "performedPeriod": _hours(stage, day, 8, 2),
    }


def follow_up_appointment(stage: Stage, occurrence: str = "") -> Resource:
    """Wait for the Appointment of the first follow-up visit at the hospital."""

    def find() -> list[Resource]:
        found = stage.ours("Appointment", "fu-first-visit-appointment")
        return [a for a in found if occurrence in a["identifier"][0]["value"]]

    return stage.expect("a proposed Appointment for the follow-up", find)[0]


def _planned_follow_up(stage: Stage, occurrence: str, day: date | None = None) -> str:
    first, last = (timedelta(days=n) + (day or stage.days.surgery) for n in (7, 14))
    stage.expect("the follow-up Task is requested", lambda: _requested(stage, occurrence, first, last))
    appointment = follow_up_appointment(stage, occurrence)
    chosen = appointment["requestedPeriod"][0]["start"]
    if not first.isoformat() <= chosen <= last.isoformat():
        raise StoryFailed(f"{chosen} is outside {first} to {last}")
    return f"Surgery recorded: the follow-up is asked for, {_day(first)} to {_day(last)}. {appointment['comment']}"


def _requested(stage: Stage, occurrence: str, first: date, last: date) -> Resource | None:
    for task in stage.ours("Task", "fu-first-visit"):
        period = task.get("restriction", {}).get("period", {})
        there = task["status"] == "requested" and occurrence in task["identifier"][0]["value"]
        if there and period == {"start": first.isoformat(), "end": last.isoformat()}:
            return task
    return None


_PREPARATION = (
    "prep-medication-review",
    "prep-medical-clearance",
    "prep-prior-authorization",
    "prep-fasting-override",
    "prep-transport",
)


def _decide(stage: Stage, outcome: str, *more: Resource) -> None:
    decision = {"system": codes.DECISION, "code": outcome}
    _answered(stage, codes.SHARED_DECISION, [answer("dec-record-outcome", valueCoding=decision), *more])


def _answered(stage: Stage, questionnaire: str, items: list[Resource], author: str | None = None) -> None:
    assert stage.now is not None
    at = stage.now.isoformat()
    stage.now += timedelta(minutes=1)
    stage.record(response(questionnaire, stage.patient, author or stage.owners["surgeon"], at, items))


def _excisions(stage: Stage, number: int) -> list[Resource]:
    def find() -> list[Resource] | None:
        found = stage.ours("ServiceRequest", "proc-excision")
        return found if len(found) >= number else None

    return stage.expect(f"{number} excision orders are at the hospital", find)


def _book_surgery(stage: Stage, request: Resource, day: date) -> None:
    stage.change(reference_to(request), lambda r: {**r, "status": "active"})
    stage.record(
        {
            "resourceType": "Appointment",
            "status": "booked",
            "description": "Operating theatre 2",
            **_hours(stage, day, 8, 2),
            "basedOn": [{"reference": reference_to(request)}],
            "participant": [{"actor": {"reference": stage.patient}, "status": "accepted"}],
        }
    )


def _booking_of(stage: Stage, request: Resource) -> Resource:
    def find() -> Resource | None:
        page = stage.hospital.search("Appointment", [("patient", stage.patient), ("_count", "200")])
        mine = {"reference": reference_to(request)}
        found = [a for a in page.resources if mine in a.get("basedOn", []) and "identifier" not in a]
        return found[0] if found else None

    return stage.expect("the surgery's Appointment", find)


def _due_by(stage: Stage, action: str, last: date) -> Resource | None:
    tasks = stage.ours("Task", action)
    due = [t for t in tasks if t.get("restriction", {}).get("period", {}).get("end") == last.isoformat()]
    return due[0] if due else None


def _visit_day(stage: Stage) -> date:
    appointment = follow_up_appointment(stage)
    return date.fromisoformat(str(appointment.get("start") or appointment["requestedPeriod"][0]["start"])[:10])


def _reminder_planned(stage: Stage) -> Any:
    rows = stage.ask("GET", f"/hospitals/{stage.clinic.name}/due?state=scheduled")
    return [row for row in rows["due"] if row["action"] == "fu-attend-all-3d"]


def _hours(stage: Stage, day: date, hour: int, length: int) -> dict[str, str]:
    start: datetime = stage.at(day, hour)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=length)).isoformat()}


def _occurrence(request: Resource) -> str:
    key = Key(codes.KEY_SYSTEM, request["identifier"][0]["value"])
    return key.value.rpartition(":")[2]


def _owned(task: Resource, owner: str) -> None:
    if task.get("owner", {}).get("reference") != owner:
        raise StoryFailed(f"{reference_to(task)} must be owned by {owner}, not {task.get('owner')}")


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"

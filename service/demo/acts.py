"""The acts of the story. Each does what somebody at the hospital would do, waits until the pathway has answered in the
hospital's own server, and returns the sentence that a person reads on the timeline.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from pathway import codes
from pathway.references import reference_to
from service.demo import records
from service.demo.at_the_hospital import (
    PREPARATION,
    answered,
    book_surgery,
    booking_of,
    care_plan,
    decide,
    due_by,
    excisions,
    follow_up_appointment,
    in_words,
    lasting,
    occurrence,
    owned,
    planned_follow_up,
    procedure,
    reminder_planned,
    visit_day,
)
from service.demo.records import answer, group
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
    owned(task, stage.owners["surgeon"])
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
    answered(stage, codes.INDICATIONS, items)
    stage.task("calcinosis-surgery-indications", status="completed")
    task = stage.task("calcinosis-shared-decision")
    proposed = next(
        i["valueCodeableConcept"]["coding"][0]["code"] for i in task["input"] if "valueCodeableConcept" in i
    )
    reasons = [i["valueString"] for i in task["input"] if "valueString" in i]
    return f"Proposed, with reasons: {proposed}. {reasons[0] if reasons else ''} The surgeon decides."


def decided_surgery(stage: Stage) -> str:
    """The surgeon records the decision for surgery; preparation opens."""
    decide(stage, "surgery")
    request = excisions(stage, 1)[0]
    if request["status"] != "draft":
        raise StoryFailed(f"An order of ours must wait for a signature, but it is {request['status']}")
    tasks = [stage.task(name) for name in PREPARATION]
    return f"Decision recorded: surgery. Order drafted for signature; {len(tasks)} preparation Tasks have owners."


def decided_conservative(stage: Stage) -> str:
    """The surgeon decides against surgery."""
    decide(stage, "conservative")
    stage.task("alt-conservative-default")
    stage.task("watchful-follow-up")
    if stage.ours("ServiceRequest", "proc-excision"):
        raise StoryFailed("A conservative decision must not order surgery")
    return (
        "Decision recorded: conservative. Treatment and a watchful follow-up are to be agreed; no surgery is ordered."
    )


def booked_surgery(stage: Stage) -> str:
    """The surgeon signs the order and the operating theatre books a date."""
    request = excisions(stage, 1)[0]
    book_surgery(stage, request, stage.days.planned)
    last = stage.days.planned - timedelta(days=3)
    stage.expect("preparation is due", lambda: due_by(stage, "prep-transport", last))
    return f"Order signed, surgery booked for {in_words(stage.days.planned)}: each preparation has its date."


def prepared(stage: Stage) -> str:
    """People get preparation done."""
    for name in PREPARATION[:-1]:
        task = stage.task(name)
        stage.change(reference_to(task), lambda t: {**t, "status": "accepted"})
        stage.change(reference_to(task), lambda t: {**t, "status": "completed"})
    return f"{len(PREPARATION) - 1} of {len(PREPARATION)} preparation Tasks are done; the escort home is still open."


def moved_surgery(stage: Stage) -> str:
    """The operation moves by two days."""
    request = excisions(stage, 1)[0]
    booking = booking_of(stage, request)
    stage.change(reference_to(booking), lambda a: {**a, **lasting(stage, stage.days.surgery, 8, 2)})
    last = stage.days.surgery - timedelta(days=3)
    stage.expect("preparation moved", lambda: due_by(stage, "prep-transport", last))
    return f"Surgery moved to {in_words(stage.days.surgery)}: what depends on it moved too, what is done stayed done."


def operated(stage: Stage) -> str:
    """The hospital records the operation; the follow-up is planned."""
    request = excisions(stage, 1)[0]
    stage.clock(stage.at(stage.days.surgery, 12))
    stage.record(procedure(stage, request, stage.days.surgery))
    return planned_follow_up(stage, occurrence(request))


def booked_visit(stage: Stage) -> str:
    """The coordinator books the proposed visit."""
    appointment = follow_up_appointment(stage)
    day = date.fromisoformat(appointment["requestedPeriod"][0]["start"])
    hours = lasting(stage, day, 10, 1)
    stage.change(reference_to(appointment), lambda a: {**a, **hours, "status": "booked"})
    stage.ask("POST", f"/hospitals/{stage.clinic.name}/run")
    return f"The hospital books the visit: {in_words(day)}, 10:00."


def reminded(stage: Stage) -> str:
    """Three days before the visit a reminder falls due."""
    day = visit_day(stage)
    stage.expect("the booking is known to the service", lambda: reminder_planned(stage))
    stage.clock(stage.at(day - timedelta(days=3), 9, 5))
    stage.expect("a reminder", lambda: stage.ours("CommunicationRequest", "fu-attend-all-3d"))
    return "Three days before the visit: the reminder for the patient is in the hospital."


def visited(stage: Stage) -> str:
    """The visit takes place."""
    day = visit_day(stage)
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
            "period": lasting(stage, day, 10, 1),
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
    answered(stage, codes.RECOVERY_DIARY, items, author=stage.patient)
    task = stage.task("flag-fever", priority="urgent")
    stage.expect("the Flag is at the hospital", lambda: stage.ours("Flag", "flag-fever"))
    owned(task, stage.owners["surgeon"])
    alert = stage.expect(
        "an alert reaches the duty desk", lambda: [a for a in stage.alerts() if a["code"] == "flag-fever"]
    )[0]
    stage.ask("POST", alert["link"].partition("/admin/v1")[2] + "/acknowledge", {"by": "duty desk"})
    return "Day 3, fever of 38.6: a Flag, an urgent Task for the surgeon, and an alert that the duty desk acknowledged."


def nobody_came(stage: Stage) -> str:
    """Day 14 ends without a visit."""
    stage.clock(stage.at(stage.days.after(15), 0, 1))
    task = stage.task("fu-missed-visit", priority="urgent")
    owned(task, stage.owners["coordinator"])
    return "Day 14 has ended without a visit: the coordinator has an urgent Task to find the patient."


def never_recorded(stage: Stage) -> str:
    """The day after the planned date nobody has said anything about the surgery."""
    stage.clock(stage.at(stage.days.planned + timedelta(days=1), 0, 1))
    task = stage.task("rule-surgery-unknown")
    owned(task, stage.owners["coordinator"])
    follow_up = stage.task("fu-first-visit", status="draft")
    if follow_up["businessStatus"]["coding"][0]["code"] != "provisional":
        raise StoryFailed("The follow-up must be marked provisional")
    return "Nobody recorded the surgery: the coordinator is asked, the follow-up is in the hospital, provisional."


def staged_operation(stage: Stage) -> str:
    """A second operation is decided, booked and done; it gets its own follow-up."""
    first = excisions(stage, 1)[0]
    decide(stage, "surgery", answer("add-additional-surgery", valueBoolean=True))
    second = next(r for r in excisions(stage, 2) if r["id"] != first["id"])
    day = stage.days.after(28)
    book_surgery(stage, second, day)
    stage.clock(stage.at(day, 12))
    stage.record(procedure(stage, second, day))
    sentence = planned_follow_up(stage, occurrence(second), day)
    visits = stage.ours("Task", "fu-first-visit")
    if len(visits) != 2:
        raise StoryFailed(f"Two operations need two follow-ups, not {len(visits)}")
    return f"A second operation: its own follow-up. {sentence}"

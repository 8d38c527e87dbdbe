"""What a hospital sends, as the steps of a patient. What is written is written at the clinic's time of the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pathway.codes import (
    ANESTHESIA_HISTORY,
    BASE,
    INDICATIONS,
    OPERATION_RECORD,
    OUTCOME,
    POSTOP_VISIT,
    PREOP_CHECKLIST,
    RECOVERY_DIARY,
    SHARED_DECISION,
)
from pathway.findings import SYMPTOMS
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import reference_to
from tests.pathway.conftest import ZONE, Clinic, period
from tests.pathway.patients.filling import Answers, filled

Act = Callable[[Clinic], None]
REQUESTS = ("Task", "ServiceRequest", "Appointment", "CommunicationRequest", "Flag")
HERSELF = {"reference": "Patient/p1"}
PLAIN: Answers = {
    **dict.fromkeys(SYMPTOMS, False),
    "dec-size": "medium",
    "cosmetic-concern": "none",
    "diagnosis-certain": True,
    "cause-idiopathic": True,
    "minor": False,
    "fac-diabetes": False,
    "fac-smoking": False,
}
"""A whole form with nothing ticked: a silent deposit of medium size, no known cause, an adult who does not smoke."""


def nothing(_clinic: Clinic) -> None:
    """Time passes."""


def all_of(*acts: Act) -> Act:
    """Several things at the same time."""

    def send(clinic: Clinic) -> None:
        for act in acts:
            act(clinic)

    return send


def referral(id: str = "r1", *, known: bool = True, born: str = "1968-05-04", **elements: Any) -> Act:
    """A referral for calcinosis; the patient's record comes with it, unless it is not `known` yet."""

    def send(clinic: Clinic) -> None:
        if known:
            clinic.arrive(birthDate=born)
        clinic.refer(id, **elements)

    return send


def patient_record(**elements: Any) -> Act:
    return lambda clinic: clinic.arrive(**elements)


def indications(answers: Answers | None = None, *, id: str | None = None, **elements: Any) -> Act:
    """The surgeon's assessment: PLAIN with these answers. `id` names the form that is answered again."""
    return _form(INDICATIONS, {**PLAIN, **(answers or {})}, id=id, **elements)


def decision(outcome: str, *needs: str, answers: Answers | None = None, **elements: Any) -> Act:
    """The shared decision; `needs`: what the operation needs; `answers`: any other question."""
    given = {"dec-record-outcome": outcome, **dict.fromkeys(needs, True), **(answers or {})}
    return _form(SHARED_DECISION, given, **elements)


def checklist(answers: Answers, *medicines: Mapping[str, str]) -> Act:
    """The patient's checklist before surgery."""
    return _form(PREOP_CHECKLIST, {**answers, "medicine": medicines or None}, author=HERSELF)


def medicine(kind: str, choice: str = "continue", last_day: str | None = None, again_on: str | None = None) -> Answers:
    """A medicine of the checklist with the prescriber's decision."""
    days = {"prep-medication-stop-plan": last_day, "prep-medication-resume-plan": again_on}
    given = {"medicine-class": kind, "medicine-decision": choice, **days}
    return {link: value for link, value in given.items() if value is not None}


def anesthesia_history(answers: Answers) -> Act:
    author = {"reference": "Practitioner/vogel", "display": "Dr Anna Vogel"}
    return _form(ANESTHESIA_HISTORY, answers, author=author)


def operation_record(answers: Answers) -> Act:
    return _form(OPERATION_RECORD, answers)


def diary(answers: Answers, *, id: str | None = None, **elements: Any) -> Act:
    """An entry of the patient's diary. `id` names the entry that is written again."""
    return _form(RECOVERY_DIARY, answers, id=id, **{"author": HERSELF, **elements})


def visit_record(answers: Answers, **elements: Any) -> Act:
    """What the surgeon found at a visit after surgery."""
    return _form(POSTOP_VISIT, answers, **elements)


def outcome(answers: Answers) -> Act:
    """The patient's form six weeks later."""
    return _form(OUTCOME, answers, author=HERSELF)


def unfitting(form: str, item: Resource) -> Act:
    """Answers that do not fit a form, such as `calcinosis-shared-decision`."""
    return lambda clinic: clinic.answer(f"{BASE}/Questionnaire/{form}", f"{form}-1", _time(clinic), [item])


def surgery_booked(day: str, *, of: str = "decision-1", id: str = "a1", **elements: Any) -> Act:
    """An Appointment for the excision that decision `of` led to; the same id again moves it."""
    return lambda clinic: clinic.book(day, id=id, request=_newest(clinic, "proc-excision", of), **elements)


def surgery(*, of: str | None = "decision-1", id: str = "pr1", **elements: Any) -> Act:
    """A Procedure that took place today, based on the excision of decision `of`; None: based on nothing."""

    def send(clinic: Clinic) -> None:
        day = clinic.clinical.astimezone(ZONE).date().isoformat()
        when = {} if any(name.startswith("performed") for name in elements) else {"performedPeriod": period(day)}
        based_on = {"basedOn": [{"reference": reference_to(_newest(clinic, "proc-excision", of))}]} if of else {}
        sent = {**when, **based_on, **elements}
        clinic.record(id, **{name: value for name, value in sent.items() if value is not None})

    return send


def visit_booked(day: str, *, of: str = "decision-1") -> Act:
    """The hospital books the follow-up visit, at ten o'clock."""

    def send(clinic: Clinic) -> None:
        visit = _newest(clinic, "fu-first-visit-appointment", of)
        clinic.change(visit, status="booked", start=f"{day}T10:00:00+02:00", end=f"{day}T11:00:00+02:00")

    return send


def encounter(kind: str = "AMB", **elements: Any) -> Act:
    """A finished contact for the follow-up Appointment: in person (AMB), virtual (VR) or an emergency (EMER)."""

    def send(clinic: Clinic) -> None:
        visit = _newest(clinic, "fu-first-visit-appointment")
        contact = {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": kind},
            "subject": HERSELF,
            "appointment": [{"reference": reference_to(visit)}],
        }
        clinic.put({**contact, **elements})

    return send


def not_reached(action: str, *, id: str) -> Act:
    """An attempt to reach her has failed, as somebody recorded it about the Task of an action."""

    def send(clinic: Clinic) -> None:
        task = {"reference": reference_to(_newest(clinic, action, type="Task"))}
        call = {"resourceType": "Communication", "id": id, "status": "not-done", "subject": HERSELF, "about": [task]}
        clinic.put(call)

    return send


def hospital(action: str, type: str | None = None, **elements: Any) -> Act:
    """The hospital changes its copy of what an action asked for, such as status='completed'."""
    return lambda clinic: clinic.change(_newest(clinic, action, type=type), **elements)


def every_task_done(*but: str) -> Act:
    """The hospital completes every Task of ours that is open, except those of some actions."""

    def send(clinic: Clinic) -> None:
        for task in clinic.ours("Task"):
            key = key_of(task)
            if key is not None and task["status"] == "requested" and not set(but) & set(key.value.split(":")):
                clinic.change(clinic.read("Task", task["id"]), status="completed")

    return send


def site_changes(**elements: Any) -> Act:
    """The clinic changes something about itself, such as its calendar."""
    return lambda clinic: setattr(clinic, "site", clinic.site.model_copy(update=elements))


def _form(form: str, answers: Answers, *, id: str | None = None, **elements: Any) -> Act:
    def send(clinic: Clinic) -> None:
        items = filled(clinic.pathway.library.questionnaire(form), answers)
        stem = {INDICATIONS: "indications", SHARED_DECISION: "decision"}.get(form, form.rpartition("calcinosis-")[2])
        number = 1 + sum(r["questionnaire"].startswith(form) for r in clinic.all("QuestionnaireResponse"))
        clinic.answer(form, id or f"{stem}-{number}", _time(clinic), items, **elements)

    return send


def _time(clinic: Clinic) -> str:
    return clinic.clinical.astimezone(ZONE).isoformat()


def _newest(clinic: Clinic, action: str, of: str | None = None, type: str | None = None) -> Resource:
    """The newest request of an action (not its Flag, unless it is asked for), of a decision if one is named."""
    types = (type,) if type else REQUESTS[:-1]
    found = [r for one in types for r in clinic.ours(one, action) if of is None or of in key_of(r).value.split(":")]  # type: ignore[union-attr]
    assert found, f"The pathway never asked for {action}"
    return max(found, key=lambda r: r["meta"]["lastUpdated"])

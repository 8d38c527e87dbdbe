"""What must be there before surgery: a missing thing is a blocker, and no unconfirmed fasting rule goes out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathway.ports import Resource
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import anesthesia, checklist, code, group, medicine, needs, no, reassess, words
from tests.pathway.test_parameters import with_own


@pytest.fixture(autouse=True)
def every_answer_fits_its_form(clinic: Clinic) -> Iterator[None]:
    yield
    assert clinic.quarantine() == []


ASKED = [
    ("rule-clearance-gate", "clearance-required", "2026-03-09T09:00:00"),
    ("rule-authorization-gate", "authorization-required", "2026-03-09T09:00:00"),
    ("rule-escort-gate", "anesthesia-planned", "2026-03-13T09:00:00"),
]
REMEDY = {
    "rule-clearance-gate": group("examinations", code("prep-medical-clearance", "clearance-result", "cleared")),
    "rule-authorization-gate": group("insurance", yes("authorization-granted")),
    "rule-escort-gate": group("prep-transport", words("escort-name", "Eva Huber")),
}
FORM = {
    "rule-clearance-gate": "prep-medical-clearance",
    "rule-authorization-gate": "prep-prior-authorization",
    "rule-escort-gate": "prep-transport",
}


def booked_with(clinic: Clinic, *items: Resource) -> None:
    clinic.enrolled()
    clinic.indicate()
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", *items)
    clinic.book()


@pytest.mark.parametrize(("gate", "need", "when"), ASKED)
def test_a_blocker_appears_when_its_day_has_come_and_goes_when_it_is_mended(
    clinic: Clinic, gate: str, need: str, when: str
) -> None:
    booked_with(clinic, needs(need))
    assert clinic.due(gate) == [(gate, "scheduled", when, 1)]
    clinic.at(when)
    clinic.release()
    blocker = clinic.one("Task", gate)
    assert (blocker["status"], blocker["priority"]) == ("requested", "urgent")
    assert blocker["owner"]["reference"] == "PractitionerRole/coordinator"
    assert blocker["code"]["text"].startswith("Surgery is blocked")
    checklist(clinic, REMEDY[gate], at="2026-03-14")
    assert clinic.one("Task", gate)["status"] == "completed"


@pytest.mark.parametrize(("gate", "need", "when"), ASKED)
def test_no_blocker_when_it_was_there_in_time(clinic: Clinic, gate: str, need: str, when: str) -> None:
    booked_with(clinic, needs(need))
    clinic.change(clinic.one("Task", FORM[gate]), status="completed")
    clinic.at(when)
    clinic.release()
    assert clinic.ours("Task", gate) == []


@pytest.mark.parametrize(("gate", "need", "when"), ASKED)
def test_no_blocker_for_what_nobody_needs(clinic: Clinic, gate: str, need: str, when: str) -> None:
    booked_with(clinic, group("needs", no(need)))
    clinic.at(when)
    clinic.release()
    assert clinic.ours("Task", gate) == []
    assert clinic.ours("Task", FORM[gate]) == []


def test_a_site_may_always_want_a_clearance_or_never(clinic: Clinic) -> None:
    with_own(clinic, clearance="never", authorization="always")
    booked_with(clinic, needs("clearance-required"))
    assert clinic.ours("Task", "prep-medical-clearance") == []
    assert clinic.one("Task", "prep-prior-authorization")["status"] == "requested"
    assert clinic.due("rule-clearance-gate", "rule-authorization-gate") == [
        ("rule-authorization-gate", "scheduled", "2026-03-09T09:00:00", 1)
    ]


def instruction(clinic: Clinic) -> str:
    return str(clinic.one("CommunicationRequest", "prep-fasting")["payload"][0]["contentString"])


OWN = group(
    "fasting",
    code("fasting-source", "fasting-source", "anesthesia"),
    words("prep-fasting-override", "No food after 22:00, water until 06:00."),
)
PROPOSAL = group("fasting", code("fasting-source", "fasting-source", "proposal"))
SITE_RULE = "No food after midnight; water until two hours before."


def test_the_patient_gets_the_confirmed_instruction_with_its_author_and_day(clinic: Clinic) -> None:
    booked_with(clinic, needs("anesthesia-planned"))
    anesthesia(clinic, OWN)
    assert clinic.one("Task", "prep-fasting-override")["status"] == "completed"
    clinic.at("2026-03-15T09:00")
    clinic.release()
    sent = clinic.one("CommunicationRequest", "prep-fasting")
    assert instruction(clinic).startswith(
        "No food after 22:00, water until 06:00. (Confirmed by Dr Anna Vogel, 2026-03-05"
    )
    assert sent["recipient"] == [{"reference": "Patient/p1"}]
    assert sent["occurrenceDateTime"] == "2026-03-15T08:00:00Z"


@pytest.mark.parametrize("answer", [None, PROPOSAL, words("anesthesia-plan", "general")])
def test_nothing_unconfirmed_reaches_the_patient(clinic: Clinic, answer: Resource | None) -> None:
    booked_with(clinic, needs("anesthesia-planned"))
    if answer is not None:
        anesthesia(clinic, answer)
    clinic.at("2026-03-15T09:00")
    clinic.release()
    assert clinic.ours("CommunicationRequest") == []
    assert clinic.one("Task", "prep-fasting-override")["status"] == "requested"


def test_an_instruction_that_changes_replaces_the_old_one(clinic: Clinic) -> None:
    booked_with(clinic, needs("anesthesia-planned"))
    anesthesia(clinic, OWN)
    clinic.at("2026-03-15T09:00")
    clinic.release()
    later = group(
        "fasting", code("fasting-source", "fasting-source", "surgeon"), words("prep-fasting-override", "Nothing.")
    )
    anesthesia(clinic, later, id="history-2", at="2026-03-15")
    assert instruction(clinic).startswith("Nothing. (Confirmed by")


def test_an_instruction_that_changes_after_it_was_delivered_is_told_in_person(clinic: Clinic) -> None:
    booked_with(clinic, needs("anesthesia-planned"))
    anesthesia(clinic, OWN)
    clinic.at("2026-03-15T09:00")
    clinic.release()
    clinic.change(clinic.one("CommunicationRequest", "prep-fasting"), status="completed")
    assert clinic.ours("Task", "prep-fasting-changed") == []
    chosen = code("fasting-source", "fasting-source", "surgeon")
    anesthesia(clinic, group("fasting", chosen, words("prep-fasting-override", "Nothing.")), id="h2", at="2026-03-15")
    task = clinic.one("Task", "prep-fasting-changed")
    assert (task["priority"], task["owner"]["reference"]) == ("urgent", "PractitionerRole/coordinator")


@pytest.mark.parametrize(
    ("factors", "tablets", "sent"),
    [
        ([no("fac-diabetes"), no("minor")], [no("essential-tablets")], True),
        ([yes("fac-diabetes"), no("minor")], [no("essential-tablets")], False),
        ([no("fac-diabetes"), yes("minor")], [no("essential-tablets")], False),
        ([no("fac-diabetes"), no("minor")], [yes("essential-tablets")], False),
        ([no("minor")], [no("essential-tablets")], False),
        ([no("fac-diabetes")], [no("essential-tablets")], False),
        ([no("fac-diabetes"), no("minor")], [], False),
    ],
)
def test_the_instruction_of_the_site_counts_only_where_nothing_speaks_against_it(
    clinic: Clinic, factors: list[Resource], tablets: list[Resource], sent: bool
) -> None:
    with_own(clinic, fastingSiteInstruction=SITE_RULE)
    clinic.enrolled()
    reassess(clinic, group("factors", *factors))
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", needs("anesthesia-planned"))
    clinic.book()
    checklist(clinic, group("fasting", *tablets))
    clinic.at("2026-03-15T09:00")
    clinic.release()
    assert [SITE_RULE in instruction(clinic)] == [True] if sent else clinic.ours("CommunicationRequest") == []


@pytest.mark.parametrize(("born", "sent"), [("1968", True), ("2008", False), ("2010-08-21", False)])
def test_the_instruction_of_the_site_is_not_for_who_may_be_a_minor_whatever_is_answered(
    clinic: Clinic, born: str, sent: bool
) -> None:
    with_own(clinic, fastingSiteInstruction=SITE_RULE)
    clinic.arrive(birthDate=born)
    clinic.refer()
    reassess(clinic, group("factors", no("fac-diabetes"), no("minor")))
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", needs("anesthesia-planned"))
    clinic.book()
    checklist(clinic, group("fasting", no("essential-tablets")))
    clinic.at("2026-03-15T09:00")
    clinic.release()
    assert bool(clinic.ours("CommunicationRequest", "prep-fasting")) is sent


def test_a_pause_without_a_restart_date_is_urgent_and_one_with_a_date_is_not(clinic: Clinic) -> None:
    booked_with(clinic)
    checklist(clinic, medicine("anticoagulant", "pause"))
    assert clinic.one("Task", "rule-restart-date")["priority"] == "urgent"
    named = {"linkId": "prep-medication-resume-plan", "answer": [{"valueDate": "2026-03-18"}]}
    checklist(clinic, medicine("anticoagulant", "pause", named), id="checklist-2", at="2026-03-05")
    assert clinic.one("Task", "rule-restart-date")["status"] == "cancelled"


def test_the_checklist_of_an_earlier_operation_is_not_taken_for_the_next(clinic: Clinic) -> None:
    clinic.operated()
    checklist(clinic, medicine("anticoagulant", "pause"))
    again = yes("add-additional-surgery")
    clinic.decide("surgery", "decision-2", "2026-04-01T10:00:00+02:00", again)
    assert [t["identifier"][0]["value"].rpartition(":")[2] for t in clinic.ours("Task", "rule-restart-date")] == [
        "decision-1"
    ]

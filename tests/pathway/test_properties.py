"""What holds whatever happens, in whatever order: courses of events that nobody wrote down, over a real clinic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fhir_adapters.store.memory import MemoryStore
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.tasks import is_movable, is_open
from tests.conftest import SOAK
from tests.pathway.conftest import Clinic, WireClock, period, yes
from tests.pathway.forms import anesthesia, checklist, code, group, medicine, needs, words

FIRST, LAST = date(2026, 3, 9), date(2026, 4, 10)
DAYS = st.dates(FIRST, LAST).map(date.isoformat)
PATIENT_ADVICE = ("prep-fasting", "prep-medication-stop-plan", "prep-medication-resume-plan", "rule-restart-date")
LIBRARY = Library.load()
Event = Callable[[Clinic], None]


def clinic() -> Clinic:
    wire = WireClock()
    return Clinic(MemoryStore(wire), wire, LIBRARY)


def settled(clinic: Clinic) -> Clinic:
    """A decision for surgery under anesthesia."""
    clinic.enrolled()
    clinic.indicate()
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", needs("anesthesia-planned"))
    return clinic


def book(day: str) -> Event:
    return lambda clinic: clinic.book(day) if clinic.ours("ServiceRequest", "proc-excision") else None


def cancel_surgery(clinic: Clinic) -> None:
    for appointment in clinic.all("Appointment"):
        if appointment["id"] == "a1":
            clinic.put({**appointment, "status": "cancelled"})


def decide(outcome: str, number: int) -> Event:
    return lambda clinic: clinic.decide(outcome, f"decision-{number + 2}", f"2026-03-04T10:{number:02d}:00+01:00")


def operate(day: str) -> Event:
    def act(clinic: Clinic) -> None:
        if clinic.ours("ServiceRequest", "proc-excision"):
            clinic.at(f"{day}T18:00")
            clinic.record(performedPeriod=period(day), basedOn=[clinic.excision()])

    return act


def take_on(status: str, which: int) -> Event:
    """Somebody at the hospital accepts, starts or completes one of our open Tasks."""

    def act(clinic: Clinic) -> None:
        tasks = [task for task in clinic.ours("Task") if is_open(task) and task["status"] != "draft"]
        if tasks:
            clinic.change(tasks[which % len(tasks)], status=status)

    return act


def book_visit(clinic: Clinic) -> None:
    if any(a["status"] == "proposed" for a in clinic.ours("Appointment", "fu-first-visit-appointment")):
        clinic.book_visit("2026-04-20")


def report(sign: str, number: int) -> Event:
    return lambda clinic: clinic.diary(yes(sign), id=f"diary-{number}", authored=f"2026-03-2{number}T08:00:00+01:00")


def medicines(clinic: Clinic) -> None:
    checklist(clinic, medicine("anticoagulant", "pause"))


def confirm_fasting(clinic: Clinic) -> None:
    source = code("fasting-source", "fasting-source", "anesthesia")
    anesthesia(clinic, group("fasting", source, words("prep-fasting-override", "No food after 22:00.")))


def days_pass(days: int) -> Event:
    def act(clinic: Clinic) -> None:
        clinic.clinical += timedelta(days=days)
        clinic.release()

    return act


EVENTS: st.SearchStrategy[Event] = st.one_of(
    DAYS.map(book),
    DAYS.map(operate),
    st.just(cancel_surgery),
    st.builds(decide, st.sampled_from(["surgery", "conservative", "watchful"]), st.integers(0, 59)),
    st.builds(take_on, st.sampled_from(["accepted", "in-progress", "completed"]), st.integers(0, 40)),
    st.just(book_visit),
    st.builds(report, st.sampled_from(["flag-redness", "flag-leg-clot-signs"]), st.integers(0, 9)),
    st.just(medicines),
    st.just(confirm_fasting),
    st.integers(1, 12).map(days_pass),
)
COURSES = st.lists(EVENTS, min_size=1, max_size=6)
THOROUGH = settings(deadline=None, suppress_health_check=list(HealthCheck))
if settings.get_current_profile_name() != SOAK:
    THOROUGH = settings(THOROUGH, max_examples=20, derandomize=True)


def held(clinic: Clinic) -> dict[str, Resource]:
    """What somebody has completed, booked, accepted or started: the hospital's to change, not ours."""
    ours = [r for type in ("Task", "Appointment", "ServiceRequest") for r in clinic.ours(type)]
    return {reference_to(r): r for r in ours if not is_movable(r)}


def days(resource: Resource) -> Any:
    return resource.get("restriction"), resource.get("requestedPeriod"), resource.get("start"), resource.get("end")


@THOROUGH
@given(course=COURSES)
def test_nothing_that_somebody_holds_is_moved_or_cancelled(course: list[Event]) -> None:
    patient = settled(clinic())
    for event in course:
        before = held(patient)
        event(patient)
        for reference, resource in before.items():
            now = patient.read(*reference.split("/"))
            assert days(now) == days(resource) or resource["status"] == "proposed"
            assert now["status"] not in ("cancelled", "revoked") or resource["status"] in ("cancelled", "revoked")


@THOROUGH
@given(course=COURSES)
def test_looking_again_changes_nothing(course: list[Event]) -> None:
    patient = settled(clinic())
    for event in course:
        event(patient)
    patient.release()
    before = patient.everything()
    for type in ("ServiceRequest", "Appointment", "Procedure", "QuestionnaireResponse"):
        for resource in patient.all(type):
            patient.react_again(type, resource["id"])
    patient.release()
    assert patient.everything() == before


@THOROUGH
@given(course=COURSES, first=DAYS, second=DAYS)
def test_a_surgery_moved_there_and_back_leaves_what_may_move_as_it_was(
    course: list[Event], first: str, second: str
) -> None:
    patient = settled(clinic())
    for event in course:
        event(patient)
    if not patient.ours("ServiceRequest", "proc-excision"):
        return
    patient.book(first)
    before = movable_days(patient)
    patient.book(second)
    patient.book(first)
    after = movable_days(patient)
    assert {reference: after.get(reference) for reference in before} == before


def movable_days(clinic: Clinic) -> dict[str, Any]:
    """The days of what may move, by its key without the number of times it was asked for."""
    found = {}
    for type in ("Task", "Appointment", "ServiceRequest"):
        for resource in clinic.ours(type):
            key = resource["identifier"][0]["value"].partition(":again-")[0]
            if is_movable(resource) and ":confirm-" not in key:
                found[f"{type} {key}"] = days(resource)
    return found


@THOROUGH
@given(course=COURSES)
@example(course=[book("2026-03-16"), confirm_fasting, days_pass(13)])
@example(course=[book("2026-03-16"), medicines, days_pass(13)])
def test_no_patient_is_told_a_fasting_or_medicine_instruction_that_nobody_confirmed(course: list[Event]) -> None:
    patient = settled(clinic())
    for event in course:
        event(patient)
        for action in PATIENT_ADVICE:
            for message in patient.ours("CommunicationRequest", action):
                text = str(message["payload"])
                assert "Confirmed by" in text, (action, text)


def test_and_what_was_confirmed_is_told() -> None:
    patient = settled(clinic())
    for event in (book("2026-03-16"), confirm_fasting, days_pass(13)):
        event(patient)
    assert len(patient.ours("CommunicationRequest", "prep-fasting")) == 1

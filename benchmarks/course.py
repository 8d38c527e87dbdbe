"""One synthetic patient's course in process: the acts of the default story, by the same names, without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from benchmarks.clinic import OWNERS, Clinic
from pathway import codes
from pathway.errors import PathwayError
from pathway.ports import Resource, Update
from pathway.references import reference_to
from service.demo import records
from service.demo.records import answer, group, response
from service.demo.stage import Days
from service.demo.story import STORIES

PREPARATION = ("prep-medication-review", "prep-medical-clearance", "prep-prior-authorization", "prep-fasting-override")


@dataclass(frozen=True)
class Course:
    """The patient `number` of a clinic and what the hospital records of them; ids have a fixed width."""

    clinic: Clinic
    number: int
    days: Days = field(default_factory=Days)

    def id(self, name: str) -> str:
        return f"{name}-{self.number:06}"

    @property
    def patient(self) -> str:
        return f"Patient/{self.id('patient')}"

    def known(self) -> list[Resource]:
        """The patient and her conditions."""
        found = [records.patient(), *records.conditions(self.patient)]
        names = ("patient", "calcinosis", "sclerosis")
        return [{**resource, "id": self.id(name)} for resource, name in zip(found, names, strict=True)]

    def referral(self) -> Resource:
        request = records.referral(self.patient, OWNERS["primary-care"], f"Condition/{self.id('calcinosis')}")
        return {**request, "id": self.id("referral")}

    def indications(self) -> Resource:
        cause = {"system": f"{codes.BASE}/CodeSystem/autoimmune-cause", "code": "systemic-sclerosis"}
        asked = [answer("ind-severe-pain", valueBoolean=True), answer("ind-mobility-limitation", valueBoolean=True)]
        items = [group("indications", *asked), group("cause", answer("cause-autoimmune", valueCoding=cause))]
        return self._response("indications", codes.INDICATIONS, self.clinic.at(self.days.referral, 9), items)

    def decision(self) -> Resource:
        surgery = answer("dec-record-outcome", valueCoding={"system": codes.DECISION, "code": "surgery"})
        return self._response("decision", codes.SHARED_DECISION, self.clinic.at(self.days.referral, 10), [surgery])

    def theatre(self, day: date) -> Resource:
        """The operation's Appointment."""
        request = self.clinic.ours("ServiceRequest", "proc-excision", self.patient)
        return {
            "resourceType": "Appointment",
            "id": self.id("theatre"),
            "status": "booked",
            **self.hours(day, 8, 2),
            "basedOn": [{"reference": reference_to(request)}],
            "participant": [{"actor": {"reference": self.patient}, "status": "accepted"}],
        }

    def operation(self) -> Resource:
        """The record of the operation, as it was asked for."""
        request = self.clinic.ours("ServiceRequest", "proc-excision", self.patient)
        return {
            "resourceType": "Procedure",
            "id": self.id("procedure"),
            "status": "completed",
            "code": {"coding": [records.EXCISION]},
            "subject": {"reference": self.patient},
            "basedOn": [{"reference": reference_to(request)}],
            "performedPeriod": self.hours(self.days.surgery, 8, 2),
        }

    def hours(self, day: date, hour: int, length: int) -> dict[str, str]:
        start = self.clinic.at(day, hour)
        return {"start": start.isoformat(), "end": (start + timedelta(hours=length)).isoformat()}

    def visit(self) -> Resource:
        """The Appointment of the follow-up visit."""
        return self.clinic.ours("Appointment", "fu-first-visit-appointment", self.patient)

    def visit_day(self) -> date:
        return date.fromisoformat(self.visit()["requestedPeriod"][0]["start"])

    def _response(self, name: str, form: str, at: datetime, items: list[Resource]) -> Resource:
        found = response(form, self.patient, OWNERS["surgeon"], at.isoformat(), items)
        return {**found, "id": self.id(name)}


def hospital_records(course: Course) -> None:
    course.clinic.put({**records.organization(), "id": "organization"})
    course.clinic.put(*({**person, "id": role} for role, person in records.practitioners().items()))
    course.clinic.put(*course.known())


def registered(course: Course) -> None:
    clinic = course.clinic
    clinic.store.repository(clinic.name).transact([Update(d) for d in clinic.library.resources()])
    clinic.store.set_status(clinic.name, "active")


def referred(course: Course) -> None:
    course.clinic.put(course.referral())


def indications(course: Course) -> None:
    course.clinic.put(course.indications())


def decided_surgery(course: Course) -> None:
    course.clinic.put(course.decision())


def booked_surgery(course: Course) -> None:
    request = course.clinic.ours("ServiceRequest", "proc-excision", course.patient)
    course.clinic.change(request, lambda r: {**r, "status": "active"})
    course.clinic.put(course.theatre(course.days.planned))


def prepared(course: Course) -> None:
    for name in PREPARATION:
        task = course.clinic.ours("Task", name, course.patient)
        course.clinic.change(task, lambda t: {**t, "status": "accepted"})
        course.clinic.change(task, lambda t: {**t, "status": "completed"})


def moved_surgery(course: Course) -> None:
    course.clinic.put(course.theatre(course.days.surgery))


def operated(course: Course) -> None:
    course.clinic.clinical = course.clinic.at(course.days.surgery, 12)
    course.clinic.put(course.operation())


def booked_visit(course: Course) -> None:
    hours = course.hours(course.visit_day(), 10, 1)
    course.clinic.change(course.visit(), lambda a: {**a, **hours, "status": "booked"})


def reminded(course: Course) -> None:
    course.clinic.clinical = course.clinic.at(course.visit_day() - timedelta(days=3), 9, 5)
    course.clinic.release()
    course.clinic.ours("CommunicationRequest", "fu-attend-all-3d", course.patient)


def visited(course: Course) -> None:
    day, visit = course.visit_day(), course.visit()
    course.clinic.clinical = course.clinic.at(day, 11, 30)
    course.clinic.change(visit, lambda a: {**a, "status": "fulfilled"})
    encounter = {
        "resourceType": "Encounter",
        "id": course.id("encounter"),
        "status": "finished",
        "class": {"system": codes.ACT_CODE, "code": "AMB"},
        "subject": {"reference": course.patient},
        "appointment": [{"reference": reference_to(visit)}],
        "period": course.hours(day, 10, 1),
    }
    course.clinic.put(encounter)


ACTS: dict[str, Callable[[Course], None]] = {
    act.__name__: act
    for act in (
        hospital_records,
        registered,
        referred,
        indications,
        decided_surgery,
        booked_surgery,
        prepared,
        moved_surgery,
        operated,
        booked_visit,
        reminded,
        visited,
    )
}


def play(course: Course) -> int:
    """The default story; how many steps it had. Raises PathwayError when it did not end as it should."""
    names = [act.__name__ for act in STORIES["default"].acts]
    for name in names:
        ACTS[name](course)
    status = course.clinic.ours("Task", "fu-first-visit", course.patient)["status"]
    if status != "completed":
        raise PathwayError(f"The follow-up Task is {status}")
    return len(names)

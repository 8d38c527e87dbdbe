"""What people at the hospital do in their own system: one step of one patient's course at a time, by the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from pathway import codes
from pathway.ports import Resource
from pathway.references import patient_of, reference_to
from pathway.timing import calendar_date
from service.demo import records
from service.demo.records import answer, response
from tests.faults.hospital import Hospital

ZONE = "Europe/Berlin"
OWNERS = {role: f"Practitioner/{role}" for role in records.practitioners()}
_NEXT = {"requested": "accepted", "accepted": "in-progress", "in-progress": "completed"}


@dataclass(frozen=True)
class Step:
    """Something that may happen now; `weight` is how usual it is."""

    weight: float
    name: str
    act: Callable[[], object]


@dataclass(frozen=True)
class People:
    hospital: Hospital
    rng: Random
    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(ZONE)).date()

    def possible(self, patient: str) -> list[Step]:
        """What may happen to this patient next."""
        parts = (self._referral, self._decision, self._orders, self._visits, self._tasks)
        return [step for part in parts for step in part(patient)]

    # Each yields what may happen with one part of the course

    def _referral(self, patient: str) -> Iterator[Step]:
        if not self._all("Patient", patient):
            yield Step(20, "is referred", partial(self._refer, patient))
            yield Step(1, "has a surgery without any plan", partial(self._unplanned, patient))

    def _decision(self, patient: str) -> Iterator[Step]:
        made = self._all("QuestionnaireResponse", patient)
        if self._all("ServiceRequest", patient) and len(made) < 3:
            for weight, outcome in ((8 / (1 + 4 * len(made)), "surgery"), (0.2, "conservative")):
                yield Step(weight, f"{outcome} is decided", partial(self._decide, patient, outcome, len(made)))

    def _orders(self, patient: str) -> Iterator[Step]:
        for number, order in enumerate(self._ours("ServiceRequest", patient, "proc-excision"), 1):
            bookings = [a for a in self._based_on("Appointment", order) if a["status"] == "booked"]
            procedures = self._based_on("Procedure", order)
            if not any(p["status"] == "completed" for p in procedures):
                yield from self._bookings(order, bookings, f"operation {number}")
                yield from self._recordings(order, bookings, f"operation {number}")
            for procedure in procedures:
                yield from self._records(order, procedure, f"operation {number}")

    def _bookings(self, order: Resource, bookings: list[Resource], name: str) -> Iterator[Step]:
        day = self.today + timedelta(1 + self.rng.randrange(30))
        if not bookings:
            yield Step(6, f"{name} is booked for {day}", partial(self._book, order, day))
        for booked in bookings:
            change = partial(self.hospital.changes, booked)
            yield Step(1, f"{name} is moved to {day}", partial(change, **self._hours(day, 8, 2)))
            yield Step(0.4, f"{name} is cancelled", partial(change, status="cancelled"))

    def _recordings(self, order: Resource, bookings: list[Resource], name: str) -> Iterator[Step]:
        past = [day for a in bookings if (day := calendar_date(a["start"], ZONE)) and day <= self.today]
        day = past[0] if past and self.rng.random() < 0.8 else self.today - timedelta(self.rng.randrange(4))
        procedure, weight = self._procedure(order, day), 6 if past else 1
        unnamed = {element: value for element, value in procedure.items() if element != "basedOn"}
        yield Step(weight, f"{name} is recorded for {day}", partial(self.hospital.puts, procedure))
        yield Step(weight / 10, f"{name} is recorded by its code alone", partial(self.hospital.puts, unnamed))

    def _records(self, order: Resource, procedure: Resource, name: str) -> Iterator[Step]:
        if procedure["status"] != "completed":
            return
        day = self.today - timedelta(self.rng.randrange(8))
        again, change = self._procedure(order, day), partial(self.hospital.changes, procedure)
        twice = {**again, "performedPeriod": procedure["performedPeriod"]}
        yield Step(0.3, f"{name} is recorded twice", partial(self.hospital.puts, twice))
        yield Step(0.2, f"{name} is recorded again for {day}", partial(self.hospital.puts, again))
        corrected = partial(change, performedPeriod=again["performedPeriod"])
        yield Step(0.4, f"{name} is corrected to {day}", corrected)
        yield Step(0.3, f"{name} was entered in error", partial(change, status="entered-in-error"))

    def _visits(self, patient: str) -> Iterator[Step]:
        for visit in self._ours("Appointment", patient, "fu-first-visit-appointment"):
            change = partial(self.hospital.changes, visit)
            if visit["status"] in ("proposed", "waitlist"):
                sought = next((p["start"] for p in visit.get("requestedPeriod", [])), None)
                day = date.fromisoformat(sought[:10]) if sought else self.today + timedelta(1)
                booked = partial(change, status="booked", **self._hours(day, 10, 1))
                yield Step(3, f"the visit is booked for {day}", booked)
                yield Step(0.2, "the proposed visit is cancelled", partial(change, status="cancelled"))
            if visit["status"] == "booked":
                yield Step(2, "the visit takes place", partial(change, status="fulfilled"))
                yield Step(0.5, "the visit is missed", partial(change, status="noshow"))
                yield Step(0.3, "the visit is cancelled", partial(change, status="cancelled"))

    def _tasks(self, patient: str) -> Iterator[Step]:
        for task in self._ours("Task", patient):
            status = _NEXT.get(task["status"])
            if status:
                name = task["identifier"][0]["value"].split(":")[3]
                yield Step(0.1, f"the Task {name} is {status}", partial(self.hospital.changes, task, status=status))

    # What is written

    def _refer(self, patient: str) -> None:
        self._arrive(patient)
        order = records.referral(f"Patient/{patient}", OWNERS["primary-care"], f"Condition/c-{patient}")
        self.hospital.puts({**order, "id": f"r-{patient}"})

    def _arrive(self, patient: str) -> None:
        self.hospital.puts({**records.patient(), "id": patient})
        self.hospital.puts({**records.conditions(f"Patient/{patient}")[0], "id": f"c-{patient}"})

    def _unplanned(self, patient: str) -> None:
        self._arrive(patient)
        self.hospital.puts({**self._procedure(None, self.today, patient), "id": f"u-{patient}"})

    def _decide(self, patient: str, outcome: str, number: int) -> None:
        chosen = answer("dec-record-outcome", valueCoding={"system": codes.DECISION, "code": outcome})
        more = [answer("add-additional-surgery", valueBoolean=True)] if number and outcome == "surgery" else []
        made = response(
            codes.SHARED_DECISION, f"Patient/{patient}", OWNERS["surgeon"], self.now.isoformat(), [chosen, *more]
        )
        self.hospital.puts({**made, "id": f"d{number}-{patient}"})

    def _book(self, order: Resource, day: date) -> None:
        self.hospital.changes(order, status="active")
        based_on, id = self._number("Appointment", order)
        person = {"actor": order["subject"], "status": "accepted"}
        appointment = {"resourceType": "Appointment", "id": id, "status": "booked", "participant": [person]}
        self.hospital.puts({**appointment, **self._hours(day, 8, 2), "basedOn": [based_on]})

    def _procedure(self, order: Resource | None, day: date, patient: str = "") -> Resource:
        procedure: Resource = {
            "resourceType": "Procedure",
            "status": "completed",
            "code": {"coding": [records.EXCISION]},
            "subject": order["subject"] if order else {"reference": f"Patient/{patient}"},
            "performedPeriod": self._hours(day, 8, 2),
        }
        if order is not None:
            based_on, id = self._number("Procedure", order)
            procedure |= {"id": id, "basedOn": [based_on]}
        return procedure

    def _hours(self, day: date, hour: int, length: int) -> dict[str, str]:
        start = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(ZONE))
        return {"start": start.isoformat(), "end": (start + timedelta(hours=length)).isoformat()}

    # What the hospital holds

    def _all(self, type: str, patient: str) -> list[Resource]:
        return [r for r in self.hospital.all(type) if patient_of(r) == f"Patient/{patient}"]

    def _ours(self, type: str, patient: str, action: str = "") -> list[Resource]:
        return [r for r in self.hospital.ours(type, action) if patient_of(r) == f"Patient/{patient}"]

    def _based_on(self, type: str, order: Resource) -> list[Resource]:
        return [r for r in self.hospital.all(type) if {"reference": reference_to(order)} in r.get("basedOn", [])]

    def _number(self, type: str, order: Resource) -> tuple[Resource, str]:
        """A reference to the order, and an id for one more resource of a type about it."""
        prefix = f"{type[0].lower()}-{order['id'][:8]}"
        number = sum(r["id"].startswith(prefix) for r in self.hospital.all(type)) + 1
        return {"reference": reference_to(order)}, f"{prefix}-{number}"

"""One clinic in Bavaria, over the memory store: what it sends, what it then holds, and a clinical clock to set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_adapters.store.memory import MemoryStore
from pathway.codes import BASE, DECISION, INDICATIONS, PROCEDURE, RECOVERY_DIARY, SHARED_DECISION, SNOMED
from pathway.due_work import DueWork
from pathway.intake import Pathway
from pathway.keys import key_of
from pathway.library import Library
from pathway.ports import Alert, FhirRepository, Quarantined, Resource, Update
from pathway.references import reference_to
from pathway.site import ClinicCalendar, Code, Owner, Site
from pathway.situation import Now
from pathway.visits import VisitChooser
from schedules.calendar import OpenDays
from schedules.duties import release
from schedules.places import ClinicPlaces

ZONE = ZoneInfo("Europe/Berlin")
ROLES = ("surgeon", "coordinator", "primary-care", "anesthesia", "alerts")
REFERRAL = {"coding": [{"system": SNOMED, "code": "306181000000106"}]}
CALCINOSIS = {"coding": [{"system": SNOMED, "code": "6595006"}]}
EXCISION = {"coding": [{"system": PROCEDURE, "code": "calcinosis-excision"}]}
OTHER_OPERATION = {"coding": [{"system": SNOMED, "code": "80146002"}], "text": "Appendicectomy"}
SURGERY_DAY = "2026-03-16"


class WireClock:
    """Real time as the tests see it: a second passes with every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Clinic:
    """A hospital and its pathway. The story methods send what a hospital would send, in the order of a usual course."""

    def __init__(self, store: MemoryStore, wire: WireClock, library: Library, hospital: str = "north") -> None:
        self.store, self.wire, self.hospital = store, wire, hospital
        self.site = site(hospital)
        self.clinical = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.pathway = Pathway(library, self.site, self.choosing)
        store.register(hospital, "demo", f"https://{hospital}.example/fhir", self.site.model_dump(mode="json"))

    def choosing(self, base: FhirRepository) -> VisitChooser:
        return ClinicPlaces(self.site, OpenDays(self.site.calendar), base)

    def now(self) -> Now:
        return Now(self.clinical, self.wire())

    def at(self, wall_time: str) -> None:
        """Set the clinical clock to a wall time at the clinic."""
        self.clinical = datetime.fromisoformat(wall_time).replace(tzinfo=ZONE).astimezone(UTC)

    def put(self, resource: Resource) -> None:
        """The hospital has a new or changed resource of its own."""
        with self.store.transaction(self.hospital) as tx:
            written = tx.receive(resource, self.hospital)
            if written is not None:
                self.pathway.react(tx, written.resource, self.now())

    def change(self, resource: Resource, **elements: Any) -> None:
        """The hospital changes its copy of one of our resources."""
        with self.store.transaction(self.hospital) as tx:
            current = tx.read(resource["resourceType"], resource["id"])
            [written] = tx.transact([Update({**current, **elements}, current["meta"]["versionId"])])
            self.pathway.react(tx, written.resource, self.now())

    def react_again(self, type: str, id: str) -> None:
        """The same version of a resource is looked at once more."""
        with self.store.transaction(self.hospital) as tx:
            self.pathway.react(tx, tx.read(type, id), self.now())

    def release(self) -> int:
        return release.run(self.store, self.pathway, self.now)

    # What there is now

    def read(self, type: str, id: str) -> Resource:
        return self.store.repository(self.hospital).read(type, id)

    def all(self, type: str) -> list[Resource]:
        return list(self.store.repository(self.hospital).search(type, [("_count", "500")]).resources)

    def ours(self, type: str, action: str | None = None) -> list[Resource]:
        """What we authored, in the order of its keys; `action` is any part of the key."""
        found = [(key.value, r) for r in self.all(type) if (key := key_of(r)) is not None]
        return [r for key, r in sorted(found, key=lambda pair: pair[0]) if action is None or action in key.split(":")]

    def one(self, type: str, action: str) -> Resource:
        [resource] = self.ours(type, action)
        return resource

    def statuses(self, type: str) -> dict[str, str]:
        """The status of each request of ours by its action."""
        return {key_of(r).value.split(":")[3]: r["status"] for r in self.ours(type) if r["id"] not in self._apart()}  # type: ignore[union-attr]

    def reviews(self) -> dict[str, Resource]:
        """The Tasks for a person to look at an input, by reason."""
        return {r["reasonCode"]["coding"][0]["code"]: r for r in self.ours("Task", "review")}

    def due(self, *actions: str) -> list[tuple[str, str, str, int]]:
        """(action, state, wall time, generation) of all due work, or that of some actions."""
        return [
            (w.action, w.state, w.wall_time, w.generation)
            for w in self.due_work()
            if not actions or w.action in actions
        ]

    def due_work(self) -> list[DueWork]:
        return sorted((held.work for held in self.store.state(self.hospital).due.values()), key=lambda w: w.due_at)

    def quarantine(self) -> list[Quarantined]:
        return list(self.store.state(self.hospital).quarantine.values())

    def sent(self) -> set[str]:
        """References of what was asked to be sent."""
        return {f"{type}/{id}" for type, id in self.store.state(self.hospital).outbox}

    def is_sent(self, resource: Resource) -> bool:
        return reference_to(resource) in self.sent()

    def alerts(self) -> list[Alert]:
        return list(self.store.state(self.hospital).alerts.values())

    def versions(self) -> Counter[str]:
        """How many versions there are of every resource."""
        return Counter(
            {f"{type}/{id}": len(versions) for (type, id), versions in self.store.state(self.hospital).versions.items()}
        )

    def everything(self) -> tuple[Any, ...]:
        """All that a reaction can change, to compare."""
        state = self.store.state(self.hospital)
        kept = {care_plan: len(explanations) for care_plan, explanations in state.explanations.items()}
        return self.versions(), dict(state.outbox), self.due_work(), self.quarantine(), self.alerts(), kept

    def _apart(self) -> set[str]:
        return {r["id"] for r in [*self.ours("Task", "review"), *self.ours("Task", "confirm-date")]}

    # The usual course of events

    def arrive(self, **elements: Any) -> None:
        """The patient and the condition are known."""
        self.put({"resourceType": "Patient", "id": "p1", "name": [{"family": "Huber"}], **elements})
        self.put({"resourceType": "Condition", "id": "c1", "code": CALCINOSIS, "subject": {"reference": "Patient/p1"}})

    def refer(self, id: str = "r1", **elements: Any) -> None:
        self.put(
            {
                "resourceType": "ServiceRequest",
                "id": id,
                "status": "active",
                "intent": "order",
                "code": REFERRAL,
                "subject": {"reference": "Patient/p1"},
                **elements,
            }
        )

    def answer(self, questionnaire: str, id: str, authored: str, item: list[Resource], **elements: Any) -> None:
        self.put(
            {
                "resourceType": "QuestionnaireResponse",
                "id": id,
                "status": "completed",
                "questionnaire": f"{questionnaire}|0.1.0",
                "subject": {"reference": "Patient/p1"},
                "authored": authored,
                "author": {"reference": "Practitioner/okafor"},
                "item": item,
                **elements,
            }
        )

    def indicate(self, *more: Resource) -> None:
        """Severe pain, systemic sclerosis."""
        cause = {"system": f"{BASE}/CodeSystem/autoimmune-cause", "code": "systemic-sclerosis"}
        self.answer(
            INDICATIONS,
            "indications-1",
            "2026-03-02T10:00:00+01:00",
            [
                {"linkId": "indications", "item": [yes("ind-severe-pain"), *more]},
                {"linkId": "cause", "item": [coded("cause-autoimmune", cause["system"], cause["code"])]},
            ],
        )

    def decide(
        self, outcome: str, id: str = "decision-1", authored: str = "2026-03-03T10:00:00+01:00", *more: Resource
    ) -> None:
        """`dec-record-outcome`, as the surgeon records it."""
        self.answer(SHARED_DECISION, id, authored, [coded("dec-record-outcome", DECISION, outcome), *more])

    def book(self, day: str = SURGERY_DAY, id: str = "a1", request: Resource | None = None, **elements: Any) -> None:
        """The surgery has an Appointment, at 08:00 to 10:00 winter time."""
        request = request or self.ours("ServiceRequest", "proc-excision")[0]
        self.put(
            {
                "resourceType": "Appointment",
                "id": id,
                "status": "booked",
                "start": f"{day}T08:00:00+01:00",
                "end": f"{day}T10:00:00+01:00",
                "basedOn": [{"reference": reference_to(request)}],
                "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
                **elements,
            }
        )

    def record(self, id: str = "pr1", **elements: Any) -> None:
        """A Procedure with a surgery code of the site, without a date unless one is given."""
        self.put(
            {
                "resourceType": "Procedure",
                "id": id,
                "status": "completed",
                "code": EXCISION,
                "subject": {"reference": "Patient/p1"},
                **elements,
            }
        )

    def enrolled(self) -> None:
        self.arrive()
        self.refer()

    def decided(self) -> None:
        self.enrolled()
        self.indicate()
        self.decide("surgery")

    def booked(self) -> None:
        self.decided()
        self.book()

    def operated(self) -> None:
        """Surgery on 16 March, recorded that evening."""
        self.booked()
        self.at(f"{SURGERY_DAY}T18:00")
        self.record(performedPeriod=period(SURGERY_DAY), basedOn=[self.excision()])

    def excision(self) -> Resource:
        """A reference to our only excision request."""
        return {"reference": reference_to(self.one("ServiceRequest", "proc-excision"))}

    def book_visit(self, day: str = "2026-03-26") -> Resource:
        """The hospital books the follow-up visit, at 10:00."""
        visit = self.one("Appointment", "fu-first-visit-appointment")
        start, end = (datetime.fromisoformat(f"{day}T{hour}:00").replace(tzinfo=ZONE).isoformat() for hour in (10, 11))
        self.change(visit, status="booked", start=start, end=end)
        return self.one("Appointment", "fu-first-visit-appointment")

    def diary(self, *items: Resource, id: str = "diary-1", authored: str = "2026-03-19T08:00:00+01:00") -> None:
        self.answer(RECOVERY_DIARY, id, authored, list(items))


def site(hospital: str) -> Site:
    return Site(
        hospital=hospital,
        kind="demo",
        zone="Europe/Berlin",
        roles={role: Owner(reference=f"PractitionerRole/{role}", display=role) for role in ROLES},
        referral_codes=(Code(system=SNOMED, code="306181000000106"),),
        surgery_codes=(Code(system=PROCEDURE, code="calcinosis-excision"),),
        calcinosis_codes=(Code(system=SNOMED, code="6595006"),),
        calendar=ClinicCalendar(country="DE", subdivision="BY"),
    )


def yes(link: str) -> Resource:
    return {"linkId": link, "answer": [{"valueBoolean": True}]}


def coded(link: str, system: str, code: str) -> Resource:
    return {"linkId": link, "answer": [{"valueCoding": {"system": system, "code": code}}]}


def period(day: str) -> Resource:
    return {"start": f"{day}T08:00:00+01:00", "end": f"{day}T09:30:00+01:00"}


@pytest.fixture(scope="session")
def content() -> Library:
    return Library.load()


@pytest.fixture
def wire() -> WireClock:
    return WireClock()


@pytest.fixture
def store(wire: WireClock) -> MemoryStore:
    return MemoryStore(wire)


@pytest.fixture
def clinic(store: MemoryStore, wire: WireClock, content: Library) -> Iterator[Clinic]:
    """The hospital `north`; nothing has happened yet, and it is 2 March 2026, 10:00 at the clinic."""
    yield Clinic(store, wire, content)

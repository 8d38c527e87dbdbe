"""Reading a hospital: what changed since the last time, by its own clock, with an overlap; nothing is read past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fhir_adapters.hospital.client import Feed, HospitalClient
from fhir_adapters.hospital.inbound import Inbound
from fhir_adapters.store.sql import SqlStore
from pathway.errors import NotFound, Rejected
from pathway.patients import replaced_by
from pathway.ports import Resource, Transaction, search_all
from pathway.references import patient_of
from pathway.situation import PATIENT_TYPES

TYPES = (
    "ServiceRequest",
    "Patient",
    "Condition",
    "CareTeam",
    "QuestionnaireResponse",
    "Appointment",
    "Procedure",
    "Encounter",
    "Task",
    "CarePlan",
    "Communication",
    "CommunicationRequest",
    "Flag",
    "Goal",
    "RiskAssessment",
)
_DISPENSABLE = frozenset({"CareTeam", "Communication", "Goal", "RiskAssessment"})


@dataclass(frozen=True)
class Inflow:
    """One pass over all types. `overlap` is read again each time: commits become visible out of order."""

    store: SqlStore
    hospital: str
    client: HospitalClient
    inbound: Inbound
    overlap: timedelta

    def run(self) -> int:
        """How many resources were new. The cursor of a type moves only when all its pages were taken in."""
        return sum(self._type(type) for type in TYPES)

    def _type(self, type: str) -> int:
        if not self.client.plan.of(type).by_time:  # or not to be searched, which ends in nothing to sweep
            return sum(self._take_in(resource) for resource in self._sweep(type))
        since = self.store.cursor(self.hospital, type)
        try:
            feed: Feed = self.client.changed_since(type, since - self.overlap if since else None)
        except (NotFound, Rejected):
            if self.client.plan.of(type).listed:
                raise
            return 0
        news = sum(self._take_in(resource) for resource in feed.resources)
        if since is None or feed.as_of > since:
            self.store.save_cursor(self.hospital, type, feed.as_of)
        return news

    def _sweep(self, type: str) -> Iterator[Resource]:
        """Patient by patient, for a server that cannot say what changed."""
        with self.store.transaction(self.hospital, read_only=True) as tx:
            plans = list(search_all(tx, "CarePlan", [("status", "active")]))
            patients = dict.fromkeys(p["subject"]["reference"] for p in plans)
            others = [other for patient in patients for other in _others(tx, patient)]
        for patient in dict.fromkeys([*patients, *others]):
            yield from self._of_patient(type, patient)

    def _of_patient(self, type: str, patient: str) -> Iterator[Resource]:
        """Nothing of a type that the server does not let us search, or that is not there, as it did not say.

        What no follow-up rests on never keeps the rest from being read.
        """
        plan = self.client.plan.of(type)
        query = ("_id", patient.partition("/")[2]) if type == "Patient" else ("patient", patient)
        try:
            yield from search_all(self.client, type, [query]) if plan.search else ()
        except (NotFound, Rejected):
            if plan.listed and type not in _DISPENSABLE:
                raise

    def _take_in(self, resource: Resource) -> bool:
        patient = patient_of(resource)
        if resource["resourceType"] == "Patient":
            news = self.inbound.take_in(resource)
            for other in self._unknown(replaced_by(resource)) if news else ():
                self._introduce(other)
                self._take_in_all_of(other)
            return news
        if patient is None or not self._newcomer(patient, resource):
            return self.inbound.take_in(resource)
        self._introduce(patient)
        news = self.inbound.take_in(resource)
        self._take_in_all_of(patient)
        return news

    def _take_in_all_of(self, patient: str) -> None:
        for type in PATIENT_TYPES:
            for other in self._of_patient(type, patient):
                self.inbound.take_in(other, asked_for=True)

    def _unknown(self, patients: Sequence[str]) -> list[str]:
        """Of records that took the place of a patient's those that are not here yet."""
        with self.store.transaction(self.hospital, read_only=True) as tx:
            return [patient for patient in patients if _read(tx, patient) is None]

    def _newcomer(self, patient: str, resource: Resource) -> bool:
        with self.store.transaction(self.hospital, read_only=True) as tx:
            return _read(tx, patient) is None and self.inbound.concerns(tx, resource)

    def _introduce(self, patient: str) -> None:
        """The patient's record and conditions come before what is decided on them."""
        try:
            self.inbound.take_in(self.client.read(*patient.split("/", 1)), asked_for=True)
        except NotFound:
            return
        for condition in self._of_patient("Condition", patient):
            self.inbound.take_in(condition, asked_for=True)


def _others(tx: Transaction, patient: str) -> list[str]:
    """The records that took the place of a patient's."""
    record = _read(tx, patient)
    return replaced_by(record) if record else []


def _read(tx: Transaction, reference: str) -> Resource | None:
    try:
        return tx.read(*reference.split("/", 1))
    except NotFound:
        return None

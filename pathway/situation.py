"""All that is known about one patient on one pathway, read once, with references in our ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from pathway.belonging import belonging
from pathway.codes import RUNNING
from pathway.errors import NotFound
from pathway.keys import key_of
from pathway.patients import replaced_by
from pathway.ports import Key, Resource, Transaction, search_all
from pathway.references import reference_to, rewritten
from pathway.site import Site
from pathway.timing import instant

PATIENT_TYPES = (
    "Appointment",
    "CareTeam",
    "Communication",
    "CommunicationRequest",
    "Condition",
    "Encounter",
    "Flag",
    "Goal",
    "Procedure",
    "QuestionnaireResponse",
    "RiskAssessment",
    "ServiceRequest",
    "Task",
)
AUTHORED_TYPES = ("Appointment", "CommunicationRequest", "Flag", "Goal", "RiskAssessment", "ServiceRequest", "Task")


@dataclass(frozen=True)
class Now:
    """The two clocks: the clinical one decides what is due, the wire clock is always real. Both aware, UTC."""

    clinical: datetime
    wire: datetime

    @property
    def instant(self) -> str:
        """The wire time as a FHIR instant."""
        return self.wire.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Situation:
    """A patient's data around one CarePlan."""

    site: Site
    subject: Resource
    care_plan: Resource
    referral: Resource | None
    data: Sequence[Resource] = field(default_factory=tuple)

    @cached_property
    def key(self) -> Key:
        key = key_of(self.care_plan)
        assert key is not None
        return key

    @cached_property
    def by_key(self) -> Mapping[tuple[str, str], Resource]:
        """What the pathway has led to, by type and key value."""
        ours = self.of_type(*AUTHORED_TYPES)
        return {(r["resourceType"], key.value): r for r in ours if (key := key_of(r)) is not None}

    def of_type(self, *types: str) -> list[Resource]:
        return [resource for resource in self.data if resource["resourceType"] in types]

    def responses(self, questionnaire: str) -> list[Resource]:
        """Finished responses to a Questionnaire (url without version), oldest first."""
        found = [
            r
            for r in self.of_type("QuestionnaireResponse")
            if r.get("status") in ("completed", "amended")
            and str(r.get("questionnaire", "")).split("|")[0] == questionnaire
        ]
        return sorted(found, key=authored_order)


def authored_order(response: Resource) -> tuple[str, str]:
    """What comes first was authored first, whatever zone its author wrote in."""
    authored = str(response.get("authored", ""))
    with suppress(ValueError):
        authored = instant(authored).astimezone(UTC).isoformat()
    return authored, str(response["id"])


def gather(tx: Transaction, site: Site, care_plan: Resource, instead: Sequence[Resource] = ()) -> Situation:
    """Read the situation of a CarePlan inside `tx`; `instead` takes the place of what has the same type and id."""
    subject = tx.ours(care_plan["subject"]["reference"])
    patient = _read(tx, subject) or {"resourceType": "Patient"}
    data = records(tx, subject, instead)
    data += [record for other in replaced_by(patient) for record in records(tx, other)]
    plans = [plan for plan in search_all(tx, "CarePlan", [("patient", subject)]) if key_of(plan)]
    kept = belonging(data, care_plan, plans)
    return Situation(site, patient, care_plan, _referral(tx, care_plan), kept)


def records(tx: Transaction, subject: str, instead: Sequence[Resource] = ()) -> list[Resource]:
    """What is known of a patient; `instead` takes the place of what has the same type and id."""
    excluded = tx.excluded()
    others = {reference_to(resource) for resource in instead}
    known = [
        rewritten(resource, tx.ours)
        for resource in tx.of_patient(subject, PATIENT_TYPES)
        if reference_to(resource) not in others
        and (reference_to(resource), resource["meta"]["versionId"]) not in excluded
    ]
    return known + [rewritten(resource, tx.ours) for resource in instead if resource["resourceType"] in PATIENT_TYPES]


def care_plans_of(tx: Transaction, subject: str) -> list[Resource]:
    """The running CarePlans we authored for a patient, also under a record whose place this one took."""
    before = [reference_to(p) for p in search_all(tx, "Patient", [("link", subject)]) if subject in replaced_by(p)]
    query = [("patient", ",".join([subject, *before])), ("status", ",".join(RUNNING))]
    found = search_all(tx, "CarePlan", query)
    return [plan for plan in found if key_of(plan)]


def _referral(tx: Transaction, care_plan: Resource) -> Resource | None:
    for reference in care_plan.get("supportingInfo", []):
        if str(reference.get("reference", "")).startswith("ServiceRequest/"):
            return _read(tx, reference["reference"])
    return None


def _read(tx: Transaction, reference: str) -> Resource | None:
    try:
        return tx.read(*reference.split("/", 1))
    except NotFound:
        return None

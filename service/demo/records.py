"""Synthetic records a hospital might hold, with the mess that real ones have: no telecom, partial dates, extensions,
two identifiers, an entry without a code. No person is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pathway import codes
from pathway.ports import Resource
from pathway.site import Site

_MRN = "https://north-hospital.example/mrn"
_INSURANCE = "https://insurer.example/member"
REFERRAL = {"system": "https://north-hospital.example/orders", "code": "plastic-surgery-referral"}
EXCISION = {"system": codes.PROCEDURE, "code": "calcinosis-excision", "display": "Excision of calcinosis"}


def organization() -> Resource:
    return {"resourceType": "Organization", "active": True, "name": "North Hospital"}


def practitioners() -> dict[str, Resource]:
    """One per role of the pathway."""
    people = {
        "surgeon": {"family": "Okafor", "given": ["Adaeze"], "prefix": ["Dr."]},
        "coordinator": {"family": "Lindqvist", "given": ["Sven"]},
        "primary-care": {"family": "Moreau", "given": ["Inès"], "prefix": ["Dr."]},
        "anesthesia": {"family": "Tanaka", "given": ["Ren"], "prefix": ["Dr."]},
        "alerts": {"family": "Duty desk", "text": "Surgical duty desk"},
    }
    return {role: {"resourceType": "Practitioner", "active": True, "name": [name]} for role, name in people.items()}


def patient() -> Resource:
    return {
        "resourceType": "Patient",
        "identifier": [
            {"use": "usual", "system": _MRN, "value": "00471-3"},
            {"use": "secondary", "system": _INSURANCE, "value": "X110411319", "period": {"start": "2019"}},
        ],
        "extension": [
            {"url": "https://north-hospital.example/fhir/StructureDefinition/preferred-ward", "valueString": "B3"}
        ],
        "name": [{"use": "official", "family": "Weiß-Ângström", "given": ["Maria", "J."]}],
        "gender": "female",
        "birthDate": "1968-04",
    }


def conditions(patient: str) -> list[Resource]:
    """Calcinosis cutis and systemic sclerosis, one of them with a partial onset."""
    active = {
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "subject": {"reference": patient},
    }
    return [
        {
            "resourceType": "Condition",
            **active,
            "code": {
                "coding": [
                    {"system": codes.SNOMED, "code": "6595006", "display": "Calcinosis (disorder)"},
                    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "L94.2", "display": "Calcinosis cutis"},
                ],
                "text": "Calcinosis cutis, left forearm",
            },
            "onsetDateTime": "2023-09",
        },
        {
            "resourceType": "Condition",
            **active,
            "code": {
                "coding": [{"system": codes.SNOMED, "code": "89155008", "display": "Systemic sclerosis"}],
                "text": "Limited systemic sclerosis",
            },
            "onsetString": "about ten years ago",
        },
    ]


def referral(patient: str, requester: str, condition: str) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"coding": [REFERRAL], "text": "Referral to plastic surgery"},
        "subject": {"reference": patient},
        "requester": {"reference": requester},
        "reasonReference": [{"reference": condition}],
        "note": [{"text": "Painful lump, please see. Phone number on file is out of date."}],
    }


@dataclass(frozen=True)
class Clinic:
    """Where and how the demonstration's clinic works."""

    name: str = "north"
    zone: str = "Europe/Berlin"
    country: str = "DE"
    subdivision: str = "BY"
    closures: tuple[dict[str, str], ...] = ()
    booking: str = "propose"

    def site(self, owners: dict[str, str], kind: str = "demo") -> Site:
        """The registration of this clinic; `owners`: role -> reference in the hospital."""
        calendar: dict[str, Any] = {"country": self.country, "subdivision": self.subdivision}
        calendar |= {"closures": self.closures, "booking": self.booking}
        return Site.model_validate(
            {
                "hospital": self.name,
                "kind": kind,
                "zone": self.zone,
                "roles": {role: {"reference": reference} for role, reference in owners.items()},
                "referral_codes": [REFERRAL],
                "surgery_codes": [{"system": EXCISION["system"], "code": EXCISION["code"]}],
                "calcinosis_codes": [{"system": codes.SNOMED, "code": "6595006"}],
                "calendar": calendar,
            }
        )


def response(questionnaire: str, patient: str, author: str, at: str, items: list[Resource]) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": questionnaire,
        "status": "completed",
        "subject": {"reference": patient},
        "authored": at,
        "author": {"reference": author},
        "item": items,
    }


def answer(link_id: str, **value: Any) -> Resource:
    """One answered question: `answer("x", valueBoolean=True)`."""
    return {"linkId": link_id, "answer": [value]}


def group(link_id: str, *items: Resource) -> Resource:
    return {"linkId": link_id, "item": list(items)}

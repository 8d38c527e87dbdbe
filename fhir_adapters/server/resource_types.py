"""Which addresses can hold a resource: the types this server keeps, and FHIR ids."""

from __future__ import annotations

import re

from pathway.errors import NotFound

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

RESOURCE_TYPES = (
    "ActivityDefinition",
    "AdverseEvent",
    "Appointment",
    "CarePlan",
    "CareTeam",
    "CodeSystem",
    "Communication",
    "CommunicationRequest",
    "Condition",
    "Consent",
    "DetectedIssue",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Flag",
    "Goal",
    "HealthcareService",
    "Library",
    "Location",
    "Observation",
    "OperationDefinition",
    "Organization",
    "Patient",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RequestGroup",
    "RiskAssessment",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Task",
    "ValueSet",
)


def require_served(type: str) -> None:
    """Raises NotFound for a type this server does not keep."""
    if type not in RESOURCE_TYPES:
        raise NotFound(f"This server has no resource type {type[:64]!r}; its CapabilityStatement lists those it has")


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def require_address(method: str, type: str, id: str, version: str) -> None:
    """Raises NotFound for a place where no resource can be; a PUT to a bad id is for `update` to refuse."""
    require_served(type)
    if method != "PUT" and not all(is_id(part) for part in (id, version) if part):
        raise NotFound(f"There is no resource here: {(version or id)[:64]!r} is not a FHIR id")

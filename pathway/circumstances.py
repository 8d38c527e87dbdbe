"""What $apply is told besides definition and subject: who asks, in which encounter, and on which data and parameters.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html and CPG's additions to it
(http://hl7.org/fhir/uv/cpg/OperationDefinition/cpg-plandefinition-apply).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pathway.errors import InvalidDefinition, InvalidResource
from pathway.issues import Issue
from pathway.library import Library
from pathway.parameters import Value, effective
from pathway.ports import Resource
from pathway.references import patient_of, reference_to
from pathway.site import Site
from pathway.situation import PATIENT_TYPES

_TYPES: Mapping[str, tuple[str, ...]] = {
    "encounter": ("Encounter",),
    "practitioner": ("Practitioner", "PractitionerRole"),
    "organization": ("Organization",),
    "carePlan": ("CarePlan",),
}
_PROPOSED: Mapping[str, Resource] = {
    "Task": {"status": "draft", "intent": "proposal"},
    "ServiceRequest": {"status": "draft", "intent": "proposal"},
    "CommunicationRequest": {"status": "draft"},
}
# Where R4 has a place for the encounter, and for whoever asks.
_IN_ENCOUNTER = ("Task", "ServiceRequest", "CommunicationRequest", "Flag")
_REQUESTED = ("Task", "ServiceRequest", "CommunicationRequest")


@dataclass(frozen=True)
class Circumstances:
    """References as `Type/id`. `data` counts in place of what has the same type and id, and besides.

    `use_server_data` False: nothing is known but `data`. `parameters`: of the pathway, for this application only.
    `care_plan`: the patient's running CarePlan within which the plan is applied; without it, the plan is a new one.
    """

    encounter: str | None = None
    practitioner: str | None = None
    organization: str | None = None
    care_plan: str | None = None
    use_server_data: bool = True
    data: Sequence[Resource] = ()
    parameters: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = {"encounter": self.encounter, "practitioner": self.practitioner, "organization": self.organization}
        given["carePlan"] = self.care_plan
        wrong = [
            Issue("error", "value", f"{name} must be a reference to {' or '.join(types)}, not {reference!r}")
            for name, types in _TYPES.items()
            if (reference := given[name]) is not None and not _is_reference(reference, types)
        ]
        if wrong:
            raise InvalidResource(wrong)

    @property
    def asking(self) -> str | None:
        """Whoever the requests come from: the practitioner, else the organization."""
        return self.practitioner or self.organization

    def proposed(self, resource: Resource) -> Resource:
        """A new request as a proposal: status draft, intent proposal (an Appointment that is proposed is that already),
        in this encounter, asked for by whoever applies the definition."""
        kind, more = resource["resourceType"], {}
        if self.encounter and kind in _IN_ENCOUNTER:
            more["encounter"] = {"reference": self.encounter}
        if self.asking and kind in _REQUESTED:
            more["requester"] = {"reference": self.asking}
        return {**resource, **_PROPOSED.get(kind, {}), **more}

    def of(self, subject: str) -> list[Resource]:
        """The `data` that the pathway looks at for a patient."""
        return [resource for resource in self.data if _reason_to_leave_out(resource, subject) is None]

    def left_out(self, subject: str) -> list[Issue]:
        """The `data` that is not looked at, and why."""
        found = ((resource, _reason_to_leave_out(resource, subject)) for resource in self.data)
        return [
            Issue("information", "informational", f"{reference_to(resource)} in data is not used: {why}")
            for resource, why in found
            if why is not None
        ]

    def site(self, site: Site, library: Library) -> Site:
        """The site with the parameters of this application. Raises InvalidResource for one that cannot be so."""
        if not self.parameters:
            return site
        values = {**site.parameters.pathway, **self.parameters}
        try:
            effective(library, values)
        except InvalidDefinition as error:
            raise InvalidResource(str(error)) from error
        return site.model_copy(update={"parameters": site.parameters.model_copy(update={"pathway": values})})


def subject_of(reference: str) -> str:
    """A subject as `Patient/id`. Raises InvalidResource for anything else."""
    if not _is_reference(reference, ("Patient",)):
        raise InvalidResource(
            f"The subject must be a Patient, as Patient/id, not {reference!r}: plans are for patients"
        )
    return reference


def resources_of(bundle: Resource) -> list[Resource]:
    """The resources of a data Bundle. Raises InvalidResource, naming every entry without a typed one with an id."""
    entries = bundle.get("entry", []) if bundle.get("resourceType") == "Bundle" else None
    if not isinstance(entries, list):
        raise InvalidResource("data must be a Bundle with a list of entries")
    found = [entry.get("resource") if isinstance(entry, dict) else None for entry in entries]
    bad = [number for number, resource in enumerate(found) if not _is_named(resource)]
    if bad:
        sentence = "needs a resource with a resourceType and an id, so that it can be told from what is known"
        raise InvalidResource(
            [Issue("error", "required", f"Entry {n} of data {sentence}", f"Bundle.entry[{n}].resource") for n in bad]
        )
    return [resource for resource in found if isinstance(resource, dict)]


def values_of(parameters: Resource) -> dict[str, Value]:
    """The values of a Parameters resource by name. Raises InvalidResource for one that is not a single plain value."""
    return dict(_value(parameter) for parameter in parameters.get("parameter", []))


def _value(parameter: Resource) -> tuple[str, Value]:
    name, values = str(parameter.get("name")), list(_plain(parameter))
    if len(values) != 1:
        raise InvalidResource(f"The parameter {name!r} of parameters needs one value: a boolean, a number or a text")
    return name, values[0]


def _plain(parameter: Resource) -> Iterator[Value]:
    for name, value in parameter.items():
        if name.startswith("value") and isinstance(value, bool | int | Decimal | str):
            yield value


def _is_reference(text: str, types: Sequence[str]) -> bool:
    type, _, id = text.partition("/")
    return type in types and bool(id) and "/" not in id


def _is_named(resource: object) -> bool:
    return isinstance(resource, dict) and all(isinstance(resource.get(name), str) for name in ("resourceType", "id"))


def _reason_to_leave_out(resource: Resource, subject: str) -> str | None:
    if reference_to(resource) == subject:
        return None
    if resource["resourceType"] not in PATIENT_TYPES:
        return f"the pathway reads no {resource['resourceType']} here"
    return None if patient_of(resource) == subject else f"it is not about {subject}"

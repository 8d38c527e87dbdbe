"""What $apply answers for a clinic's patient, looked at: references, actions, messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fhir_adapters.r4.admission import check
from pathway.applying import Applying, definition
from pathway.circumstances import Circumstances
from pathway.codes import MESSAGES_EXTENSION
from pathway.ports import Resource
from pathway.references import references_in
from pathway.situation import Now
from tests.pathway.conftest import ROLES, Clinic

PATIENT = "Patient/p1"
ALONE = Circumstances()
OUTSIDE = {
    "Practitioner/okafor",
    "Organization/clinic",
    "Encounter/e1",
    *(f"PractitionerRole/{role}" for role in ROLES),
}


def applied(
    clinic: Clinic, circumstances: Circumstances = ALONE, subject: str = PATIENT, *, bundle: bool = False
) -> Resource:
    """The answer to $apply of the clinic's plan: valid R4, the same when asked twice, and nothing is kept."""
    before = clinic.everything()
    plan = definition(clinic.pathway.library, "PlanDefinition", canonical=clinic.pathway.plan)
    # A wire time at a second of its own: what is answered twice is asked at the same time.
    now = Now(clinic.clinical, clinic.wire().replace(microsecond=0))
    with clinic.store.transaction(clinic.hospital) as tx:
        applying = Applying(clinic.pathway, tx, now, circumstances)
        answer = applying.plan(plan, subject, bundle=bundle)
        assert applying.plan(plan, subject, bundle=bundle) == answer
    assert clinic.everything() == before
    assert check(answer) == []
    return answer


def within(clinic: Clinic, **more: object) -> Circumstances:
    """The patient's running plan named."""
    [plan] = clinic.ours("CarePlan")
    return replace(Circumstances(care_plan=f"CarePlan/{plan['id']}"), **more)  # type: ignore[arg-type]


def contained(answer: Resource, type: str) -> list[Resource]:
    return [resource for resource in answer.get("contained", []) if resource["resourceType"] == type]


def actions(answer: Resource) -> dict[str, Resource]:
    """Every action of the RequestGroups by its id."""
    groups = contained(answer, "RequestGroup")
    return {action["id"]: action for group in groups for action in _walk(group.get("action", []))}


def led_to(answer: Resource, action: str) -> Resource:
    """The contained resource that an action refers to."""
    reference = actions(answer)[action]["resource"]["reference"]
    [found] = [r for r in answer["contained"] if f"#{r['id']}" == reference]
    return dict(found)


def messages(answer: Resource) -> list[tuple[str, str]]:
    """Severity and sentence of what was found on the way."""
    named = [e["valueReference"]["reference"] for e in answer.get("extension", []) if e["url"] == MESSAGES_EXTENSION]
    outcomes = contained(answer, "OperationOutcome")
    assert named == [f"#{outcome['id']}" for outcome in outcomes]
    return [(i["severity"], i["diagnostics"]) for outcome in outcomes for i in outcome["issue"]]


def dangling(clinic: Clinic, answer: Resource, given: Sequence[str] = ()) -> list[str]:
    """Literal references to what exists nowhere: not in the store, not in the answer, not given, not the hospital's."""
    entries = {entry.get("fullUrl") for entry in answer.get("entry", [])}
    there = {f"{type}/{id}" for type, id in clinic.store.state(clinic.hospital).versions}
    return sorted(set(references_in(answer)) - entries - there - OUTSIDE - set(given))


def _walk(actions: Sequence[Resource]) -> Iterator[Resource]:
    for action in actions:
        yield action
        yield from _walk(action.get("action", []))

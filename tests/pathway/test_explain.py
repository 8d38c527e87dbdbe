"""`CarePlan/[id]/$explain`: every action, in the plan or not, with what its expressions gave and read, kept with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fhir_adapters.r4.admission import check
from pathway.errors import NotFound
from pathway.explain import sources_of
from pathway.individual import Individual
from pathway.library import Library
from pathway.ports import Kept, Resource
from pathway.references import reference_to
from pathway.revising import Revising, Wish
from pathway.statements import sentences
from pathway.version import VERSION
from tests.pathway.conftest import Clinic

SURGEON = {"reference": "Practitioner/okafor"}


def plan_of(clinic: Clinic) -> Resource:
    return clinic.one("CarePlan", "calcinosis-excision-pathway")


def told(clinic: Clinic, version: int | None = None) -> Resource:
    with clinic.store.transaction(clinic.hospital) as tx:
        answer = clinic.pathway.explain(tx, reference_to(plan_of(clinic)), clinic.now(), version)
    assert check(answer) == []
    return answer


def about(clinic: Clinic, version: int | None = None) -> dict[str, Any]:
    """What is said of the explanation as a whole."""
    parameters = told(clinic, version)["parameter"]
    return {p["name"]: value_of(p) for p in parameters if p["name"] not in ("action", "outcome")}


def explained(clinic: Clinic, version: int | None = None) -> dict[str, dict[str, list[Any]]]:
    """The parts of each action by name, by the action's id."""
    actions = [p["part"] for p in told(clinic, version)["parameter"] if p["name"] == "action"]
    return {by_name(parts)["id"][0]: by_name(parts) for parts in actions}


def expressions(clinic: Clinic, action: str) -> dict[str, dict[str, list[Any]]]:
    """The parts of each expression of an action, by its element."""
    found = [by_name(parts) for parts in explained(clinic)[action]["expression"]]
    return {parts["element"][0]: parts for parts in found}


def by_name(parts: list[Resource]) -> dict[str, list[Any]]:
    names = dict.fromkeys(part["name"] for part in parts)
    return {name: [value_of(part) for part in parts if part["name"] == name] for name in names}


def value_of(part: Resource) -> Any:
    return next(value for name, value in part.items() if name != "name")


def kept(clinic: Clinic) -> tuple[Kept, ...]:
    return clinic.store.state(clinic.hospital).explanations[reference_to(plan_of(clinic))]


def test_what_is_missing_is_told_apart_from_what_is_not_so(clinic: Clinic) -> None:
    clinic.enrolled()
    said = explained(clinic)
    assert said["calcinosis-surgery-indications"]["included"] == [True]
    assert (said["decision"]["included"], said["decision"]["why"]) == (
        [False],
        ["not so: the indications are answered"],
    )
    clinic.indicate()
    assert explained(clinic)["choice-conservative"]["why"] == ["unknown: decision = conservative"]
    assert expressions(clinic, "choice-conservative")["condition[0]"]["outcome"] == ["missing"]
    clinic.decide("surgery")
    assert explained(clinic)["choice-conservative"]["why"] == ["not so: decision = conservative"]
    assert expressions(clinic, "choice-conservative")["condition[0]"]["outcome"] == ["false"]


def test_each_expression_with_its_text_its_meaning_and_what_it_read(clinic: Clinic) -> None:
    clinic.decided()
    action = next(
        a
        for a in clinic.pathway.library.plan(plan_of(clinic)["instantiatesCanonical"][0])["action"]
        if a["id"] == "decision"
    )
    [defined, *_] = [c["expression"] for c in action["condition"]]
    found = expressions(clinic, "decision")["condition[0]"]
    assert (found["expression"], found["meaning"]) == ([defined["expression"]], [defined["description"]])
    assert found["outcome"] == ["true"]
    [read] = [by_name(parts) for parts in found["read"]]
    assert read["found"] == ["QuestionnaireResponse/indications-1/_history/1"]


def test_a_condition_that_nobody_looked_at_is_there_too(clinic: Clinic) -> None:
    clinic.enrolled()
    found = expressions(clinic, "rule-surgery-unknown")["condition[0]"]
    assert found["outcome"] == ["not-looked-at"]
    assert found["expression"]
    assert "read" not in found


def test_what_was_just_written_is_read_as_it_stands(clinic: Clinic) -> None:
    clinic.operated()
    found = {
        reference
        for parts in explained(clinic).values()
        for expression in parts.get("expression", [])
        for read in by_name(expression).get("read", [])
        for reference in by_name(read).get("found", [])
        if "/_history/" in reference
    }
    assert any(reference.startswith("Task/") for reference in found)
    for reference in found:
        type, id, _, version = reference.split("/")
        assert clinic.read(type, id)["meta"]["versionId"] == version, reference


def test_the_source_has_the_sentence_of_its_statement(clinic: Clinic) -> None:
    clinic.enrolled()
    [source, *_] = explained(clinic)["proc-excision"]["source"]
    assert source == {"code": "proc-excision", "display": sentences()["proc-excision"]}


def test_every_source_that_the_definitions_name_has_a_sentence(content: Library) -> None:
    def below(action: Resource) -> list[Resource]:
        return [action, *(inner for one in action.get("action", []) for inner in below(one))]

    named = {source for plan in content.plans() for action in below(plan) for source in sources_of(action)}
    assert len(named) > 50
    assert named <= sentences().keys()


def test_the_sites_values_that_an_action_rests_on(clinic: Clinic) -> None:
    clinic.enrolled()
    named = [by_name(parts)["name"] for parts in explained(clinic)["flag-fever"]["parameter"]]
    assert named == [["feverC"], ["flagLimitMinutes"]]


def test_it_says_when_it_came_about_by_what_and_under_which_definition(clinic: Clinic) -> None:
    clinic.enrolled()
    before = about(clinic)
    plan = plan_of(clinic)
    assert before["care-plan"] == {"reference": reference_to(plan)}
    assert before["version"] == plan["meta"]["versionId"]
    assert before["definition"] == plan["instantiatesCanonical"][0]
    assert before["engine"] == VERSION
    assert before["cause"] == "ServiceRequest/r1"
    assert before["clinical"] == "2026-03-02T09:00:00+00:00"
    clinic.clinical += timedelta(hours=3)
    assert about(clinic) == before


def test_what_waits_says_until_when(clinic: Clinic) -> None:
    clinic.booked()
    assert explained(clinic)["rule-surgery-unknown"]["why"] == ["will be looked at on 2026-03-16T23:00:00+00:00"]


def test_explaining_changes_nothing(clinic: Clinic) -> None:
    clinic.operated()
    before = clinic.everything()
    told(clinic)
    assert clinic.everything() == before


def test_it_is_kept_once_for_what_it_says(clinic: Clinic) -> None:
    clinic.booked()
    before = kept(clinic)
    for type, id in (("Patient", "p1"), ("ServiceRequest", "r1"), ("Appointment", "a1")):
        clinic.react_again(type, id)
    assert kept(clinic) == before
    assert len({str(each.body) for each in before}) == len(before)


def test_it_is_kept_when_nothing_else_changes(clinic: Clinic) -> None:
    clinic.operated()
    before, versions = kept(clinic), clinic.versions()
    clinic.at("2026-03-17T00:05")
    clinic.release()
    assert clinic.versions() == versions
    assert len(kept(clinic)) == len(before) + 1
    assert explained(clinic)["rule-surgery-unknown"]["why"][0].startswith("not needed when its time came")
    assert about(clinic)["cause"].startswith("due: ")


def test_an_earlier_version_is_explained_as_it_was(clinic: Clinic) -> None:
    clinic.enrolled()
    version = int(plan_of(clinic)["meta"]["versionId"])
    first = explained(clinic)
    clinic.indicate()
    clinic.decide("surgery")
    assert explained(clinic, version) == first
    assert explained(clinic) != first
    assert explained(clinic, int(plan_of(clinic)["meta"]["versionId"])) == explained(clinic)


def test_a_version_that_is_not_there_is_not_explained(clinic: Clinic) -> None:
    clinic.enrolled()
    with pytest.raises(NotFound):
        told(clinic, 99)


def test_a_plan_of_before_anything_was_kept_is_explained_as_of_now(clinic: Clinic) -> None:
    clinic.booked()
    before = explained(clinic)
    clinic.store.state(clinic.hospital).explanations.clear()
    assert explained(clinic) == before
    assert about(clinic)["cause"] == "worked out now: none was kept"
    assert clinic.store.state(clinic.hospital).explanations == {}
    with pytest.raises(NotFound, match="No explanation was kept of version 1"):
        told(clinic, 1)


def test_a_clinician_who_changed_the_plan_is_named(clinic: Clinic) -> None:
    clinic.decided()
    wish = Wish(SURGEON, "has enough help at home")
    with clinic.store.transaction(clinic.hospital) as tx:
        now = clinic.now()
        revising = Revising.of(clinic.pathway, tx, plan_of(clinic)["id"], now)
        individual = Individual(
            action="prep-transport", occurrence="", change="skip", reason=wish.reason, author=SURGEON, at=now.instant
        )
        revising.individualized(individual)
    assert about(clinic)["author"] == SURGEON
    assert about(clinic)["cause"] == wish.reason
    assert explained(clinic)["prep-transport"]["included"] == [False]


def test_a_plan_of_somebody_else_is_not_explained(clinic: Clinic) -> None:
    clinic.enrolled()
    theirs = {"resourceType": "CarePlan", "id": "theirs", "status": "active", "intent": "plan"}
    clinic.put({**theirs, "subject": {"reference": "Patient/p1"}})
    with pytest.raises(NotFound), clinic.store.transaction(clinic.hospital) as tx:
        clinic.pathway.explain(tx, "CarePlan/theirs", clinic.now())

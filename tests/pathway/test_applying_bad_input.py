"""$apply asked about what is not there or not usable: refused in words, or left out with the rest in it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from pathway.applying import Applying, definition, each, with_definition
from pathway.circumstances import Circumstances, resources_of, values_of
from pathway.codes import PLAN
from pathway.errors import InvalidResource, NotFound, Refused
from pathway.issues import operation_outcome
from pathway.library import Library
from pathway.ports import Resource
from tests.pathway.applied import ALONE, actions, applied, messages, within
from tests.pathway.conftest import Clinic


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("Patient/nobody", "There is no Patient/nobody here or in data"),
        ("Group/g1", "The subject must be a Patient, as Patient/id, not 'Group/g1': plans are for patients"),
        ("p1", "The subject must be a Patient"),
        ("Patient/", "The subject must be a Patient"),
    ],
)
def test_a_subject_that_cannot_be(clinic: Clinic, subject: str, sentence: str) -> None:
    clinic.arrive()
    with pytest.raises((NotFound, InvalidResource), match=sentence):
        applied(clinic, subject=subject)


def test_a_subject_outside_of_the_data_that_alone_may_be_used(clinic: Clinic) -> None:
    clinic.arrive()
    with pytest.raises(NotFound, match="Patient/p1 is not in data"):
        applied(clinic, Circumstances(use_server_data=False))


def test_nothing_is_proposed_for_one_who_has_died(clinic: Clinic) -> None:
    clinic.arrive(deceasedBoolean=True)
    with pytest.raises(Refused, match="Patient/p1 is recorded as deceased"):
        applied(clinic)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("encounter", "Appointment/a1", "encounter must be a reference to Encounter, not 'Appointment/a1'"),
        ("practitioner", "okafor", "practitioner must be a reference to Practitioner or PractitionerRole"),
        ("organization", "Organization/", "organization must be a reference to Organization"),
        ("care_plan", "Task/t1", "carePlan must be a reference to CarePlan"),
    ],
)
def test_a_reference_of_the_wrong_kind(name: str, value: str, sentence: str) -> None:
    wrong: dict[str, Any] = {name: value}
    with pytest.raises(InvalidResource, match=sentence):
        Circumstances(**wrong)


def test_a_care_plan_that_is_not_running_for_the_patient(clinic: Clinic) -> None:
    clinic.enrolled()
    [running] = clinic.ours("CarePlan")
    with pytest.raises(
        InvalidResource, match=f"CarePlan/x is no running CarePlan .* there is CarePlan/{running['id']}"
    ):
        applied(clinic, Circumstances(care_plan="CarePlan/x"))
    named = within(clinic)
    clinic.change(running, status="completed")
    with pytest.raises(InvalidResource, match="there is none"):
        applied(clinic, named)


@pytest.mark.parametrize(
    ("bundle", "sentence"),
    [
        ({"resourceType": "Patient", "id": "p1"}, "data must be a Bundle"),
        ({"resourceType": "Bundle", "entry": {}}, "data must be a Bundle with a list of entries"),
        ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Task"}}]}, "Entry 0 of data needs"),
        ({"resourceType": "Bundle", "entry": [{}]}, "Entry 0 of data needs"),
        ({"resourceType": "Bundle", "entry": ["x"]}, "Entry 0 of data needs"),
    ],
)
def test_data_that_is_no_bundle_of_named_resources(bundle: Resource, sentence: str) -> None:
    with pytest.raises(InvalidResource, match=sentence):
        resources_of(bundle)


def test_data_names_every_entry_that_cannot_be_used() -> None:
    patient = {"resource": {"resourceType": "Patient", "id": "p1"}}
    with pytest.raises(InvalidResource) as raised:
        resources_of({"resourceType": "Bundle", "entry": [{}, patient, {"resource": {"id": "x"}}]})
    assert [issue.expression for issue in raised.value.issues] == [
        "Bundle.entry[0].resource",
        "Bundle.entry[2].resource",
    ]
    assert resources_of({"resourceType": "Bundle", "entry": [patient]}) == [patient["resource"]]
    assert resources_of({"resourceType": "Bundle"}) == []


def test_values_of_parameters() -> None:
    given = [{"name": "clearance", "valueCode": "always"}, {"name": "days", "valueInteger": 3}]
    assert values_of({"resourceType": "Parameters", "parameter": given}) == {"clearance": "always", "days": 3}
    assert values_of({"resourceType": "Parameters"}) == {}


@pytest.mark.parametrize("parameter", [{"name": "clearance"}, {"name": "clearance", "valuePeriod": {}}])
def test_a_parameter_without_a_plain_value(parameter: Resource) -> None:
    with pytest.raises(InvalidResource, match="The parameter 'clearance' of parameters needs one value"):
        values_of({"resourceType": "Parameters", "parameter": [parameter]})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [({"clearence": "never"}, "no pathway parameter 'clearence'"), ({"causeSectionRequired": "yes"}, "true or false")],
)
def test_a_parameter_that_the_pathway_has_not(clinic: Clinic, values: dict[str, Any], sentence: str) -> None:
    clinic.arrive()
    with pytest.raises(InvalidResource, match=sentence):
        applied(clinic, Circumstances(parameters=values))


@pytest.mark.parametrize(
    ("ask", "error", "sentence"),
    [
        (lambda library: definition(library, "PlanDefinition", id="x"), NotFound, "There is no PlanDefinition x here"),
        (
            lambda library: definition(library, "PlanDefinition", canonical=f"{PLAN}|9"),
            NotFound,
            "There is no PlanDefinition .*9 here",
        ),
        (lambda library: definition(library, "PlanDefinition"), InvalidResource, "Say which PlanDefinition is meant"),
        (
            lambda library: definition(library, "ActivityDefinition", id="x", canonical="y"),
            InvalidResource,
            "Say which ActivityDefinition is meant in one way",
        ),
        (
            lambda library: definition(library, "ActivityDefinition", canonical=PLAN),
            NotFound,
            "There is no ActivityDefinition",
        ),
    ],
)
def test_a_definition_that_is_not_here(
    content: Library, ask: Callable[[Library], Resource], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        ask(content)


def test_a_definition_by_its_id_or_canonical(content: Library) -> None:
    by_id = definition(content, "PlanDefinition", id="calcinosis-excision-pathway")
    assert by_id == definition(content, "PlanDefinition", canonical=PLAN)
    assert by_id == definition(content, "PlanDefinition", canonical=f"{PLAN}|0.1.0")
    assert definition(content, "ActivityDefinition", id="fu-first-visit")["kind"] == "Task"


class TestDefinitionThatComesWithTheQuestion:
    def changed(self, content: Library) -> Resource:
        plan = deepcopy(definition(content, "PlanDefinition", canonical=PLAN))
        return {**plan, "id": "changed", "url": f"{PLAN}-changed"}

    def test_is_applied_like_one_of_ours(self, clinic: Clinic, content: Library) -> None:
        clinic.arrive()
        given = self.changed(content)
        given["title"] = "Changed"
        library = with_definition(content, given)
        clinic.pathway = replace(clinic.pathway, library=library, plan=given["url"])
        care_plan = applied(clinic)
        assert (care_plan["title"], care_plan["instantiatesCanonical"]) == ("Changed", [f"{PLAN}-changed|0.1.0"])

    def test_may_be_one_that_is_here(self, content: Library) -> None:
        assert with_definition(content, definition(content, "PlanDefinition", canonical=PLAN)) is content

    def test_is_refused_with_what_is_wrong_with_it(self, content: Library) -> None:
        given = self.changed(content)
        given["action"][0]["definitionUri"] = "http://elsewhere"
        with pytest.raises(InvalidResource) as raised:
            with_definition(content, given)
        assert "PlanDefinition.action[0].definitionUri" in {issue.expression for issue in raised.value.issues}


class TestWhatCannotBeWorkedOut:
    def test_of_one_action_leaves_the_others(self, clinic: Clinic, content: Library) -> None:
        clinic.decided()
        definitions = deepcopy(content.resources())
        [plan] = [d for d in definitions if d.get("url") == PLAN]
        work_up = next(a for a in plan["action"][0]["action"] if a["id"] == "calcinosis-surgery-indications")
        work_up["condition"].append(
            {
                "kind": "applicability",
                "expression": {"language": "text/fhirpath", "expression": "%subject.name & 1 + 'a'"},
            }
        )
        clinic.pathway = replace(clinic.pathway, library=Library(definitions))
        care_plan = applied(clinic)
        assert "proc-excision" in actions(care_plan)
        assert "calcinosis-surgery-indications" not in actions(care_plan)
        assert [text for severity, text in messages(care_plan) if severity == "error"] != []

    def test_of_a_form_is_a_message(self, clinic: Clinic) -> None:
        clinic.decided()
        decision = deepcopy(clinic.read("QuestionnaireResponse", "decision-1"))
        decision["item"][0]["answer"][0] = {"valueString": "surgery"}
        care_plan = applied(clinic, Circumstances(data=[decision]))
        unusable = "QuestionnaireResponse/decision-1 does not fit its form: nothing is decided on it"
        assert ("warning", unusable) in messages(care_plan)
        assert "proc-excision" not in actions(care_plan)


class TestSeveralSubjects:
    def test_have_one_return_each(self, clinic: Clinic) -> None:
        clinic.arrive()
        clinic.put({"resourceType": "Patient", "id": "p2"})
        plan = definition(clinic.pathway.library, "PlanDefinition", canonical=PLAN)
        with clinic.store.transaction(clinic.hospital) as tx:
            applying = Applying(clinic.pathway, tx, clinic.now(), ALONE)
            answer = each(["Patient/p1", "Patient/nobody", "Patient/p2"], lambda subject: applying.plan(plan, subject))
        first, missing, second = [parameter["resource"] for parameter in answer["parameter"]]
        assert [p["name"] for p in answer["parameter"]] == ["return"] * 3
        assert first["subject"] == {"reference": "Patient/p1"}
        assert missing == operation_outcome(NotFound("There is no Patient/nobody here or in data").issues)
        assert second["subject"] == {"reference": "Patient/p2"}
        assert first["id"] != second["id"]

    def test_of_one_the_answer_is_what_is_returned(self) -> None:
        assert each(["Patient/p1"], lambda subject: {"id": subject}) == {"id": "Patient/p1"}

    def test_of_none_there_is_no_answer(self) -> None:
        with pytest.raises(InvalidResource, match="needs a subject"):
            each([], lambda subject: {"id": subject})

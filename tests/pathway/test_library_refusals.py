"""What a definition folder is refused for; every refusal names the file, the element and the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pathway.errors import InvalidDefinition
from pathway.library import Library, pascal

BASE = "https://calcinosis-pathway.example/fhir"
Json = dict[str, Any]


def head(kind: str, id: str) -> Json:
    url = f"{BASE}/{kind}/{id}"
    return {"resourceType": kind, "id": id, "url": url, "version": "1", "name": pascal(id), "status": "draft"}


def form(id: str = "form") -> Json:
    question = {"linkId": "well", "text": "Are you well?", "type": "boolean"}
    why = {
        "linkId": "why",
        "type": "text",
        "enableWhen": [{"question": "well", "operator": "=", "answerBoolean": False}],
    }
    return head("Questionnaire", id) | {"item": [question, why]}


def activity(id: str = "visit") -> Json:
    return head("ActivityDefinition", id) | {"kind": "Task", "intent": "plan", "priority": "routine"}


def expression(text: str, language: str = "text/fhirpath") -> Json:
    return {"language": language, "expression": text}


def action(id: str = "visit", definition: str = "ActivityDefinition/visit|1") -> Json:
    return {"id": id, "definitionCanonical": f"{BASE}/{definition}"}


def plan(id: str = "plan") -> Json:
    return head("PlanDefinition", id) | {"action": [action()]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for resource in (form(), activity(), plan()):
        save(tmp_path, resource)
    return tmp_path


def save(folder: Path, resource: Json) -> None:
    (folder / f"{resource['resourceType']}-{resource['id']}.json").write_text(json.dumps(resource))


def refusal(folder: Path) -> list[str]:
    with pytest.raises(InvalidDefinition) as refused:
        Library.load(folder)
    return str(refused.value).splitlines()


def with_action(**more: Any) -> Json:
    return plan() | {"action": [action() | more]}


def with_condition(kind: str = "applicability", **expression: Any) -> Json:
    return with_action(condition=[{"kind": kind, "expression": expression}])


def with_related(relationship: str, id: str = "visit") -> Json:
    offset = {"value": 7, "system": "http://unitsofmeasure.org", "code": "d"}
    return with_action(
        relatedAction=[{"actionId": id, "relationship": relationship, "offsetDuration": offset}],
    )


REFUSED: list[tuple[str, Callable[[], Json], str]] = [
    (
        "an element that does not exist",
        lambda: plan() | {"actoin": []},
        "PlanDefinition-plan.json: PlanDefinition.actoin: Extra inputs are not permitted",
    ),
    (
        "a wrong type",
        lambda: plan() | {"experimental": "perhaps"},
        "PlanDefinition-plan.json: PlanDefinition.experimental: Input should be a valid boolean",
    ),
    (
        "R4B: subjectCanonical",
        lambda: plan() | {"subjectCanonical": "http://example.org/x"},
        "PlanDefinition-plan.json: PlanDefinition.subjectCanonical: is not an element of FHIR R4",
    ),
    (
        "R4B: valueRatioRange in an extension",
        lambda: with_action(extension=[{"url": "http://example.org/x", "valueRatioRange": {}}]),
        "PlanDefinition.action[0].extension[0].valueRatioRange: is not an element of FHIR R4",
    ),
    (
        "R5: valueCodeableReference",
        lambda: activity() | {"extension": [{"url": "http://example.org/x", "valueCodeableReference": {}}]},
        "ActivityDefinition.extension[0].valueCodeableReference: is not an element of FHIR R4",
    ),
    (
        "a parameter that is not there",
        lambda: with_condition(**expression("%parameters.feverC > 38")),
        "there is no pathway parameter 'feverC': %parameters.feverC > 38",
    ),
    (
        "a definition that is not there",
        lambda: plan() | {"action": [action("visit", "ActivityDefinition/visti|1")]},
        f"PlanDefinition.action[0].definitionCanonical: there is no definition {BASE}/ActivityDefinition/visti|1",
    ),
    (
        "a version that is not there",
        lambda: plan() | {"action": [action("visit", "ActivityDefinition/visit|2")]},
        f"there is no definition {BASE}/ActivityDefinition/visit|2",
    ),
    (
        "an action without an id",
        lambda: plan() | {"action": [{"title": "Visit"}]},
        "PlanDefinition.action[0]: the action has no id",
    ),
    (
        "two actions with one id",
        lambda: with_action(action=[action()]),
        "PlanDefinition.action[0].action[0].id: the id 'visit' is used by several actions",
    ),
    (
        "a related action that is not there",
        lambda: with_related("after-end", "surgery"),
        "PlanDefinition.action[0].relatedAction[0].actionId: there is no action 'surgery'",
    ),
    (
        "an unknown relationship",
        lambda: with_related("some-time-after"),
        "PlanDefinition.action[0].relatedAction[0].relationship: 'some-time-after' is not one of",
    ),
    (
        "an unknown relationship of an inner action",
        lambda: (
            plan() | {"action": [{"id": "outer", "action": [{"id": "mid", "action": with_related("x")["action"]}]}]}
        ),
        "PlanDefinition.action[0].action[0].action[0].relatedAction[0].relationship: 'x' is not one of",
    ),
    (
        "an unknown kind of condition",
        lambda: with_condition("sometimes", **expression("true")),
        "PlanDefinition.action[0].condition[0].kind: 'sometimes' is not one of",
    ),
    (
        "another expression language",
        lambda: with_condition(**expression("true", "text/cql")),
        "PlanDefinition.action[0].condition[0].expression.language: 'text/cql' is not known, only text/fhirpath: true",
    ),
    (
        "no expression language",
        lambda: with_condition(expression="true"),
        "PlanDefinition.action[0].condition[0].expression.language",
    ),
    (
        "an expression that is not FHIRPath",
        lambda: with_condition(**expression("%data.where(")),
        "PlanDefinition.action[0].condition[0].expression.expression: The expression is not FHIRPath",
    ),
    (
        "an expression with an unknown name",
        lambda: with_condition(**expression("%FuFirstVisti.exists()")),
        "%FuFirstVisti is not known here: %FuFirstVisti.exists()",
    ),
    (
        "an expression that reads the clock",
        lambda: with_condition(**expression("today() > @2026-01-01")),
        "today() is not allowed in a pathway expression",
    ),
    (
        "a %name in a trigger, which sees only what came in",
        lambda: with_action(
            trigger=[
                {"type": "data-added", "data": [{"type": "Task"}], "condition": expression("%data.exists()")},
            ]
        ),
        "PlanDefinition.action[0].trigger[0].condition.expression: %data is not known here",
    ),
    (
        "a dynamic value that does not compile",
        lambda: activity() | {"dynamicValue": [{"path": "priority", "expression": expression("'urgent")}]},
        "ActivityDefinition-visit.json: ActivityDefinition.dynamicValue[0].expression.expression: ",
    ),
    (
        "a kind of request the engine does not make",
        lambda: activity() | {"kind": "MedicationRequest"},
        "ActivityDefinition-visit.json: ActivityDefinition.kind: 'MedicationRequest' is not one of",
    ),
    (
        "an unknown intent",
        lambda: activity() | {"intent": "wish"},
        "ActivityDefinition.intent: 'wish' is not one of",
    ),
    (
        "an unknown priority",
        lambda: activity() | {"priority": "soon"},
        "ActivityDefinition.priority: 'soon' is not one of asap, routine, stat, urgent",
    ),
    (
        "a questionnaire that is not there",
        lambda: (
            activity()
            | {
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-collectWith",
                        "valueCanonical": f"{BASE}/Questionnaire/from|1",
                    }
                ]
            }
        ),
        f"ActivityDefinition.extension[0].valueCanonical: there is no Questionnaire {BASE}/Questionnaire/from|1",
    ),
    (
        "a linkId used twice",
        lambda: form() | {"item": [{"linkId": "a", "type": "group", "item": [{"linkId": "a", "type": "text"}]}]},
        "Questionnaire.item[0].item[0].linkId: 'a' is used by several items",
    ),
    (
        "a rule about a question that is not there",
        lambda: form() | {"item": form()["item"][1:]},
        "Questionnaire.item[0].enableWhen[0].question: there is no item 'well'",
    ),
]


@pytest.mark.parametrize(("make", "expected"), [pytest.param(make, text, id=name) for name, make, text in REFUSED])
def test_refuses(folder: Path, make: Callable[[], Json], expected: str) -> None:
    save(folder, make())
    assert any(expected in line for line in refusal(folder)), refusal(folder)


def test_the_folder_that_every_refusal_starts_from_is_fine(folder: Path) -> None:
    assert len(Library.load(folder).resources()) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "broken.json: $: not JSON"),
        ("[]", "broken.json: resourceType: must be one of ActivityDefinition"),
        ('{"resourceType": "Patient"}', "broken.json: resourceType: must be one of ActivityDefinition"),
        (
            '{"resourceType": "Questionnaire", "id": "a"}',
            "Questionnaire: missing or no text: url, version, name, status",
        ),
    ],
)
def test_refuses_a_file_that_is_no_definition(folder: Path, text: str, expected: str) -> None:
    (folder / "broken.json").write_text(text)
    assert any(expected in line for line in refusal(folder))


def test_refuses_a_file_with_another_name_than_its_resource(folder: Path) -> None:
    (folder / "form.json").write_text(json.dumps(form("other")))
    assert refusal(folder) == ["form.json: Questionnaire.id: the file should be called Questionnaire-other.json"]


def test_refuses_one_canonical_in_two_files(folder: Path) -> None:
    save(folder, form("twin") | {"url": form()["url"]})
    assert refusal(folder) == [
        f"Questionnaire-twin.json: Questionnaire.url: {form()['url']}|1 is also in Questionnaire-form.json"
    ]


def test_names_all_problems_at_once(folder: Path) -> None:
    save(folder, activity() | {"priority": "soon", "intent": "wish"})
    save(folder, with_related("after-end", "surgery"))
    assert [line.split(": ")[1] for line in refusal(folder)] == [
        "ActivityDefinition.intent",
        "ActivityDefinition.priority",
        "PlanDefinition.action[0].relatedAction[0].actionId",
    ]

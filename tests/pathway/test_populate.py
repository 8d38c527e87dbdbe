"""Forms filled in from the record: every type of question, groups, what is not asked, and what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from pathway import codes
from pathway.calculated import calculated
from pathway.library import Library
from pathway.ports import Resource
from pathway.sdc import VARIABLE
from tests.pathway.questionnaires import (
    AT,
    COLOURS,
    PATIENT,
    answer,
    answered,
    colour,
    computed,
    context,
    declared,
    expression,
    filled,
    form,
    group,
    initial,
    links,
    question,
    section,
    unit,
    values,
    when,
)


def test_says_what_it_is_an_answer_to_of_whom_and_when() -> None:
    response = filled(form(question("q", "string", text="Who?"))).response
    assert response["questionnaire"] == "http://example.org/Questionnaire/form|1"
    assert (response["status"], response["authored"]) == ("in-progress", AT)
    assert response["subject"] == {"reference": "Patient/p1"}
    assert response["item"] == [{"linkId": "q", "text": "Who?"}]


@pytest.mark.parametrize(
    ("type", "text", "expected"),
    [
        ("boolean", "%patient.active", {"valueBoolean": True}),
        ("decimal", "1.50", {"valueDecimal": Decimal("1.50")}),
        ("decimal", "7", {"valueDecimal": 7}),
        ("integer", "%patient.name.count()", {"valueInteger": 2}),
        ("integer", "6 / 2", {"valueInteger": 3}),
        ("date", "%patient.birthDate", {"valueDate": "1971-05-04"}),
        ("date", "@2026-03-01", {"valueDate": "2026-03-01"}),
        ("dateTime", "%resource.authored", {"valueDateTime": AT}),
        ("dateTime", "%patient.birthDate", {"valueDateTime": "1971-05-04"}),
        ("time", "@T07:30:00", {"valueTime": "07:30:00"}),
        ("string", "%patient.name.first().family", {"valueString": "Huber"}),
        ("text", "%subject.id & ' is ' & %patient.id", {"valueString": "p1 is p1"}),
        ("url", "%questionnaire.url", {"valueUri": "http://example.org/Questionnaire/form"}),
        ("choice", "%questionnaire.item.answerOption.value.last()", colour("blue")),
        ("choice", "'red'", colour("red")),
        ("open-choice", "'red'", colour("red")),
        ("open-choice", "'sand'", {"valueString": "sand"}),
        ("reference", "%patient.managingOrganization", {"valueReference": {"reference": "Organization/clinic"}}),
        ("reference", "%patient", {"valueReference": {"reference": "Patient/p1"}}),
        (
            "quantity",
            "5 'mm'",
            {"valueQuantity": {"value": 5, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"}},
        ),
    ],
)
def test_an_expression_gives_the_value_that_the_question_asks_for(
    type: str, text: str, expected: Mapping[str, Any]
) -> None:
    offered = {"answerOption": [colour("red"), colour("blue")]} if type.endswith("choice") else {}
    populated = filled(form(question("q", type, initial(text), **offered)))
    assert populated.issues == []
    assert populated.response["item"][0]["answer"] == [expected]


def test_a_number_asked_in_a_unit_is_a_quantity_in_it() -> None:
    asked = form(
        question("size", "quantity", unit("mm", "mm"), initial("12")), question("again", "decimal", unit("mm", "mm"))
    )
    asked["item"][1]["extension"].append(initial("%resource.item.where(linkId='size').answer.value"))
    populated = filled(asked)
    millimetres = {"value": 12, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"}
    assert values(populated.response, "size") == [millimetres]
    assert values(populated.response, "again") == [12]


def test_an_attachment_is_taken_from_a_resource() -> None:
    report = {"resourceType": "Media", "id": "m1", "content": {"contentType": "image/png", "url": "Binary/1"}}
    asked = form(question("picture", "attachment", initial("%report.content")), extension=[declared("report", "Media")])
    populated = filled(asked, report=report)
    assert values(populated.response, "picture") == [{"contentType": "image/png", "url": "Binary/1"}]


@pytest.mark.parametrize(
    ("type", "text"),
    [
        ("boolean", "'yes'"),
        ("integer", "1.5"),
        ("decimal", "true"),
        ("date", "'soon'"),
        ("dateTime", "'2026-03-01T10'"),
        ("time", "'noon'"),
        ("string", "' '"),
        ("string", "17"),
        ("choice", "'green'"),
        ("reference", "'Patient/p1'"),
        ("quantity", "'five'"),
        ("attachment", "'picture.png'"),
        ("string", "%patient.name.given"),
    ],
)
def test_a_value_that_is_no_answer_is_left_open_and_said(type: str, text: str) -> None:
    offered = {"answerOption": [colour("red")]} if type == "choice" else {}
    populated = filled(form(question("q", type, initial(text), **offered), question("other", "string", initial("'x'"))))
    [issue] = populated.issues
    assert issue.severity == "warning"
    assert "'q'" in issue.diagnostics
    assert text in issue.diagnostics
    assert issue.expression == "Questionnaire.item.where(linkId='q')"
    assert values(populated.response, "q") == []
    assert values(populated.response, "other") == ["x"]


def test_a_number_outside_its_limits_is_left_open() -> None:
    limit = {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueInteger": 10}
    populated = filled(form(question("pain", "integer", limit, initial("11"))))
    assert values(populated.response, "pain") == []
    assert "at most 10" in populated.issues[0].diagnostics


def test_initial_values_and_preselected_options() -> None:
    asked = form(
        question("fixed", "integer", initial=[{"valueInteger": 3}]),
        question("many", "string", initial=[{"valueString": "a"}, {"valueString": "b"}], repeats=True),
        question("chosen", "choice", answerOption=[colour("red"), {**colour("blue"), "initialSelected": True}]),
    )
    populated = filled(asked)
    assert values(populated.response, "fixed") == [3]
    assert values(populated.response, "many") == ["a", "b"]
    assert values(populated.response, "chosen") == [{"system": COLOURS, "code": "blue", "display": "Blue"}]


def test_a_hidden_question_is_filled_in_and_a_text_to_read_is_not_there() -> None:
    hidden = {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden", "valueBoolean": True}
    populated = filled(form(question("id", "string", hidden, initial("%patient.id")), question("note", "display")))
    assert links(populated.response) == ["id"]
    assert values(populated.response, "id") == ["p1"]


def test_questions_below_an_answer_stand_in_it() -> None:
    inner = question("why", "string", initial("'because'"))
    populated = filled(form(group("outer", question("well", "boolean", initial("true"), item=[inner]))))
    [well] = populated.response["item"][0]["item"]
    assert well["answer"] == [
        {"valueBoolean": True, "item": [{"linkId": "why", "answer": [{"valueString": "because"}]}]}
    ]


def test_a_group_repeats_with_its_population_context() -> None:
    given = question("given", "string", initial("%one.given.first()"))
    family = question("family", "string", initial("%one.family"))
    names = group("name", family, group("first", given), extension=(context("one", "%patient.name"),), repeats=True)
    populated = filled(form(names))
    assert populated.issues == []
    assert [item["linkId"] for item in populated.response["item"]] == ["name", "name"]
    assert [values(item, "family") + values(item, "given") for item in populated.response["item"]] == [
        ["Huber", "Anna"],
        ["Ott", "Anna"],
    ]


def test_a_group_with_nothing_to_repeat_for_stays_to_be_filled_in() -> None:
    number = question("number", "string", initial("%one.value"))
    populated = filled(form(group("phone", number, extension=(context("one", "%patient.telecom"),), repeats=True)))
    assert links(populated.response) == ["phone", "number"]
    assert populated.issues == []


def test_a_group_that_is_there_once_takes_no_two_contexts() -> None:
    family = question("family", "string", initial("%one.family"))
    populated = filled(form(group("name", family, extension=(context("one", "%patient.name"),))))
    assert values(populated.response, "family") == []
    assert "gave 2 values (%patient.name)" in populated.issues[0].diagnostics


def test_variables_are_seen_by_what_is_below_them() -> None:
    variable = expression(VARIABLE, "%patient.name.first()", name="first")
    populated = filled(form(group("g", question("family", "string", initial("%first.family")), extension=(variable,))))
    assert values(populated.response, "family") == ["Huber"]


def test_what_the_answers_do_not_enable_is_left_out() -> None:
    asked = form(
        question("why", "string", initial("'x'"), **when("well")),
        group("more", question("detail", "string", initial("'y'")), **when("well", answerBoolean=False)),
        question("well", "boolean", initial("false")),
        question("then", "string", **when("why", "exists", answerBoolean=True)),
    )
    assert links(filled(asked).response) == ["more", "well", "detail"]


def test_in_a_group_that_repeats_each_repetition_enables_its_own_questions() -> None:
    names = group(
        "name",
        question("family", "string", initial("%one.family")),
        question("second", "string", initial("%one.given[1]"), **when("family", answerString="Huber")),
        extension=(context("one", "%patient.name"),),
        repeats=True,
    )
    populated = filled(form(names))
    assert [links(item) for item in populated.response["item"]] == [["family", "second"], ["family"]]


def test_a_missing_launch_context_is_named_and_the_rest_is_filled_in() -> None:
    asked = form(
        question("by", "string", initial("%user.name.family")),
        question("of", "string", initial("%patient.name.first().family")),
        extension=[declared("user", "Practitioner", "PractitionerRole"), declared("patient", "Patient")],
    )
    populated = filled(asked)
    [issue] = populated.issues
    assert "launch context 'user' (Practitioner or PractitionerRole)" in issue.diagnostics
    assert "'by'" in issue.diagnostics
    assert values(populated.response, "of") == ["Huber"]
    with_user = filled(asked, user={"resourceType": "Practitioner", "id": "o", "name": [{"family": "Okafor"}]})
    assert values(with_user.response, "by") == ["Okafor"]


def test_a_launch_context_of_another_type_is_left_out() -> None:
    asked = form(question("by", "string", initial("%user.id")), extension=[declared("user", "Practitioner")])
    populated = filled(asked, user=PATIENT)
    assert "is to be a Practitioner, not a Patient" in populated.issues[0].diagnostics
    assert values(populated.response, "by") == []


def test_a_launch_context_may_be_several_resources_but_not_a_reserved_name() -> None:
    asked = form(
        question("who", "string", initial("%team.id"), repeats=True),
        question("of", "string", initial("%resource.subject.reference")),
        extension=[declared("team", "Practitioner")],
    )
    team: list[Resource] = [{"resourceType": "Practitioner", "id": id} for id in ("a", "b")]
    populated = filled(asked, team=team, resource=PATIENT, context=PATIENT)
    assert values(populated.response, "who") == ["a", "b"]
    assert values(populated.response, "of") == ["Patient/p1"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (initial("%patient.name.family + 1"), "could not be evaluated"),
        (initial("%patient.("), "not FHIRPath"),
        (initial("now()"), "not allowed"),
        (initial("%nobody.id"), "%nobody is not known"),
        (
            {
                "url": initial("x")["url"],
                "valueExpression": {"language": "application/x-fhir-query", "expression": "Patient"},
            },
            "only text/fhirpath",
        ),
        (context("one", "%patient.("), "not FHIRPath"),
        (computed("1 + 'a'"), "could not be evaluated"),
        (expression(VARIABLE, "%nobody", name="v"), "not known"),
    ],
)
def test_an_expression_that_fails_is_said_and_stops_nothing_else(broken: Resource, reason: str) -> None:
    populated = filled(form(question("q", "string", broken), question("other", "string", initial("'x'"))))
    text = broken["valueExpression"]["expression"]
    assert [("'q'" in i.diagnostics, reason in i.diagnostics, text in i.diagnostics) for i in populated.issues] == [
        (True, True, True)
    ]
    assert values(populated.response, "other") == ["x"]


def test_what_is_known_of_the_patient_is_data_with_answers_oldest_first() -> None:
    older = answered(id="z", authored="2026-01-01T08:00:00Z")
    newer = answered(id="a", authored="2026-02-01T08:00:00Z")
    last = initial("%data.where(resourceType='QuestionnaireResponse').last().id")
    populated = filled(form(question("newest", "string", last)), data=[newer, older, PATIENT])
    assert values(populated.response, "newest") == ["a"]


def realistic() -> list[Resource]:
    indications = answered(
        section("burden", answer("pain-score", valueInteger=8)), questionnaire=f"{codes.INDICATIONS}|0.1.0"
    )
    condition = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}
    return [indications, condition]


@pytest.mark.parametrize(
    "url",
    [
        codes.INDICATIONS,
        codes.SHARED_DECISION,
        codes.PREOP_CHECKLIST,
        codes.ANESTHESIA_HISTORY,
        codes.OPERATION_RECORD,
        codes.RECOVERY_DIARY,
        codes.POSTOP_VISIT,
        codes.OUTCOME,
    ],
)
def test_each_of_our_forms_is_populated_without_a_fault(content: Library, url: str) -> None:
    populated = filled(content.questionnaire(url), data=realistic())
    assert populated.issues == []
    assert populated.response["item"]


def test_the_outcome_knows_the_pain_before_surgery_and_works_out_the_relief(content: Library) -> None:
    asked = content.questionnaire(codes.OUTCOME)
    populated = filled(asked, data=realistic())
    assert values(populated.response, "pain-before") == [8]
    told = [
        answer("pain-score", valueInteger=3) if item["linkId"] == "pain-score" else item
        for item in populated.response["item"]
    ]
    assert values(calculated({**populated.response, "item": told}, asked).response, "pain-relief") == [5]


def test_a_guardian_is_asked_for_only_of_a_minor(content: Library) -> None:
    asked = content.questionnaire(codes.INDICATIONS)
    assert "guardian" not in links(filled(asked).response)

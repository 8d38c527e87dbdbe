"""Completed answers as Observations, what is refused or left out, and what our own forms give."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pathway import codes, sdc
from pathway.errors import InvalidResource
from pathway.extract import extract
from pathway.library import Library
from pathway.ports import Resource
from tests.pathway.questionnaires import (
    URL,
    answer,
    answered,
    colour,
    extracted,
    form,
    group,
    question,
    resources,
    section,
    unit,
    when,
)

MARK = {"url": sdc.OBSERVATION_EXTRACT, "valueBoolean": True}
CODE = [{"system": "http://loinc.org", "code": "72514-3"}]


def category(code: str) -> Resource:
    return {"url": sdc.OBSERVATION_CATEGORY, "valueCodeableConcept": {"coding": [{"code": code}]}}


def observed(link: str, type: str, *extension: Resource, **elements: Any) -> Resource:
    return question(link, type, MARK, *extension, code=CODE, **elements)


def test_an_observation_says_of_whom_when_by_whom_and_from_what() -> None:
    asked = form(observed("pain", "integer", text="Pain now?"))
    response = answered(
        answer("pain", valueInteger=3),
        basedOn=[{"reference": "CarePlan/c1"}],
        partOf=[{"reference": "Procedure/s1"}, {"reference": "Observation/o1"}],
        encounter={"reference": "Encounter/e1"},
    )
    found = extracted(response, asked)
    [observation] = resources(found)
    [entry] = found.bundle["entry"]
    assert entry["request"] == {"method": "PUT", "url": f"Observation/{observation['id']}"}
    assert entry["fullUrl"] == f"urn:uuid:{observation['id']}"
    assert found.bundle["type"] == "transaction"
    assert observation == {
        "resourceType": "Observation",
        "id": observation["id"],
        "identifier": [{"system": codes.KEY_SYSTEM, "value": "north:extract:answers-1:pain"}],
        "basedOn": [{"reference": "CarePlan/c1"}],
        "partOf": [{"reference": "Procedure/s1"}],
        "status": "final",
        "code": {"coding": CODE, "text": "Pain now?"},
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "effectiveDateTime": "2026-03-19T08:00:00+01:00",
        "issued": "2026-03-19T08:00:00+01:00",
        "performer": [{"reference": "Practitioner/okafor"}],
        "derivedFrom": [{"reference": "QuestionnaireResponse/answers-1"}],
        "valueInteger": 3,
    }


@pytest.mark.parametrize(
    ("type", "given", "expected"),
    [
        ("boolean", {"valueBoolean": False}, {"valueBoolean": False}),
        ("integer", {"valueInteger": 0}, {"valueInteger": 0}),
        ("decimal", {"valueDecimal": Decimal("1.50")}, {"valueQuantity": {"value": Decimal("1.50")}}),
        ("date", {"valueDate": "2026-03"}, {"valueDateTime": "2026-03"}),
        (
            "dateTime",
            {"valueDateTime": "2026-03-19T08:00:00+01:00"},
            {"valueDateTime": "2026-03-19T08:00:00+01:00"},
        ),
        ("time", {"valueTime": "08:30:00"}, {"valueTime": "08:30:00"}),
        ("string", {"valueString": "2026"}, {"valueString": "2026"}),
        ("text", {"valueString": "well"}, {"valueString": "well"}),
        ("url", {"valueUri": "http://example.org"}, {"valueString": "http://example.org"}),
        ("choice", colour("red"), {"valueCodeableConcept": {"coding": [colour("red")["valueCoding"]]}}),
        ("open-choice", {"valueString": "sand"}, {"valueString": "sand"}),
        ("quantity", {"valueQuantity": {"value": 5, "unit": "mm"}}, {"valueQuantity": {"value": 5, "unit": "mm"}}),
    ],
)
def test_every_kind_of_answer_has_its_value(type: str, given: Resource, expected: Resource) -> None:
    offered = {"answerOption": [colour("red")]} if type == "choice" else {}
    [observation] = resources(extracted(answered(answer("q", **given)), form(observed("q", type, **offered))))
    assert {name: value for name, value in observation.items() if name.startswith("value")} == expected


@pytest.mark.parametrize("value", [{"valueInteger": 38}, {"valueDecimal": Decimal("38.40")}])
def test_a_number_in_a_unit_is_a_quantity(value: Resource) -> None:
    type = "integer" if "valueInteger" in value else "decimal"
    asked = form(observed("temperature", type, unit("Cel", "°C")))
    [observation] = resources(extracted(answered(answer("temperature", **value)), asked))
    assert observation["valueQuantity"] == {
        "value": next(iter(value.values())),
        "unit": "°C",
        "system": "http://unitsofmeasure.org",
        "code": "Cel",
    }


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("attachment", {"valueAttachment": {"url": "Binary/1"}}),
        ("reference", {"valueReference": {"reference": "Device/1"}}),
    ],
)
def test_what_no_observation_can_say_is_left_out_and_said(type: str, value: Resource) -> None:
    asked = form(observed("q", type), observed("pain", "integer"))
    found = extracted(answered(answer("q", **value), answer("pain", valueInteger=3)), asked)
    assert [resource["valueInteger"] for resource in resources(found)] == [3]
    assert "'q'" in found.issues[0].diagnostics


def test_each_answer_and_each_repetition_is_an_observation_of_its_own() -> None:
    asked = form(
        observed("colours", "choice", answerOption=[colour("red"), colour("blue")], repeats=True),
        group("visit", observed("pain", "integer", item=[observed("night", "boolean")]), repeats=True),
    )
    visits = [
        section("visit", answer("pain", answer("night", valueBoolean=True), valueInteger=number)) for number in (1, 2)
    ]
    response = answered({"linkId": "colours", "answer": [colour("red"), colour("blue")]}, *visits)
    found = resources(extracted(response, asked))
    keys = [resource["identifier"][0]["value"].removeprefix("north:extract:answers-1:") for resource in found]
    assert keys == ["colours", "colours.2:colours", "pain", "night", "visit.2:pain", "visit.2:night"]
    assert len({resource["id"] for resource in found}) == 6


def test_only_what_is_marked_and_answered_is_extracted() -> None:
    asked = form(observed("a", "integer"), question("b", "integer", code=CODE), observed("c", "integer"))
    response = answered(answer("b", valueInteger=1), answer("c", valueInteger=2))
    assert [resource["valueInteger"] for resource in resources(extracted(response, asked))] == [2]


def test_a_form_marks_all_its_coded_questions_but_those_it_takes_out() -> None:
    no = {"url": sdc.OBSERVATION_EXTRACT, "valueBoolean": False}
    asked = form(
        question("a", "integer", code=CODE),
        question("b", "integer", no, code=CODE),
        question("c", "integer"),
        extension=[MARK],
    )
    response = answered(*(answer(link, valueInteger=number) for number, link in enumerate("abc")))
    found = extracted(response, asked)
    assert [resource["valueInteger"] for resource in resources(found)] == [0]
    assert found.issues == []


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        (question("q", "integer", MARK), "no code"),
        (question("q", "integer", {"url": sdc.OBSERVATION_EXTRACT, "valueCode": "component"}, code=CODE), "with parts"),
    ],
)
def test_a_mark_that_cannot_be_followed_is_said(marked: Resource, reason: str) -> None:
    found = extracted(answered(answer("q", valueInteger=1)), form(marked))
    assert resources(found) == []
    assert reason in found.issues[0].diagnostics


def test_the_lowest_category_counts() -> None:
    asked = form(
        group("g", observed("a", "integer"), observed("b", "integer", category("own")), extension=(category("group"),)),
        observed("c", "integer"),
        extension=[category("form")],
    )
    items = [answer(link, valueInteger=1) for link in "abc"]
    found = resources(extracted(answered(section("g", *items[:2]), items[2]), asked))
    assert [resource["category"][0]["coding"][0]["code"] for resource in found] == ["group", "own", "form"]


def test_amended_answers_amend_what_was_extracted() -> None:
    asked = form(observed("pain", "integer"))
    first = resources(extracted(answered(answer("pain", valueInteger=3)), asked))[0]
    second = resources(extracted(answered(answer("pain", valueInteger=4), status="amended"), asked))[0]
    assert (first["id"], second["status"], second["valueInteger"]) == (second["id"], "amended", 4)


def test_another_hospital_and_other_answers_have_other_ids() -> None:
    asked, response = form(observed("pain", "integer")), answered(answer("pain", valueInteger=3))
    bundles = [extract(response, asked, "north"), extract(response, asked, "south")]
    bundles.append(extract({**response, "id": "answers-2"}, asked, "north"))
    assert len({resource["id"] for found in bundles for resource in resources(found)}) == 3


def test_what_was_not_asked_is_not_extracted() -> None:
    asked = form(question("well", "boolean"), observed("pain", "integer", **when("well", answerBoolean=False)))
    response = answered(answer("well", valueBoolean=True), answer("pain", valueInteger=3))
    assert resources(extracted(response, asked)) == []


def test_a_day_is_no_instant_and_a_device_no_performer() -> None:
    response = answered(answer("pain", valueInteger=3), authored="2026-03-19", author={"reference": "Device/d1"})
    [observation] = resources(extracted(response, form(observed("pain", "integer"))))
    assert observation["effectiveDateTime"] == "2026-03-19"
    assert not {"issued", "performer"} & observation.keys()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "in-progress"}, "completed or amended"),
        ({"status": "entered-in-error"}, "completed or amended"),
        ({"questionnaire": "http://example.org/other"}, f"not to {URL}"),
        ({"item": [answer("pain", valueString="much")]}, "answered with a whole number"),
        ({"item": [answer("unknown", valueInteger=1)]}, "no question 'unknown'"),
        ({"item": []}, "must be answered"),
    ],
)
def test_answers_that_cannot_be_used_are_refused(change: Resource, reason: str) -> None:
    asked = form(observed("pain", "integer", required=True))
    with pytest.raises(InvalidResource, match=reason):
        extract(answered(answer("pain", valueInteger=3)) | change, asked, "north")


def test_answers_without_an_id_are_refused() -> None:
    response = answered(answer("pain", valueInteger=3))
    del response["id"]
    with pytest.raises(InvalidResource, match="no id"):
        extract(response, form(observed("pain", "integer")), "north")


def test_a_form_that_marks_nothing_gives_an_empty_transaction() -> None:
    found = extracted(answered(answer("q", valueInteger=1)), form(question("q", "integer")))
    assert found.bundle == {"resourceType": "Bundle", "type": "transaction"}
    assert found.issues == []


# Our forms

PAIN = answer("pain-score", valueInteger=3)
OURS = {
    codes.INDICATIONS: ([section("burden", PAIN)], ["72514-3"]),
    codes.OUTCOME: ([PAIN, answer("pain-before", valueInteger=8)], ["72514-3"]),
    codes.POSTOP_VISIT: ([section("fu-assess-incision", PAIN)], ["72514-3"]),
    codes.RECOVERY_DIARY: ([PAIN, answer("temperature", valueDecimal=Decimal("38.4"))], ["72514-3", "8310-5"]),
    codes.SHARED_DECISION: (
        [answer("dec-record-outcome", valueCoding={"system": codes.DECISION, "code": "surgery"})],
        [],
    ),
    codes.PREOP_CHECKLIST: ([section("living", answer("fac-smoking", valueBoolean=False))], []),
    codes.ANESTHESIA_HISTORY: ([section("history", answer("reflux", valueBoolean=False))], []),
    codes.OPERATION_RECORD: ([section("closure", answer("sutures-to-remove", valueBoolean=True))], []),
}


@pytest.mark.parametrize("url", OURS)
def test_what_our_forms_measure_is_extracted(content: Library, url: str) -> None:
    items, expected = OURS[url]
    found = extracted(answered(*items, questionnaire=f"{url}|0.1.0"), content.questionnaire(url))
    assert found.issues == []
    assert [resource["code"]["coding"][0]["code"] for resource in resources(found)] == expected
    categories = {"72514-3": "survey", "8310-5": "vital-signs"}
    assert [resource["category"][0]["coding"][0]["code"] for resource in resources(found)] == [
        categories[code] for code in expected
    ]

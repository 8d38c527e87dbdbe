"""Completed answers as resources of any type, by the definitions of their questions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathway import sdc
from pathway.extract import extract
from pathway.ports import Resource
from tests.pathway.questionnaires import (
    answer,
    answered,
    colour,
    declared,
    expression,
    extracted,
    form,
    group,
    question,
    resources,
    section,
    unit,
)

BASE = "http://hl7.org/fhir/StructureDefinition/"
CODE = [{"system": "http://loinc.org", "code": "72514-3"}]
MARK = {"url": sdc.OBSERVATION_EXTRACT, "valueBoolean": True}


def begins(canonical: str) -> Resource:
    return {"url": sdc.DEFINITION_EXTRACT, "extension": [{"url": "definition", "valueCanonical": canonical}]}


def fixed(path: str, **value: Any) -> Resource:
    return {"url": sdc.DEFINITION_VALUE, "extension": [at(path), {"url": "fixed-value", **value}]}


def worked_out(path: str, text: str) -> Resource:
    return {"url": sdc.DEFINITION_VALUE, "extension": [at(path), expression("expression", text)]}


def at(path: str, profile: str | None = None) -> Resource:
    return {"url": "definition", "valueUri": definition(path, profile)}


def definition(path: str, profile: str | None = None) -> str:
    return f"{profile or BASE + path.partition('.')[0]}#{path}"


SUBJECT = worked_out("Condition.subject", "%resource.subject")
CONDITION = (begins(BASE + "Condition"), SUBJECT)


def test_a_group_becomes_a_resource_of_the_type_it_names() -> None:
    status = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    asked = form(
        group(
            "illness",
            question("what", "choice", definition=definition("Condition.code"), answerOption=[colour("red")]),
            question("since", "date", definition=definition("Condition.onset[x]")),
            question("where", "string", definition=definition("Condition.bodySite.text"), repeats=True),
            question("note", "text", definition=definition("Condition.note")),
            extension=(*CONDITION, fixed("Condition.clinicalStatus", valueCodeableConcept=status)),
        )
    )
    response = answered(
        section(
            "illness",
            answer("what", **colour("red")),
            answer("since", valueDate="2025"),
            answer("note", valueString="n"),
        )
    )
    found = extracted(response, asked)
    [condition] = resources(found)
    assert found.issues == []
    assert found.bundle["entry"][0]["request"] == {"method": "PUT", "url": f"Condition/{condition['id']}"}
    assert condition == {
        "resourceType": "Condition",
        "id": condition["id"],
        "subject": {"reference": "Patient/p1"},
        "clinicalStatus": status,
        "code": {"coding": [colour("red")["valueCoding"]]},
        "onsetDateTime": "2025",
        "note": [{"text": "n"}],
    }


def test_each_repetition_with_an_answer_is_a_resource() -> None:
    text = question("what", "string", definition=definition("Condition.code.text"))
    asked = form(group("illness", text, extension=CONDITION, repeats=True))
    response = answered(
        section("illness", answer("what", valueString="one")),
        section("illness", {"linkId": "what"}),
        section("illness", answer("what", valueString="two")),
    )
    found = resources(extracted(response, asked))
    assert [condition["code"]["text"] for condition in found] == ["one", "two"]
    assert len({condition["id"] for condition in found}) == 2


def test_each_answer_of_a_marked_question_is_a_resource() -> None:
    own = worked_out("Condition.subject", "%resource.subject")
    asked = form(
        question(
            "what",
            "string",
            begins(BASE + "Condition"),
            own,
            definition=definition("Condition.code.text"),
            repeats=True,
        )
    )
    response = answered({"linkId": "what", "answer": [{"valueString": "one"}, {"valueString": "two"}]})
    assert [condition["code"]["text"] for condition in resources(extracted(response, asked))] == ["one", "two"]


def test_a_group_with_a_definition_is_one_element_of_a_list() -> None:
    asked = form(
        group(
            "contact",
            question("family", "string", definition=definition("Patient.contact.name.family")),
            question("given", "string", definition=definition("Patient.contact.name.given"), repeats=True),
            definition=definition("Patient.contact"),
            repeats=True,
        ),
        question("born", "date", definition=definition("Patient.birthDate")),
        extension=[begins(BASE + "Patient")],
    )
    given_names = {"linkId": "given", "answer": [{"valueString": "Eva"}, {"valueString": "Maria"}]}
    response = answered(
        section("contact", answer("family", valueString="Huber"), given_names),
        section("contact", answer("family", valueString="Ott")),
        answer("born", valueDate="1971-05-04"),
    )
    [patient] = resources(extracted(response, asked))
    assert patient["contact"] == [
        {"name": {"family": "Huber", "given": ["Eva", "Maria"]}},
        {"name": {"family": "Ott"}},
    ]
    assert patient["birthDate"] == "1971-05-04"


def test_a_profile_is_of_the_type_its_paths_begin_with() -> None:
    profile = "http://example.org/StructureDefinition/illness"
    subject = {"url": sdc.DEFINITION_VALUE, "extension": [at("Condition.subject", profile)]}
    subject["extension"].append(expression("expression", "%resource.subject"))
    text = question("what", "string", definition=definition("Condition.code.text", profile))
    [condition] = resources(
        extracted(
            answered(section("g", answer("what", valueString="x"))),
            form(group("g", text, extension=(begins(profile), subject))),
        )
    )
    assert (condition["resourceType"], condition["meta"]["profile"]) == ("Condition", [profile])


def test_an_expression_is_worked_out_in_the_place_of_its_item() -> None:
    text = worked_out("Condition.code.text", "item.where(linkId='what').answer.value & '!'")
    asked = form(group("g", question("what", "string"), extension=(*CONDITION, text), repeats=True))
    response = answered(*(section("g", answer("what", valueString=word)) for word in ("one", "two")))
    assert [c["code"]["text"] for c in resources(extracted(response, asked))] == ["one!", "two!"]


def test_a_number_with_its_unit_becomes_a_quantity_where_one_belongs() -> None:
    status = fixed("Observation.status", valueCode="final")
    code = fixed("Observation.code", valueCoding=CODE[0])
    size = question("size", "decimal", unit("mm", "mm"), definition=definition("Observation.value[x]"))
    asked = form(group("g", size, extension=(begins("Observation"), status, code)))
    [observation] = resources(extracted(answered(section("g", answer("size", valueDecimal=Decimal("12")))), asked))
    assert observation["valueQuantity"]["code"] == "mm"
    assert (observation["status"], observation["code"]) == ("final", {"coding": CODE})


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        ((begins(BASE + "Condition"),), "its Condition would not be valid"),
        ((begins(BASE + "Nonsense"),), "no type Nonsense"),
        ((begins(BASE + "HumanName"),), "a datatype"),
        ((*CONDITION, fixed("Condition.code.text.more", valueString="x")), "no type String"),
        ((begins("http://example.org/unknown"),), "nothing says which type"),
        ((*CONDITION, fixed("Condition.colour", valueString="red")), "Condition.colour"),
        ((*CONDITION, fixed("Condition.id", valueId="c1")), "not replaced"),
        ((*CONDITION, fixed("Condition.recordedDate", valueString="soon")), "does not take 'soon'"),
        ((*CONDITION, fixed("Condition.subject", valueString="Patient/p2")), "has a value already"),
        ((*CONDITION, worked_out("Condition.recorder", "%user")), "launch context 'user'"),
        ((*CONDITION, worked_out("Condition.recorder", "%nobody")), "%nobody is not known"),
    ],
)
def test_what_a_definition_cannot_mean_is_said(extension: Sequence[Resource], reason: str) -> None:
    text = question("what", "string", definition=definition("Condition.code.text"))
    asked = form(group("g", text, extension=tuple(extension)), extension=[declared("user", "Practitioner")])
    found = extracted(answered(section("g", answer("what", valueString="x"))), asked)
    assert [reason in issue.diagnostics for issue in found.issues] == [True]


@given(
    pains=st.lists(st.integers(0, 10), max_size=4),
    temperature=st.none() | st.decimals(min_value=30, max_value=45, places=1),
    status=st.sampled_from(["completed", "amended"]),
)
def test_extracting_again_gives_the_same(pains: list[int], temperature: Decimal | None, status: str) -> None:
    asked = form(
        group("visit", question("pain", "integer", MARK, code=CODE), repeats=True),
        group("g", question("t", "decimal", definition=definition("Condition.code.text")), extension=CONDITION),
    )
    visits = [section("visit", answer("pain", valueInteger=pain)) for pain in pains]
    warm = [section("g", answer("t", valueDecimal=temperature))] if temperature is not None else []
    response = answered(*visits, *warm, status=status)
    first, again = extract(response, asked, "north"), extract(response, asked, "north")
    assert first == again
    ids = [(resource["resourceType"], resource["id"]) for resource in resources(first)]
    assert len(ids) == len(set(ids)) >= len(pains)

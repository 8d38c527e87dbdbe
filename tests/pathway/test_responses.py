"""Answers that do not fit their questionnaire, and that those that fit are left alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pathway import codes
from pathway.issues import Issue
from pathway.library import Library
from pathway.responses import PERFORMER_TYPE, check

Json = dict[str, Any]
COLOURS = "http://example.org/colours"
EXTENSION = "http://hl7.org/fhir/StructureDefinition/"


def colour(code: str) -> Json:
    return {"valueCoding": {"system": COLOURS, "code": code, "display": code.title()}}


def bound(name: str, **value: Any) -> Json:
    return {"url": EXTENSION + name, **value}


RED = {"question": "colour", "operator": "=", "answerCoding": colour("red")["valueCoding"]}
QUESTIONNAIRE: Json = {
    "resourceType": "Questionnaire",
    "item": [
        {"linkId": "well", "text": "Are you well?", "type": "boolean", "required": True},
        {
            "linkId": "details",
            "text": "Details",
            "type": "group",
            "item": [
                {
                    "linkId": "pain",
                    "text": "Pain",
                    "type": "integer",
                    "extension": [bound("minValue", valueInteger=0), bound("maxValue", valueInteger=10)],
                },
                {
                    "linkId": "temperature",
                    "text": "Temperature",
                    "type": "decimal",
                    "extension": [
                        bound("questionnaire-unit", valueCoding={"code": "Cel", "display": "°C"}),
                        bound("minValue", valueDecimal=Decimal("30")),
                        bound("maxValue", valueDecimal=Decimal("45.0")),
                    ],
                },
                {
                    "linkId": "colour",
                    "text": "Colour",
                    "type": "choice",
                    "answerOption": [colour("red"), colour("blue")],
                },
                {"linkId": "why", "text": "Why red?", "type": "text", "required": True, "enableWhen": [RED]},
            ],
        },
        {
            "linkId": "treatment",
            "text": "Treatments",
            "type": "choice",
            "repeats": True,
            "answerOption": [colour("red"), colour("blue")],
            "item": [{"linkId": "effect", "text": "Effect", "type": "string"}],
        },
        {"linkId": "place", "text": "Place", "type": "open-choice", "answerOption": [colour("red")]},
        {"linkId": "number", "text": "Number", "type": "integer", "answerOption": [{"valueInteger": 1}]},
        {"linkId": "day", "text": "Day", "type": "date"},
        {
            "linkId": "visits",
            "text": "Visits",
            "type": "group",
            "repeats": True,
            "item": [{"linkId": "on", "type": "date"}],
        },
        {"linkId": "bye", "text": "Goodbye", "type": "display"},
    ],
}
WELL = {"linkId": "well", "answer": [{"valueBoolean": True}]}


def response(*items: Json, status: str = "completed") -> Json:
    author = {"reference": "Practitioner/okafor"}
    return {"resourceType": "QuestionnaireResponse", "status": status, "author": author, "item": list(items)}


def one(link: str, *answers: Json) -> Json:
    return {"linkId": link, "answer": list(answers)}


def details(*items: Json) -> Json:
    return {"linkId": "details", "item": list(items)}


def found(*items: Json, status: str = "completed") -> list[Issue]:
    return check(response(WELL, *items, status=status), QUESTIONNAIRE)


def only(*items: Json) -> tuple[str, str, str]:
    issues = found(*items)
    assert len(issues) == 1, issues
    assert issues[0].severity == "error"
    return issues[0].code, issues[0].diagnostics, issues[0].expression.removeprefix("QuestionnaireResponse.")


def test_what_fits_is_left_alone() -> None:
    answers = (
        details(
            one("pain", {"valueInteger": 10}),
            one("temperature", {"valueDecimal": Decimal("37.50")}),
            one("colour", colour("red")),
            one("why", {"valueString": "it is warm"}),
        ),
        one("treatment", colour("red") | {"item": [one("effect", {"valueString": "none"})]}, colour("blue")),
        one("place", {"valueString": "somewhere else"}),
        one("number", {"valueInteger": 1}),
        one("day", {"valueDate": "2026-11-23"}),
        {"linkId": "visits", "item": [one("on", {"valueDate": "2026-11-23"})]},
        {"linkId": "visits", "item": [one("on", {"valueDate": "2026-11-24"})]},
        {"linkId": "bye"},
    )
    assert found(*answers) == []


def test_unknown_question() -> None:
    assert only(details(one("pane", {"valueInteger": 1}))) == (
        "structure",
        "The questionnaire has no question 'pane'; its questions are 'pain', 'temperature', 'colour', 'why'.",
        "item[1].item[0]",
    )


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (one("pain", {"valueInteger": 1}), "The question 'pain' is in the wrong place; it belongs under 'details'."),
        (details(WELL), "The question 'well' is in the wrong place; it belongs at the top of the form."),
    ],
)
def test_question_in_the_wrong_place(item: Json, text: str) -> None:
    assert only(item)[:2] == ("structure", text)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (one("pain", {"valueString": "bad"}), "'Pain' (pain) is answered with a whole number, not with text."),
        (one("pain", {"valueInteger": "7"}), "'Pain' (pain) is answered with a whole number; '7' is none."),
        (one("pain", {"valueInteger": True}), "'Pain' (pain) is answered with a whole number; True is none."),
        (
            one("pain", {"valueDecimal": Decimal("7.5")}),
            "'Pain' (pain) is answered with a whole number, not with a number.",
        ),
        (
            one("temperature", {"valueInteger": 37}),
            "'Temperature' (temperature) is answered with a number, not with a whole",
        ),
        (
            one("colour", {"valueString": "red"}),
            "'Colour' (colour) is answered with one of the options, not with text.",
        ),
        (
            one("colour", {"valueBoolean": True}),
            "'Colour' (colour) is answered with one of the options, not with yes or no.",
        ),
        (one("colour", {}), "'Colour' (colour) has an answer without a value."),
        (one("colour", {"valueBase64Binary": "aa"}), "not with another kind of value (valueBase64Binary)."),
    ],
)
def test_wrong_kind_of_answer(item: Json, text: str) -> None:
    code, sentence, expression = only(details(item))
    assert (code, expression) == ("value", "item[1].item[0].answer[0].value")
    assert text in sentence


@pytest.mark.parametrize("value", [37, Decimal("37.0"), 37.0])
def test_a_number_may_be_written_without_a_point(value: Any) -> None:
    assert found(details(one("temperature", {"valueDecimal": value}))) == []


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (one("pain", {"valueInteger": -1}), "'Pain' (pain) must be at least 0; it is -1."),
        (one("pain", {"valueInteger": 11}), "'Pain' (pain) must be at most 10; it is 11."),
        (
            one("temperature", {"valueDecimal": Decimal("101.2")}),
            "'Temperature' (temperature) must be at most 45.0 °C; it is 101.2.",
        ),
    ],
)
def test_out_of_bounds(item: Json, text: str) -> None:
    assert only(details(item)) == ("value", text, "item[1].item[0].answer[0].value")


@pytest.mark.parametrize("value", [0, 10])
def test_the_bounds_themselves_fit(value: int) -> None:
    assert found(details(one("pain", {"valueInteger": value}))) == []


@pytest.mark.parametrize(
    "coding",
    [{"system": COLOURS, "code": "green"}, {"system": "http://example.org/else", "code": "red"}, {"code": "red"}],
)
def test_option_that_is_not_offered(coding: Json) -> None:
    code, sentence, _ = only(details(one("colour", {"valueCoding": coding})))
    assert code == "code-invalid"
    offered = "it offers 'Red' (red), 'Blue' (blue)."
    assert sentence == f"'Colour' (colour) does not offer '{coding['code']}' ({coding['code']}); {offered}"


def test_open_choice_offers_its_codes_or_text() -> None:
    assert only(one("place", colour("blue")))[0] == "code-invalid"
    assert found(one("place", {"valueString": "blue"})) == []


def test_options_that_are_numbers() -> None:
    assert only(one("number", {"valueInteger": 2}))[1] == "'Number' (number) does not offer '2'; it offers '1'."


@pytest.mark.parametrize("status", ["completed", "amended"])
def test_required_once_finished(status: str) -> None:
    issue = Issue("error", "required", "'Are you well?' (well) must be answered.", "QuestionnaireResponse")
    assert check(response(status=status), QUESTIONNAIRE) == [issue]
    assert check({"status": status}, QUESTIONNAIRE) == [issue]


@pytest.mark.parametrize("status", ["in-progress", "stopped", "entered-in-error"])
def test_nothing_is_required_before(status: str) -> None:
    assert check(response(status=status), QUESTIONNAIRE) == []


def test_required_question_that_is_there_without_an_answer() -> None:
    issues = check(response({"linkId": "well"}), QUESTIONNAIRE)
    assert [(issue.code, issue.expression) for issue in issues] == [("required", "QuestionnaireResponse.item[0]")]


def test_required_only_where_it_is_asked() -> None:
    assert only(details(one("colour", colour("red")))) == ("required", "'Why red?' (why) must be answered.", "item[1]")
    assert found(details(one("colour", colour("blue")))) == []
    assert found() == []


def test_required_inside_a_group_that_is_not_there() -> None:
    questionnaire = {"item": [{"linkId": "group", "type": "group", "item": [QUESTIONNAIRE["item"][0]]}]}
    issues = check(response(), questionnaire)
    assert [(issue.code, issue.diagnostics) for issue in issues] == [
        ("required", "'Are you well?' (well) must be answered.")
    ]


def test_repeats() -> None:
    assert only(one("day", {"valueDate": "2026-11-23"}, {"valueDate": "2026-11-24"})) == (
        "structure",
        "'Day' (day) takes one answer, not 2.",
        "item[1]",
    )
    day = one("day", {"valueDate": "2026-11-23"})
    assert only(day, day)[1] == "'Day' (day) is there 2 times; it may be there once."
    assert only(details(), details())[1] == "'Details' (details) is there 2 times; it may be there once."
    assert only(one("treatment", colour("red")), one("treatment", colour("blue")))[0] == "structure"


def test_questions_below_an_answer() -> None:
    nested = one("effect", {"valueInteger": 3})
    code, sentence, expression = only(one("treatment", colour("red") | {"item": [nested]}))
    assert (code, expression) == ("value", "item[1].answer[0].item[0].answer[0].value")
    assert "'Effect' (effect) is answered with text" in sentence
    misplaced = one("treatment", colour("red")) | {"item": [nested]}
    assert only(misplaced)[1] == "Questions below 'Treatments' (treatment) belong inside its answer."


@pytest.mark.parametrize("link", ["details", "bye"])
def test_what_is_no_question_takes_no_answer(link: str) -> None:
    assert "is no question: it takes no answer." in only(one(link, {"valueBoolean": True}))[1]


def test_every_finding_at_once() -> None:
    issues = check(response(details(one("pain", {"valueInteger": 11}), one("x", {"valueInteger": 1}))), QUESTIONNAIRE)
    assert [issue.code for issue in issues] == ["value", "structure", "required"]


def test_the_decision_questionnaire() -> None:
    questionnaire = Library.load().questionnaire(codes.SHARED_DECISION)
    decision = one("dec-record-outcome", {"valueCoding": {"system": codes.DECISION, "code": "surgery"}})
    assert check(response(decision, one("add-additional-surgery", {"valueBoolean": True})), questionnaire) == []
    assert [issue.code for issue in check(response(), questionnaire)] == ["required"]
    wrong = one("dec-record-outcome", {"valueCoding": {"system": codes.DECISION, "code": "maybe"}})
    assert [issue.code for issue in check(response(wrong), questionnaire)] == ["code-invalid"]


FORM = {
    "resourceType": "Questionnaire",
    "extension": [{"url": PERFORMER_TYPE, "valueCode": code} for code in ("Practitioner", "PractitionerRole")],
    "item": [{"linkId": "a", "type": "boolean", "text": "A?"}],
}


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ({"reference": "Patient/p1"}, "This form is filled in by Practitioner or PractitionerRole, not by Patient."),
        (None, "This form is filled in by Practitioner or PractitionerRole, and this one does not say by whom."),
        ({"reference": "Practitioner/s1"}, None),
        ({"reference": "https://hospital.example/fhir/PractitionerRole/s1"}, None),
    ],
)
def test_a_form_counts_only_from_those_who_may_fill_it_in(author: dict[str, str] | None, said: str | None) -> None:
    response = {"status": "completed", "author": author or {}, "item": []}
    assert [issue.diagnostics for issue in check(response, FORM)] == ([said] if said else [])


def test_a_form_that_is_not_finished_may_be_begun_by_anybody() -> None:
    assert check({"status": "in-progress", "author": {"reference": "Patient/p1"}, "item": []}, FORM) == []

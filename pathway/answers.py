"""A value as an answer to a question: the value[x] that the question's type asks for, one of its options, its unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from pathway.errors import InvalidDefinition, InvalidResource
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.responses import answer_issues
from pathway.sdc import UNIT, extension_value, valued

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_DATE_TIME = re.compile(rf"{_DATE.pattern}|\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?")


def answer_of(value: Any, question: Resource) -> Resource:
    """QuestionnaireResponse.item.answer for a value of JSON, such as an expression gives.

    Raises InvalidDefinition for a value of the wrong type, InvalidResource for one that the question does not allow.
    """
    answer = _offered(value, question) or _typed(value, question)
    if answer is None:
        raise InvalidDefinition(f"{_shown(value)} is no answer to a question of type {question['type']}")
    if issues := list(answer_issues(answer, question, "")):
        raise InvalidResource(issues)
    return answer


def unit_of(question: Resource) -> Resource:
    """The unit a question is asked in, as the elements of a Quantity; empty without one."""
    coding = extension_value(question, UNIT) or {}
    unit = {
        "unit": coding.get("display", coding.get("code")),
        "system": coding.get("system"),
        "code": coding.get("code"),
    }
    return {name: value for name, value in unit.items() if value is not None}


def _offered(value: Any, question: Resource) -> Resource | None:
    """The option that a Coding, a code alone or another value means."""
    for option in question.get("answerOption", []):
        name, offered = valued(option)
        if offered == value or (isinstance(offered, dict) and _means(value, offered)):
            return {name: offered}
    return None


def _means(value: Any, coding: Resource) -> bool:
    if isinstance(value, dict):
        return "code" in value and (value.get("system"), value["code"]) == (coding.get("system"), coding.get("code"))
    return bool(value == coding.get("code"))


def _typed(value: Any, question: Resource) -> Resource | None:
    if question["type"] == "open-choice" and isinstance(value, str):
        return {"valueString": value}
    name, shape = _SHAPES[question["type"]]
    shaped = shape(value, question)
    return None if shaped is None else {name: shaped}


def _boolean(value: Any, _: Resource) -> Any:
    return value if isinstance(value, bool) else None


def _decimal(value: Any, question: Resource) -> Any:
    """SDC: a Quantity answers a question for a number that is asked in its unit."""
    if isinstance(value, dict) and "code" in value and value["code"] == unit_of(question).get("code"):
        value = value.get("value")
    return value if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None


def _integer(value: Any, question: Resource) -> Any:
    number = _decimal(value, question)
    return int(number) if number is not None and number == int(number) else None


def _written(pattern: re.Pattern[str]) -> Callable[[Any, Resource], Any]:
    return lambda value, _: value if isinstance(value, str) and pattern.fullmatch(value) else None


def _coding(value: Any, _: Resource) -> Any:
    return value if isinstance(value, dict) and value.keys() & {"code", "display"} and "value" not in value else None


def _reference(value: Any, _: Resource) -> Any:
    if not isinstance(value, dict):
        return None
    if "resourceType" in value:
        return {"reference": reference_to(value)}
    return value if value.keys() & {"reference", "identifier", "display"} else None


def _quantity(value: Any, question: Resource) -> Any:
    if isinstance(value, dict):
        return value if "value" in value else None
    number = _decimal(value, question)
    return None if number is None else {"value": number, **unit_of(question)}


def _attachment(value: Any, _: Resource) -> Any:
    return value if isinstance(value, dict) and value.keys() & {"contentType", "url", "data"} else None


_SOME_TEXT = re.compile(r".*\S.*", re.DOTALL)
_SHAPES: Mapping[str, tuple[str, Callable[[Any, Resource], Any]]] = {
    "boolean": ("valueBoolean", _boolean),
    "decimal": ("valueDecimal", _decimal),
    "integer": ("valueInteger", _integer),
    "date": ("valueDate", _written(_DATE)),
    "dateTime": ("valueDateTime", _written(_DATE_TIME)),
    "time": ("valueTime", _written(_TIME)),
    "string": ("valueString", _written(_SOME_TEXT)),
    "text": ("valueString", _written(_SOME_TEXT)),
    "url": ("valueUri", _written(re.compile(r"\S+"))),
    "choice": ("valueCoding", _coding),
    "open-choice": ("valueCoding", _coding),
    "attachment": ("valueAttachment", _attachment),
    "reference": ("valueReference", _reference),
    "quantity": ("valueQuantity", _quantity),
}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"An object with {', '.join(value)}"
    return f"'{value}'"

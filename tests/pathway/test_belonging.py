"""Which of two pathways a record is about that does not say so itself."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.belonging import plans_of
from pathway.codes import BUSINESS_STATUS, KEY_SYSTEM, RECOVERY_DIARY
from pathway.ports import Resource

FORM = "https://example.org/Questionnaire/form"
KNEE = {"coding": [{"system": "http://example.org", "code": "knee"}]}


def made(type: str, key: str, **elements: Any) -> Resource:
    identifier = [{"system": KEY_SYSTEM, "value": key}]
    return {"resourceType": type, "id": key.replace(":", "-"), "identifier": identifier, **elements}


def plan(name: str, definition: str = "knees", created: str = "2026-03-01T08:00:00.000Z") -> Resource:
    canonical = [f"https://example.org/PlanDefinition/{definition}|1"]
    return made("CarePlan", f"north:{name}", status="active", created=created, instantiatesCanonical=canonical)


def asks(plan: str, asked: str, changed: str, status: str = "requested", **elements: Any) -> Resource:
    times = {"authoredOn": f"2026-03-{asked}T09:00:00.000Z", "lastModified": f"2026-03-{changed}T09:00:00.000Z"}
    wanted = [{"valueCanonical": f"{FORM}|1"}]
    return made("Task", f"north:{plan}:ask", status=status, input=wanted, **times, **elements)


def answer(came: str, questionnaire: str = FORM) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "answer",
        "questionnaire": questionnaire,
        "meta": {"lastUpdated": f"2026-03-{came}T09:00:00.000Z"},
    }


def names(resource: Resource, *data: Resource, plans: tuple[Resource, ...] = ()) -> list[str]:
    return [p["id"] for p in plans_of(resource, [*data, resource], plans or (plan("first"), plan("second")))]


def test_an_answer_is_for_the_pathway_that_was_asking_when_it_came_and_stays_its_own() -> None:
    first, second = asks("first", "02", "04", "completed"), asks("second", "06", "06")
    assert names(answer("04"), first) == ["north-first"]
    assert names(answer("04"), first, second) == ["north-first"]
    assert names(answer("08"), first, second) == ["north-second"]
    assert names(answer("08"), first, asks("second", "06", "08", "completed")) == ["north-second"]


def test_a_late_answer_is_for_the_only_pathway_that_asked() -> None:
    assert names(answer("20"), asks("first", "02", "04", "completed")) == ["north-first"]
    assert names(answer("20"), asks("first", "02", "04", "completed"), asks("second", "06", "07", "completed")) == []


def test_what_two_ask_for_at_once_or_none_ever_asked_for_is_for_a_person() -> None:
    assert names(answer("08"), asks("first", "02", "02"), asks("second", "06", "06")) == []
    assert names(answer("08")) == []


def test_what_was_withdrawn_does_not_ask() -> None:
    tag = {"tag": [{"system": BUSINESS_STATUS, "code": "withdrawn", "display": "Withdrawn by the pathway"}]}
    withdrawn = asks("second", "02", "09", "cancelled", meta=tag)
    assert names(answer("08"), asks("first", "02", "04", "completed"), withdrawn) == ["north-first"]


def test_a_warning_sign_is_for_all() -> None:
    assert names(answer("08", f"{RECOVERY_DIARY}|0.1.0")) == ["north-first", "north-second"]


@pytest.mark.parametrize(
    ("second", "expected"), [("elbows", ["north-first"]), ("knees", [])], ids=["other kind", "same kind"]
)
def test_an_operation_is_for_the_only_pathway_of_a_kind_that_orders_it(second: str, expected: list[str]) -> None:
    order = made("ServiceRequest", "north:first:operate", code=KNEE, status="draft")
    done = {"resourceType": "Procedure", "id": "done", "code": KNEE, "meta": {"lastUpdated": "2026-03-08T09:00:00Z"}}
    plans = (plan("first"), plan("second", second))
    assert names(done, order, plans=plans) == expected
    assert names({**done, "code": {"text": "Something else"}}, order, plans=plans) == []
    assert names({**done, "basedOn": [{"reference": "CarePlan/north-second"}]}, order, plans=plans) == ["north-second"]

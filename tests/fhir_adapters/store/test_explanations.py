"""Explanations are kept with the plan, in SQL and in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.sql import SqlStore
from pathway.ports import Kept, Resource
from tests.fhir_adapters.store.ticking import START

Stores = SqlStore | MemoryStore
PLAN = "CarePlan/1"


def body(why: str) -> Resource:
    value = {"name": "value", "valueDecimal": Decimal("38.50")}
    return {"resourceType": "Parameters", "parameter": [{"name": "why", "valueString": why}, value]}


def explanation(version: int, why: str) -> Kept:
    return Kept(version, START, START + timedelta(days=1), "Procedure/1", body(why), "Practitioner/1")


def keep(store: Stores, *explanations: Kept, care_plan: str = PLAN) -> list[bool]:
    with store.transaction("demo") as tx:
        return [tx.explanations.keep(care_plan, each) for each in explanations]


def of(store: Stores, version: int | None = None, *, care_plan: str = PLAN, hospital: str = "demo") -> Kept | None:
    with store.transaction(hospital) as tx:
        return tx.explanations.of(care_plan, version)


def test_it_comes_back_as_it_was_kept(store: Stores) -> None:
    assert of(store) is None
    assert keep(store, explanation(3, "ä")) == [True]
    found = of(store)
    assert found == explanation(3, "ä")
    assert str(found.body["parameter"][1]["valueDecimal"]) == "38.50"


def test_only_what_says_something_new_is_kept(store: Stores) -> None:
    later = replace(explanation(2, "a"), recorded=START + timedelta(days=2), cause="due", author="")
    assert keep(store, explanation(1, "a"), later, explanation(2, "b"), explanation(2, "a")) == [
        True,
        False,
        True,
        True,
    ]
    assert of(store) == explanation(2, "a")


def test_the_newest_of_a_version_or_of_one_before(store: Stores) -> None:
    keep(store, explanation(2, "a"), explanation(2, "b"), explanation(5, "c"))
    found = {version: of(store, version) for version in (1, 2, 4, 5, 9)}
    said = {version: one and one.body["parameter"][0]["valueString"] for version, one in found.items()}
    assert said == {1: None, 2: "b", 4: "b", 5: "c", 9: "c"}


def test_plans_and_hospitals_share_nothing(store: Stores) -> None:
    store.register("other", "test", "https://other.example/fhir")
    keep(store, explanation(1, "a"))
    assert of(store, care_plan="CarePlan/2") is None
    assert of(store, hospital="other") is None


def test_it_is_undone_with_its_transaction_and_with_its_savepoint(store: Stores) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction("demo") as tx:
        tx.explanations.keep(PLAN, explanation(1, "a"))
        raise ZeroDivisionError
    with store.transaction("demo") as tx:
        tx.explanations.keep(PLAN, explanation(1, "b"))
        with pytest.raises(ZeroDivisionError), tx.savepoint():
            tx.explanations.keep(PLAN, explanation(2, "c"))
            raise ZeroDivisionError
    assert of(store) == explanation(1, "b")


def test_what_callers_hold_is_theirs(store: Stores) -> None:
    mine = explanation(1, "a")
    keep(store, mine)
    mine.body["parameter"].clear()
    for _ in range(2):
        found = of(store)
        assert found is not None
        assert len(found.body["parameter"]) == 2
        found.body["parameter"].clear()

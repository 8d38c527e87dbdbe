"""No statement of the content is lost: each is represented where the table says, or has a reason why not."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from pathway.library import DEFINITIONS
from tests.pathway.test_definitions import FILES, read, sources
from tools.content_coverage import DOCUMENT, FAMILY_TESTS, TESTS, document, exists, statements

FAMILIES = {
    **{"bg": 2, "proc": 7, "ind": 16, "dec": 19, "alt": 9, "cause": 6, "prep": 16, "risk": 9, "mit": 19, "rec": 17},
    **{"fu": 13, "flag": 15, "out": 9, "fac": 13, "add": 4, "faq": 7, "edu": 9, "svc": 4, "goal": 10, "ten": 34},
    "rule": 30,
}
PHASES = {"assessment", "decision", "preparation", "procedure", "recovery", "follow-up", "long-term", "all"}


def test_all_238_statements_and_30_rules_are_listed_once() -> None:
    ids = [statement["id"] for statement in statements()]
    assert len(ids) == len(set(ids)) == 238 + 30
    assert Counter(id.partition("-")[0] for id in ids) == FAMILIES


@pytest.mark.parametrize("statement", statements(), ids=lambda s: s["id"])
def test_a_statement_is_represented_or_says_why_not(statement: dict[str, Any]) -> None:
    assert bool(statement["represented"]) != bool(statement.get("reason"))
    assert statement["sentence"].endswith((".", "?"))
    assert set(statement["phase"]) <= PHASES
    assert statement["phase"]
    assert statement.keys() <= {"id", "phase", "sentence", "represented", "limit", "reason"}


@pytest.mark.parametrize("statement", statements(), ids=lambda s: s["id"])
def test_every_artefact_and_element_exists(statement: dict[str, Any]) -> None:
    named = [(one["artefact"], one["element"]) for one in statement["represented"]]
    assert [pair for pair in named if not exists(*pair)] == []


@pytest.mark.parametrize(
    ("artefact", "element"),
    [
        ("PlanDefinition/calcinosis-excision-pathway", "action[not-there]"),
        ("PlanDefinition/calcinosis-excision-pathway", "goal[fu-first-visit]"),
        ("PlanDefinition/not-there", "action[fu-first-visit]"),
        ("CodeSystem/risk", "concept[fu-first-visit]"),
        ("DocumentReference/faq-safe", "payload"),
        ("pathway/assessment.py", "not_there"),
        ("pathway/not_there.py", "TABLE"),
    ],
)
def test_what_is_not_there_is_noticed(artefact: str, element: str) -> None:
    assert not exists(artefact, element)


def test_what_an_artefact_calls_its_source_is_a_statement() -> None:
    known = {statement["id"] for statement in statements()}
    assert {id for path in FILES for id in sources(read(path))} - known == set()


def test_every_statement_is_named_by_an_artefact_or_by_the_code() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (*FILES, *DEFINITIONS.parent.glob("*.py")))
    assert [s["id"] for s in statements() if not re.search(rf"(?<![a-z-]){s['id']}(?![a-z0-9-])", text)] == []


def test_the_tests_of_whole_families_exist() -> None:
    for place in FAMILY_TESTS.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")


def test_the_document_is_what_the_table_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()

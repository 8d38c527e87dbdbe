"""Finding definitions by their canonical url, with and without a version."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.errors import NotFound
from pathway.library import Library, pascal

BASE = "https://calcinosis-pathway.example/fhir"


def definition(kind: str, version: str = "1") -> dict[str, Any]:
    url = f"{BASE}/{kind}/one"
    return {"resourceType": kind, "id": "one", "url": url, "version": version, "name": "One", "status": "draft"}


PLAN, ACTIVITY, FORM = (definition(kind) for kind in ("PlanDefinition", "ActivityDefinition", "Questionnaire"))
LIBRARY = Library([PLAN, ACTIVITY, FORM])


@pytest.mark.parametrize("version", ["", "|1"])
def test_finds_by_url_with_and_without_version(version: str) -> None:
    assert LIBRARY.plan(PLAN["url"] + version) is PLAN
    assert LIBRARY.activity(ACTIVITY["url"] + version) is ACTIVITY
    assert LIBRARY.questionnaire(FORM["url"] + version) is FORM
    assert LIBRARY.find_questionnaire(FORM["url"] + version) is FORM


def test_without_a_version_the_newest_is_meant() -> None:
    library = Library([definition("Questionnaire", version) for version in ("0.10.0", "0.9.0", "0.10.0-draft")])
    assert library.questionnaire(FORM["url"])["version"] == "0.10.0"
    assert library.questionnaire(f"{FORM['url']}|0.9.0")["version"] == "0.9.0"


def test_says_what_is_not_there() -> None:
    with pytest.raises(NotFound, match="There is no PlanDefinition"):
        LIBRARY.plan(ACTIVITY["url"])
    with pytest.raises(NotFound, match="There is no ActivityDefinition"):
        LIBRARY.activity(PLAN["url"])
    with pytest.raises(NotFound, match="There is no Questionnaire"):
        LIBRARY.questionnaire(f"{FORM['url']}|2")
    assert LIBRARY.find_questionnaire(f"{FORM['url']}|2") is None


def test_lists_by_type() -> None:
    assert (LIBRARY.plans(), LIBRARY.questionnaires()) == ([PLAN], [FORM])
    assert LIBRARY.resources() == [PLAN, ACTIVITY, FORM]


def test_names_that_a_plan_may_use() -> None:
    names = LIBRARY.names(PLAN | {"action": [{"id": "outer", "action": [{"id": "fu-attend-all-3d"}]}]})
    assert names == {
        *("subject", "referral", "plan", "data", "trigger", "triggers", "earlier", "operation", "visits", "surgery"),
        *("parameters", "ageInYears", "earlierVisits", "visitsAhead"),
        *("One", "Outer", "FuAttendAll3d"),
    }


@pytest.mark.parametrize(
    ("id", "name"),
    [("fu-first-visit", "FuFirstVisit"), ("fu-attend-all-3d", "FuAttendAll3d"), ("outcome", "Outcome")],
)
def test_pascal(id: str, name: str) -> None:
    assert pascal(id) == name

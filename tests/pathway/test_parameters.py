"""The site's own rules: every tension has a default, wrong values are refused, and what was used is recorded."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from pathway.apply import apply
from pathway.codes import PARAMETERS, PLAN, RISK_FACTOR
from pathway.concepts import concepts_of, value_of, values_of
from pathway.context import Context
from pathway.elements import actions_of
from pathway.errors import InvalidDefinition
from pathway.library import Library
from pathway.parameters import Value, defaults, effective, named_by
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Parameters, Site
from pathway.situation import gather
from pathway.verdicts import STATED
from tests.pathway.conftest import Clinic, site
from tests.pathway.forms import group, no, number, reassess, yes

TENSIONS = 34


def with_own(clinic: Clinic, **values: Value) -> None:
    """The clinic decides on parameters."""
    clinic.site = clinic.site.model_copy(update={"parameters": Parameters(pathway=values)})
    clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choosing)


def explained(clinic: Clinic, action: str) -> dict[str, Value]:
    with clinic.store.transaction(clinic.hospital) as tx:
        plan = tx.read("CarePlan", clinic.ours("CarePlan")[0]["id"])
        situation = gather(tx, clinic.site, plan)
        applied = apply(Context(clinic.pathway.library, situation, clinic.now()), clinic.choosing(tx))
    return next(dict(e.parameters) for e in applied.explanations if e.action == action)


def test_every_tension_has_a_parameter_with_a_typed_default(content: Library) -> None:
    sources = {value_of(concept, "source") for concept in concepts_of(content, PARAMETERS)}
    assert len([source for source in sources if source.startswith("ten-")]) == TENSIONS
    assert {type(value) for value in defaults(content).values()} == {bool, int, Decimal, str}


def properties(content: Library) -> dict[str, dict[str, list[Any]]]:
    """The properties of each parameter, by name."""
    found: dict[str, dict[str, list[Any]]] = {}
    for concept in concepts_of(content, PARAMETERS):
        names = {p["code"] for p in concept["property"]}
        found[concept["code"]] = {name: values_of(concept, name) for name in names}
    return found


def test_a_parameter_takes_effect_where_it_says_or_is_built_in(content: Library) -> None:
    plan = content.plan(PLAN)
    by_plan = {name for _, action in actions_of(plan) for name in named_by(action)}
    switches = {value_of(concept, "parameter") for concept in concepts_of(content, RISK_FACTOR)} - {None}
    places: dict[str, set[str]] = {name: set() for name in defaults(content)}
    for activity in (r for r in content.resources() if r["resourceType"] == "ActivityDefinition"):
        for name in named_by(activity):
            places[name].add(f"ActivityDefinition {activity['id']}")
    for place, names in (("PlanDefinition calcinosis-excision-pathway", by_plan), ("pathway/assessment.py", STATED),
                         ("pathway/risks.py", switches)):  # fmt: skip
        for name in names:
            places[name].add(place)
    said = properties(content)
    assert places == {name: set(said[name].get("read-by", [])) for name in said}
    assert {name for name in places if not places[name]} == {name for name in said if "built-in" in said[name]}


def test_what_is_built_in_says_why_and_is_little(content: Library) -> None:
    built_in = [c for c in concepts_of(content, PARAMETERS) if value_of(c, "built-in")]
    assert len(built_in) <= 10
    for concept in built_in:
        assert "No site may change it" in concept["definition"]
        assert values_of(concept, "allowed") == values_of(concept, "default")


def test_every_value_has_its_limits(content: Library) -> None:
    for name, said in properties(content).items():
        limited = "allowed" in said or {"min", "max"} <= said.keys()
        assert limited or type(said["default"][0]) is bool, name
        assert said["default"][0] in said.get("allowed", said["default"])
    assert effective(content, defaults(content)) == defaults(content)


def test_without_parameters_in_the_library_there_are_none() -> None:
    assert defaults(Library([])) == {}
    assert effective(Library([]), {}) == {}


def test_a_site_overrides_only_what_it_names(content: Library) -> None:
    own = effective(content, {"feverC": Decimal("38.5"), "clearance": "always"})
    assert (own["feverC"], own["clearance"]) == (Decimal("38.5"), "always")
    assert own["painRisePoints"] == defaults(content)["painRisePoints"] == 2
    assert defaults(content)["feverC"] == Decimal("38.0")


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"feverF": 100}, "There is no pathway parameter 'feverF'; there are anatomyOnBothSides, "),
        ({"feverC": "38.5"}, "The pathway parameter 'feverC' takes a number, not '38.5'."),
        ({"feverC": True}, "The pathway parameter 'feverC' takes a number, not True."),
        ({"painRisePoints": True}, "The pathway parameter 'painRisePoints' takes a whole number, not True."),
        ({"painRisePoints": Decimal("1.5")}, "The pathway parameter 'painRisePoints' takes a whole number"),
        ({"emergencyTier": 1}, "The pathway parameter 'emergencyTier' takes true or false, not 1."),
        ({"clearance": False}, "The pathway parameter 'clearance' takes text, not False."),
        ({"individualisedRisk": True}, "'individualisedRisk' states a built-in decision; no site can change it."),
        ({"scoring": "sum"}, "'scoring' states a built-in decision; no site can change it. Whether the sixteen"),
        ({"clearance": "sometimes"}, "'clearance' takes 'conditional' or 'always' or 'never', not 'sometimes'."),
        ({"deskWorkLastDay": -1}, "'deskWorkLastDay' takes a whole number from 0 to 365, not -1."),
        ({"feverC": 100}, "'feverC' takes a number from 36 to 42, not 100."),
        ({"fastingSiteInstruction": "  "}, "'fastingSiteInstruction' takes text from 1 to 1000 characters, not '  '."),
        (
            {"firstVisitFirstDay": 15},
            "'firstVisitFirstDay' is 15: it cannot come after 'firstVisitLastDay', which is 14.",
        ),
        ({"lightActivityLastDay": 1}, "'lightActivityFirstDay' is 2: it cannot come after 'lightActivityLastDay'"),
    ],
)
def test_refuses(content: Library, overrides: dict[str, Value], sentence: str) -> None:
    with pytest.raises(InvalidDefinition, match=re.escape(sentence)):
        effective(content, overrides)


def test_a_number_may_be_given_whole(content: Library) -> None:
    assert effective(content, {"feverC": 39})["feverC"] == 39


def test_a_sites_values_survive_as_json_with_their_types() -> None:
    own: dict[str, Value] = {
        "feverC": Decimal("38.2"),
        "emergencyTier": True,
        "painRisePoints": 3,
        "clearance": "never",
    }
    chosen = site("north").model_copy(update={"parameters": Parameters(pathway=own)})
    again = Site.model_validate(chosen.model_dump(mode="json")).parameters.pathway
    assert again == own
    assert {name: type(value) for name, value in again.items()} == {name: type(value) for name, value in own.items()}


@pytest.mark.parametrize(("threshold", "flagged"), [("38.6", True), ("38.7", False)])
def test_the_threshold_of_fever_is_the_sites(clinic: Clinic, threshold: str, flagged: bool) -> None:
    with_own(clinic, feverC=Decimal(threshold))
    clinic.operated()
    clinic.diary(number("temperature", 38.6))
    assert bool(clinic.ours("Flag", "flag-fever")) is flagged
    assert explained(clinic, "flag-fever") == {"feverC": Decimal(threshold), "flagLimitMinutes": 60}


def test_an_explanation_without_parameters_has_none(clinic: Clinic) -> None:
    clinic.enrolled()
    assert explained(clinic, "calcinosis-surgery-indications") == {}


def test_the_emergency_tier_switched_off_is_seen_in_the_explanation(clinic: Clinic) -> None:
    with_own(clinic, emergencyTier=False)
    clinic.operated()
    clinic.diary(yes("flag-breathing-difficulty"))
    assert clinic.one("Task", "flag-breathing-difficulty")["priority"] == "urgent"
    assert explained(clinic, "flag-breathing-difficulty") == {"emergencyTier": False, "emergencyLimitMinutes": 15}


@pytest.mark.parametrize(
    ("born", "below", "answered", "minor"),
    [
        ("2008-03-03", 18, [], "requested"),
        ("2008-03-02", 18, [], None),
        ("2008-03-02", 21, [], "requested"),
        ("2008-03-03", 16, [], None),
        ("2008-03-03", 18, [no("minor")], "requested"),
        ("1970-01-01", 18, [yes("minor")], "requested"),
        ("2008", 18, [], None),
        ("2008", 18, [yes("minor")], "requested"),
        ("2008", 18, [no("minor")], None),
        ("2009", 18, [], "requested"),
        ("2007", 18, [], None),
    ],
)
def test_who_is_a_minor_by_the_date_of_birth_or_as_answered(
    clinic: Clinic, born: str, below: int, answered: list[Resource], minor: str | None
) -> None:
    with_own(clinic, minorBelowYears=below)
    clinic.arrive(birthDate=born)
    clinic.refer()
    reassess(clinic, group("factors", *answered))
    assert [task["status"] for task in clinic.ours("Task", "rule-minor")] == ([minor] if minor else [])
    assert explained(clinic, "rule-minor")["minorBelowYears"] == below


def test_a_minor_comes_of_age(clinic: Clinic) -> None:
    clinic.arrive(birthDate="2008-03-10")
    clinic.refer()
    clinic.indicate()
    assert clinic.one("Task", "rule-minor")["status"] == "requested"
    clinic.at("2026-03-10T00:30")
    clinic.react_again("Patient", "p1")
    assert clinic.one("Task", "rule-minor")["status"] == "cancelled"


def test_a_minor_without_confirmation_by_hand_only_where_the_site_says_so(clinic: Clinic) -> None:
    clinic.enrolled()
    reassess(clinic, group("factors", yes("minor")))
    assert clinic.one("Task", "rule-minor")["status"] == "requested"
    with_own(clinic, minorsNeedManualConfirm=False)
    clinic.react_again("QuestionnaireResponse", "indications-2")
    assert clinic.one("Task", "rule-minor")["status"] == "cancelled"
    assert reference_to(clinic.one("Task", "rule-minor")).startswith("Task/")

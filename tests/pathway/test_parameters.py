"""The site's own rules: every tension has a default, wrong values are refused, and what was used is recorded."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from pathway.apply import apply
from pathway.codes import PARAMETERS, PLAN
from pathway.context import Context
from pathway.elements import actions_of, parameters_named
from pathway.errors import InvalidDefinition
from pathway.library import Library
from pathway.parameters import Value, defaults, effective
from pathway.references import reference_to
from pathway.site import Parameters, Site
from pathway.situation import gather
from tests.pathway.conftest import Clinic, site
from tests.pathway.forms import group, number, reassess, yes

TENSIONS = 34


def with_own(clinic: Clinic, **values: Value) -> None:
    """The clinic decides on parameters."""
    clinic.site = clinic.site.model_copy(update={"parameters": Parameters(pathway=values)})
    clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choose)


def explained(clinic: Clinic, action: str) -> dict[str, Value]:
    with clinic.store.transaction(clinic.hospital) as tx:
        plan = tx.read("CarePlan", clinic.ours("CarePlan")[0]["id"])
        situation = gather(tx, clinic.site, plan)
    applied = apply(Context(clinic.pathway.library, situation, clinic.now()), clinic.choose)
    return next(dict(e.parameters) for e in applied.explanations if e.action == action)


def test_every_tension_has_a_parameter_with_a_typed_default(content: Library) -> None:
    system = content.find_code_system(PARAMETERS)
    assert system is not None
    properties = [{p["code"]: p for p in concept["property"]} for concept in system["concept"]]
    sources = {each["source"]["valueCode"] for each in properties}
    assert len([source for source in sources if source.startswith("ten-")]) == TENSIONS
    assert {type(value) for value in defaults(content).values()} == {bool, int, Decimal, str}


def test_a_parameter_is_read_by_the_plan_or_says_that_it_is_built_in(content: Library) -> None:
    plan = content.plan(PLAN)
    parts = [p["expression"] for _, a in actions_of(plan) for n in ("condition", "dynamicValue") for p in a.get(n, [])]
    system = content.find_code_system(PARAMETERS)
    assert system is not None
    built_in = {c["code"] for c in system["concept"] if any(p["code"] == "built-in" for p in c["property"])}
    used = {name for part in parts for name in parameters_named(part["expression"])}
    assert used == defaults(content).keys() - built_in


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
        ({"scoring": "sum"}, "'scoring' states a built-in decision; no site can change it."),
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
    assert explained(clinic, "flag-fever") == {"feverC": Decimal(threshold)}


def test_an_explanation_without_parameters_has_none(clinic: Clinic) -> None:
    clinic.enrolled()
    assert explained(clinic, "calcinosis-surgery-indications") == {}


def test_the_emergency_tier_switched_off_is_seen_in_the_explanation(clinic: Clinic) -> None:
    with_own(clinic, emergencyTier=False)
    clinic.operated()
    clinic.diary(yes("flag-breathing-difficulty"))
    assert clinic.one("Task", "flag-breathing-difficulty")["priority"] == "urgent"
    assert explained(clinic, "flag-breathing-difficulty") == {"emergencyTier": False}


def test_a_minor_without_confirmation_by_hand_only_where_the_site_says_so(clinic: Clinic) -> None:
    clinic.enrolled()
    reassess(clinic, group("factors", yes("minor")))
    assert clinic.one("Task", "rule-minor")["status"] == "requested"
    with_own(clinic, minorsNeedManualConfirm=False)
    clinic.react_again("QuestionnaireResponse", "indications-2")
    assert clinic.one("Task", "rule-minor")["status"] == "cancelled"
    assert reference_to(clinic.one("Task", "rule-minor")).startswith("Task/")

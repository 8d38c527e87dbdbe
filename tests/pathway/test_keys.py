"""Keys: the same thing gets the same key and id for ever, two things never share one."""

from __future__ import annotations

from uuid import UUID

from pathway.codes import KEY_SYSTEM, PLAN
from pathway.keys import action_key, again, care_plan_key, id_of, is_again, key_of
from pathway.ports import Key

NORTH = care_plan_key("north", "r1", PLAN)


def test_a_care_plan_is_hospital_referral_and_plan() -> None:
    assert Key(KEY_SYSTEM, "north:r1:calcinosis-excision-pathway") == NORTH


def test_an_action_adds_what_it_belongs_to() -> None:
    assert action_key(NORTH, "fu-first-visit", "d1", "2026-03-23").value == (
        "north:r1:calcinosis-excision-pathway:fu-first-visit:d1:2026-03-23"
    )
    assert action_key(NORTH, "cause-address", "", "").value == "north:r1:calcinosis-excision-pathway:cause-address"


def test_what_is_asked_for_once_more_says_so() -> None:
    first = Key(KEY_SYSTEM, "north:plan:visit")
    assert again(first, 2) == Key(KEY_SYSTEM, f"{first.value}:again-2")
    assert is_again(again(first, 2))
    assert not is_again(Key(KEY_SYSTEM, "north:plan:again-2:visit"))


def test_a_part_cannot_reach_into_the_next() -> None:
    assert action_key(NORTH, "a", "b:c") != action_key(NORTH, "a", "b", "c")


def test_an_id_is_a_uuid_that_never_changes() -> None:
    assert UUID(id_of("CarePlan", NORTH)).version == 5
    assert id_of("CarePlan", NORTH) == id_of("CarePlan", care_plan_key("north", "r1", PLAN))


def test_hospital_type_and_referral_all_make_another_id() -> None:
    ids = {
        id_of("CarePlan", NORTH),
        id_of("Task", NORTH),
        id_of("CarePlan", care_plan_key("south", "r1", PLAN)),
        id_of("CarePlan", care_plan_key("north", "r2", PLAN)),
    }
    assert len(ids) == 4


def test_the_key_of_a_resource_is_found_among_its_identifiers() -> None:
    theirs = {"system": "urn:hospital", "value": "7"}
    assert key_of({"identifier": [theirs, NORTH.identifier()]}) == NORTH
    assert key_of({"identifier": NORTH.identifier()}) == NORTH


def test_a_resource_of_somebody_else_has_none() -> None:
    assert key_of({"identifier": [{"system": "urn:hospital", "value": "7"}]}) is None
    assert key_of({"identifier": [{"value": "7"}]}) is None
    assert key_of({}) is None

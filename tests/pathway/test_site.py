"""A hospital's decisions: wrong ones are refused by name."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from pydantic import ValidationError

from pathway.library import Library
from pathway.site import Code, Site, coding_of, has_code
from tests.pathway.conftest import site

CODES = (Code(system="s", code="1"),)


def wrong(**elements: Any) -> dict[str, Any]:
    return {**site("north").model_dump(mode="json"), **elements}


@pytest.mark.parametrize(
    ("elements", "where"),
    [
        ({"hospital": "North Hospital"}, "hospital"),
        ({"hospital": "a:b"}, "hospital"),
        ({"kind": "production"}, "kind"),
        ({"zone": "Europe/Atlantis"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"roles": {"surgeon": {"reference": "Patient/p1"}}}, "roles.surgeon.reference"),
        ({"roles": {"surgeon": {"reference": "PractitionerRole/"}}}, "roles.surgeon.reference"),
        ({"calendar": {"weekdays": [7]}}, "calendar.weekdays.0"),
        ({"calendar": {"capacity": 0}}, "calendar.capacity"),
        ({"parameters": {"target_day": -1}}, "parameters.target_day"),
        ({"parameters": {"target": 10}}, "parameters.target"),
        ({"referral_codes": [{"code": "1"}]}, "referral_codes.0.system"),
        ({"care_team_roles": {"surgeon": [{"code": "1"}]}}, "care_team_roles.surgeon.0.system"),
        ({"care_team_roles": {"surgoen": [{"system": "s", "code": "1"}]}}, "care_team_roles"),
    ],
)
def test_refuses(elements: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Site.model_validate(wrong(**elements))
    assert where in {".".join(map(str, error["loc"])) for error in refused.value.errors()}


def test_an_unknown_zone_is_explained() -> None:
    with pytest.raises(ValidationError, match="'Mars' is not an IANA time zone such as Europe/Berlin"):
        Site.model_validate(wrong(zone="Mars"))


def test_what_is_stored_as_json_reads_back_the_same() -> None:
    assert Site.model_validate(site("north").model_dump(mode="json")) == site("north")


def test_a_site_that_says_nothing_gets_the_defaults() -> None:
    assert site("north").parameters.target_day == 10
    assert site("north").parameters.surgery_match_days == 14
    assert site("north").parameters.reminder_time == time(9, 0)


def test_the_roles_that_nobody_has_are_named(content: Library) -> None:
    assert site("north").missing_roles(content.roles()) == []
    alone = site("north").model_copy(update={"roles": {"surgeon": site("north").roles["surgeon"]}})
    assert alone.missing_roles(content.roles()) == ["anesthesia", "coordinator", "primary-care"]


def test_a_code_counts_with_its_system() -> None:
    assert has_code({"coding": [{"system": "x", "code": "9"}, {"system": "s", "code": "1"}]}, CODES)
    assert not has_code({"coding": [{"system": "x", "code": "1"}]}, CODES)
    assert not has_code({"coding": [{"code": "1"}]}, CODES)
    assert not has_code({"text": "1"}, CODES)
    assert not has_code(None, CODES)


def test_the_code_in_one_system() -> None:
    concept = {"coding": [{"system": "x", "code": "9"}, {"system": "s", "code": "1"}]}
    assert coding_of(concept, "s") == "1"
    assert coding_of(concept, "t") is None
    assert coding_of(None, "s") is None

"""`CarePlan/[id]/$explain`: every action, in the plan or not, with the sentence that says why."""

from __future__ import annotations

import pytest

from fhir_adapters.r4.admission import check
from pathway.errors import NotFound
from pathway.ports import Resource
from pathway.references import reference_to
from tests.pathway.conftest import Clinic


def explained(clinic: Clinic) -> dict[str, dict[str, object]]:
    """What is said of each action, by its id."""
    plan = reference_to(clinic.one("CarePlan", "calcinosis-excision-pathway"))
    with clinic.store.transaction(clinic.hospital) as tx:
        answer = clinic.pathway.explain(tx, plan, clinic.now())
    assert check(answer) == []
    assert answer["parameter"][0]["valueReference"] == {"reference": plan}
    said = [
        {part["name"]: value_of(part) for part in action["part"] if "part" not in part and part["name"] != "source"}
        for action in answer["parameter"][1:]
    ]
    return {str(action["id"]): action for action in said}


def value_of(part: Resource) -> object:
    return next(value for name, value in part.items() if name.startswith("value"))


def test_what_is_missing_is_told_apart_from_what_is_not_so(clinic: Clinic) -> None:
    clinic.enrolled()
    said = explained(clinic)
    assert said["calcinosis-surgery-indications"]["included"] is True
    assert said["decision"] == {
        "id": "decision",
        "title": "Decision",
        "included": False,
        "why": "not so: the indications are answered",
    }
    clinic.indicate()
    assert explained(clinic)["choice-conservative"]["why"] == "unknown: decision = conservative"
    clinic.decide("surgery")
    assert explained(clinic)["choice-conservative"]["why"] == "not so: decision = conservative"


def test_what_waits_says_until_when(clinic: Clinic) -> None:
    clinic.booked()
    assert explained(clinic)["rule-surgery-unknown"]["why"] == "will be looked at on 2026-03-16T23:00:00+00:00"


def test_explaining_writes_nothing(clinic: Clinic) -> None:
    clinic.operated()
    before = clinic.versions()
    explained(clinic)
    assert clinic.versions() == before


def test_a_plan_of_somebody_else_is_not_explained(clinic: Clinic) -> None:
    clinic.enrolled()
    theirs = {"resourceType": "CarePlan", "id": "theirs", "status": "active", "intent": "plan"}
    clinic.put({**theirs, "subject": {"reference": "Patient/p1"}})
    with pytest.raises(NotFound), clinic.store.transaction(clinic.hospital) as tx:
        clinic.pathway.explain(tx, "CarePlan/theirs", clinic.now())

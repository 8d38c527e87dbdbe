"""create, update, conditional writes, delete, Prefer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pathway.codes import KEY_SYSTEM
from pathway.errors import Refused
from pathway.ports import Create, Resource, Transaction
from tests.fhir_adapters.server.conftest import Base, patient

MRN = "identifier=http://hospital.example/mrn|"


def test_create_gives_an_id_of_ours_and_says_where(base: Base) -> None:
    answer = base.post("/Patient", patient("1", id="mine"))
    id = answer.json()["id"]
    assert answer.status_code == 201
    assert id != "mine"
    assert answer.headers["location"] == f"{base.url}/Patient/{id}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert base.reacted == ["Patient/1"]


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "CareTeam", "status": "active", "participant": [{"member": {"reference": "Practitioner/1"}}]},
        {"resourceType": "Goal", "lifecycleStatus": "accepted", "description": {"text": "Less pain"}},
        {"resourceType": "RiskAssessment", "status": "final"},
    ],
)
def test_care_teams_goals_and_risks_are_taken(base: Base, resource: Resource) -> None:
    type = resource["resourceType"]
    answer = base.put(f"/{type}/x1", {**resource, "id": "x1", "subject": {"reference": "Patient/p1"}})
    assert (answer.status_code, base.reacted) == (201, [f"{type}/1"])
    assert base.get(f"/{type}?patient=p1").json()["total"] == 1


def test_update_makes_a_version_and_nothing_when_nothing_changes(base: Base) -> None:
    created = base.put("/Patient/p1", patient("1", id="p1"))
    changed = base.put("/Patient/p1", patient("1", id="p1", active=True))
    same = base.put("/Patient/p1", patient("1", id="p1", active=True))
    assert [each.status_code for each in (created, changed, same)] == [201, 200, 200]
    assert [each.headers["etag"] for each in (created, changed, same)] == ['W/"1"', 'W/"2"', 'W/"2"']
    assert base.reacted == ["Patient/1", "Patient/2"]


@pytest.mark.parametrize("body", [patient("1"), patient("1", id="p2")])
def test_the_id_of_the_body_is_the_one_of_the_address(base: Base, body: Resource) -> None:
    assert base.put("/Patient/p1", body).status_code == 400


def test_an_id_is_a_fhir_id(base: Base) -> None:
    assert base.put("/Patient/a_b", patient(id="a_b")).status_code == 400


def test_if_match(base: Base) -> None:
    base.put("/Patient/p1", patient("1", id="p1"))
    changed = patient("1", id="p1", active=True)
    assert base.put("/Patient/p1", changed, If_Match='W/"2"').status_code == 412
    assert base.put("/Patient/p1", changed, If_Match="1").status_code == 400
    assert base.put("/Patient/p1", changed, If_Match='W/"1"').status_code == 200
    assert base.put("/Patient/new", patient(id="new"), If_Match='W/"1"').status_code == 412
    assert base.delete("/Patient/p1", If_Match='W/"1"').status_code == 412
    assert base.delete("/Patient/p1", If_Match='W/"2"').status_code == 204


def test_if_none_match_star_never_overwrites(base: Base) -> None:
    assert base.put("/Patient/p1", patient("1", id="p1"), If_None_Match="*").status_code == 201
    assert base.put("/Patient/p1", patient("2", id="p1"), If_None_Match="*").status_code == 412
    assert base.put("/Patient/p1", patient("2", id="p1"), If_None_Match='W/"1"').status_code == 400
    assert base.get("/Patient/p1").headers["etag"] == 'W/"1"'


def test_delete_can_be_repeated_and_undone_by_an_update(base: Base) -> None:
    base.put("/Patient/p1", patient("1", id="p1"))
    assert [base.delete("/Patient/p1").status_code for _ in range(2)] == [204, 204]
    assert base.delete("/Patient/never").status_code == 204
    back = base.put("/Patient/p1", patient("1", id="p1"))
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')
    assert base.reacted == ["Patient/1", "Patient/3"]


@pytest.mark.parametrize(
    "condition", [f"{MRN}1", f"Patient?{MRN}1", "identifier=http%3A%2F%2Fhospital.example%2Fmrn%7C1"]
)
def test_if_none_exist_creates_once(base: Base, condition: str) -> None:
    first = base.post("/Patient", patient("1"), If_None_Exist=condition)
    second = base.post("/Patient", patient("1", active=True), If_None_Exist=condition)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert base.reacted == ["Patient/1"]


def test_if_none_exist_with_other_criteria(base: Base) -> None:
    first = base.post("/Patient", patient("1", gender="female"), If_None_Exist="gender=female")
    second = base.post("/Patient", patient("2", gender="female"), If_None_Exist="gender=female")
    assert (first.status_code, second.status_code) == (201, 200)


def test_an_ambiguous_condition_is_refused(base: Base) -> None:
    for _ in range(2):
        base.post("/Patient", patient("1"))
    answer = base.post("/Patient", patient("1"), If_None_Exist=f"{MRN}1")
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (412, "multiple-matches")
    assert base.put(f"/Patient?{MRN}1", patient("1")).status_code == 412
    assert base.total("Patient") == 2


@pytest.mark.parametrize("condition", ["", "nonsense=1", "_count=1", "identifier", "birthdate=soon"])
def test_a_condition_that_could_pick_anything_is_refused(base: Base, condition: str) -> None:
    assert base.post("/Patient", patient("1"), If_None_Exist=condition).status_code == 400
    assert base.put(f"/Patient?{condition}", patient("1")).status_code == 400
    assert base.total("Patient") == 0


@pytest.mark.parametrize("system", ["http://hospital.example/mrn", KEY_SYSTEM])
def test_twenty_at_once_create_one(base: Base, system: str) -> None:
    body = patient() | {"identifier": [{"system": system, "value": "twenty"}]}

    def create(_: int) -> int:
        return base.post("/Patient", body, If_None_Exist=f"identifier={system}|twenty").status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(create, range(20)))
    assert statuses == [200] * 19 + [201]
    assert base.total("Patient") == 1


def test_conditional_update(base: Base) -> None:
    none = base.put(f"/Patient?{MRN}1", patient("1"))
    one = base.put(f"/Patient?{MRN}1", patient("1", active=True))
    assert (none.status_code, one.status_code) == (201, 200)
    assert one.json()["id"] == none.json()["id"]
    assert base.put(f"/Patient?{MRN}1", patient("1", id="other")).status_code == 400
    assert base.put(f"/Patient?{MRN}1", patient("1"), If_Match='W/"1"').status_code == 412
    assert base.put(f"/Patient?{MRN}2", patient("2", id="chosen")).json()["id"] == "chosen"
    assert base.put(f"/Patient?{MRN}3", patient("3", id="chosen")).status_code == 409
    assert base.put("/Patient", patient("1")).status_code == 400


def test_a_key_of_ours_belongs_to_one_resource(base: Base) -> None:
    keyed = {"identifier": [{"system": KEY_SYSTEM, "value": "k"}]}
    assert base.put("/Task/a", _task(id="a") | keyed).status_code == 201
    assert base.put("/Task/b", _task(id="b") | keyed).status_code == 409


def test_prefer_return(base: Base) -> None:
    minimal = base.post("/Patient", patient("1"), Prefer="return=minimal")
    assert (minimal.status_code, minimal.content, minimal.headers["etag"]) == (201, b"", 'W/"1"')
    outcome = base.post("/Patient", patient("1"), Prefer="handling=strict; return=OperationOutcome")
    assert (outcome.status_code, outcome.json()["resourceType"]) == (201, "OperationOutcome")
    for prefer in ("return=representation", "return=everything", ""):
        assert base.post("/Patient", patient("1"), Prefer=prefer).json()["resourceType"] == "Patient"


def test_what_the_reaction_writes_is_stored_with_the_write(base: Base) -> None:
    def react(tx: Transaction, _: Resource) -> None:
        tx.transact([Create(_task())])

    base.reaction = react
    base.post("/Patient", patient("1"))
    assert base.total("Task") == 1


def test_a_reaction_that_refuses_undoes_the_write(base: Base) -> None:
    def react(tx: Transaction, _: Resource) -> None:
        tx.transact([Create(_task())])
        raise Refused("Not today")

    base.reaction = react
    assert base.post("/Patient", patient("1")).status_code == 422
    assert (base.total("Patient"), base.total("Task")) == (0, 0)


def _task(**members: str) -> Resource:
    return {"resourceType": "Task", "status": "requested", "intent": "order", **members}

"""Operations that a door offers besides FHIR's own, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapters.r4 import admission
from fhir_adapters.server.operation import Asked, Operation, Parameter
from pathway.errors import Refused
from pathway.ports import Create, Resource, Transaction, Update
from tests.fhir_adapters.server.conftest import Base, Opener

CANONICAL = "https://service.example/OperationDefinition"
BERG: Resource = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Berg"}]}
FAMILY = {"resourceType": "Parameters", "parameter": [{"name": "family", "valueString": "Tal"}]}


def greet(tx: Transaction, asked: Asked) -> Resource:
    patient = asked.resource("patient") or tx.read("Patient", asked.instance)
    word = "Dear" if asked.one("formal", bool) else "Hello"
    text = f"{word} {patient['name'][0]['family']}"
    return {"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": text}]}


def rename(tx: Transaction, asked: Asked) -> Resource:
    family = asked.required("family", str)
    if family == "Berg":
        raise Refused("This is the name already")
    [written] = tx.transact([Update(tx.read("Patient", asked.instance) | {"name": [{"family": family}]})])
    return written.resource


def admit(tx: Transaction, asked: Asked) -> Resource:
    [written] = tx.transact([Create(asked.required("patient", dict))])
    return written.resource


def status(_tx: Transaction, _asked: Asked) -> Resource:
    return {"resourceType": "Parameters", "parameter": [{"name": "of", "valueString": "Task"}]}


OPERATIONS = (
    Operation(
        "greet",
        "Patient",
        f"{CANONICAL}/greet",
        greet,
        affects_state=False,
        parameters=(Parameter("patient", "Patient"), Parameter("formal", "boolean")),
    ),
    Operation(
        "rename",
        "Patient",
        f"{CANONICAL}/rename",
        rename,
        frozenset({"instance"}),
        affects_state=True,
        parameters=(Parameter("family", "string", min=1),),
    ),
    Operation(
        "admit",
        "Patient",
        f"{CANONICAL}/admit",
        admit,
        frozenset({"type"}),
        affects_state=True,
        parameters=(Parameter("patient", "Patient", min=1),),
    ),
    Operation(
        "secretly-admit",
        "Patient",
        f"{CANONICAL}/secretly-admit",
        admit,
        affects_state=False,
        parameters=(Parameter("patient", "Patient", min=1),),
    ),
    Operation("greet", "Task", f"{CANONICAL}/greet-task", status, affects_state=False),
)


@pytest.fixture
def base(open_base: Opener) -> Base:
    opened = open_base(operations=OPERATIONS)
    opened.put("/Patient/p1", BERG)
    return opened


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["parameter"][0]["valueString"]
    return said


def refused(answer: Any, status: int, code: str) -> str:
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (status, code)
    assert admission.check(answer.json(), "OperationOutcome") == []
    said: str = answer.json()["issue"][0]["diagnostics"]
    return said


def test_on_an_instance_and_on_the_type_by_get_and_by_post(base: Base) -> None:
    formal = {"resourceType": "Parameters", "parameter": [{"name": "formal", "valueBoolean": True}]}
    assert text(base.get("/Patient/p1/$greet")) == "Hello Berg"
    assert text(base.get("/Patient/p1/$greet?formal=true&_format=json")) == "Dear Berg"
    assert text(base.post("/Patient/p1/$greet", formal)) == "Dear Berg"
    assert text(base.http.post(f"{base.url}/Patient/p1/$greet")) == "Hello Berg"
    assert text(base.post("/Patient/$greet", BERG)) == "Hello Berg"
    assert text(base.post("/Patient/$greet?formal=true", BERG)) == "Dear Berg"


def test_types_may_have_operations_of_one_name(base: Base) -> None:
    assert text(base.get("/Task/$greet")) == "Task"
    assert text(base.get("/Patient/p1/$greet")) == "Hello Berg"


def test_head_is_a_get_without_its_body(base: Base) -> None:
    answer = base.http.head(f"{base.url}/Patient/p1/$greet")
    assert (answer.status_code, answer.content) == (200, b"")
    assert base.http.head(f"{base.url}/Patient/p1/$rename").status_code == 405


def test_one_that_affects_state_writes_and_is_posted(base: Base) -> None:
    answer = base.post("/Patient/p1/$rename", FAMILY)
    assert answer.json()["name"] == base.get("/Patient/p1").json()["name"] == [{"family": "Tal"}]
    assert base.post("/Patient/$admit", {"resourceType": "Patient"}).status_code == 200
    assert base.total("Patient") == 2


@pytest.mark.parametrize("place", ["/Patient/p1/$rename?family=Tal", "/Patient/$admit"])
def test_one_that_affects_state_is_not_for_get(base: Base, place: str) -> None:
    answer = base.get(place)
    refused(answer, 405, "not-supported")
    assert answer.headers["allow"] == "POST"
    assert base.get("/Patient/p1").json()["name"] == BERG["name"]


def test_one_that_does_not_affect_state_cannot_write(base: Base) -> None:
    refused(base.post("/Patient/$secretly-admit", {"resourceType": "Patient"}), 500, "exception")
    assert base.total("Patient") == 1
    assert base.post("/Patient/$admit", {"resourceType": "Patient"}).status_code == 200


@pytest.mark.parametrize(
    ("returned", "type"), [("representation", "Patient"), ("OperationOutcome", "OperationOutcome")]
)
def test_what_is_preferred_is_returned_of_a_change(base: Base, returned: str, type: str) -> None:
    answer = base.post("/Patient/p1/$rename", FAMILY, Prefer=f"return={returned}")
    assert (answer.status_code, answer.json()["resourceType"]) == (200, type)


def test_a_change_may_be_asked_for_without_its_result(base: Base) -> None:
    answer = base.post("/Patient/p1/$rename", FAMILY, Prefer="return=minimal")
    assert (answer.status_code, answer.content) == (200, b"")
    assert base.get("/Patient/p1").json()["name"] == [{"family": "Tal"}]
    assert text(base.get("/Patient/p1/$greet", Prefer="return=minimal")) == "Hello Tal"


def test_what_is_asked_wrongly_is_400_and_changes_nothing(base: Base) -> None:
    assert "'family'; expected: patient, formal" in refused(
        base.get("/Patient/p1/$greet?family=x"), 400, "not-supported"
    )
    assert "family" in refused(base.post("/Patient/p1/$rename", {"resourceType": "Parameters"}), 400, "required")
    assert "family" in refused(base.post("/Patient/p1/$rename", b""), 400, "required")
    refused(base.post("/Patient/p1/$rename", b"{"), 400, "structure")
    refused(base.post("/Patient/p1/$rename", BERG), 400, "invalid")
    assert base.get("/Patient/p1").json()["meta"]["versionId"] == "1"


def test_what_the_operation_raises_is_an_outcome_and_undone(base: Base) -> None:
    refused(base.get("/Patient/p2/$greet"), 404, "not-found")
    same = {"resourceType": "Parameters", "parameter": [{"name": "family", "valueString": "Berg"}]}
    assert refused(base.post("/Patient/p1/$rename", same), 422, "business-rule") == "This is the name already"


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("GET", "/Patient/$nothing"),
        ("POST", "/Patient/$nothing"),
        ("POST", "/Patient/p1/$admit"),
        ("GET", "/Task/t/$rename"),
        ("PUT", "/Patient/$x"),
    ],
)
def test_where_there_is_no_such_operation(base: Base, method: str, place: str) -> None:
    answer = base.http.request(method, base.url + place)
    assert "There is no operation $" in refused(answer, 404, "not-found")


def test_addresses_are_checked(base: Base) -> None:
    refused(base.get("/Patient/a_b/$greet"), 404, "not-found")
    refused(base.get("/Patient/p1/$greet?_format=xml"), 406, "not-supported")
    answer = base.post("/Patient/p1/$rename", b"<Parameters/>", Content_Type="application/fhir+xml")
    refused(answer, 415, "not-supported")


def test_a_closed_base_asks_for_its_token(open_base: Opener) -> None:
    closed = open_base(token="s3cret", operations=OPERATIONS)
    refused(closed.get("/Patient/p1/$greet"), 401, "login")
    assert text(closed.post("/Patient/$greet", BERG, Authorization="Bearer s3cret")) == "Hello Berg"


@pytest.mark.parametrize("type", ["batch", "transaction"])
@pytest.mark.parametrize("url", ["Patient/p1/$rename", "Patient/$admit", "$process"])
def test_a_bundle_calls_no_operation(base: Base, type: str, url: str) -> None:
    entry = {"request": {"method": "POST", "url": url}, "resource": FAMILY}
    answer = base.post("", {"resourceType": "Bundle", "type": type, "entry": [entry]})
    body = answer.json()
    outcome = body if type == "transaction" else body["entry"][0]["response"]["outcome"]
    assert answer.status_code == (405 if type == "transaction" else 200)
    said = outcome["issue"][0]["diagnostics"]
    assert f"cannot call {url.rpartition('/')[2]}: " in said
    assert "read, vread, history, search, create, update or delete" in said
    assert base.total("Patient") == 1


def test_the_statement_names_them_for_their_type_only(base: Base) -> None:
    answer = base.get("/metadata")
    assert admission.check(admission.parse(answer.content), "CapabilityStatement") == []
    offered = {
        resource["type"]: {each["name"]: each["definition"] for each in resource["operation"]}
        for resource in answer.json()["rest"][0]["resource"]
    }
    own = ("greet", "rename", "admit", "secretly-admit")
    assert offered["Patient"].items() >= {name: f"{CANONICAL}/{name}" for name in own}.items()
    assert offered["Task"]["greet"] == f"{CANONICAL}/greet-task"
    assert offered["Goal"].keys() == {"validate"}

"""transaction and batch."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapters.r4 import admission
from pathway.ports import Create, Resource, Transaction
from tests.fhir_adapters.server.conftest import FORBIDDEN_NOTE, Base, patient

PATIENT_URN = "urn:uuid:11111111-1111-4111-8111-111111111111"
TASK_URN = "urn:uuid:22222222-2222-4222-8222-222222222222"
MRN = "http://hospital.example/mrn"
_TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}


def entry(method: str, url: str, resource: Resource | None = None, full_url: str = "", **request: str) -> Resource:
    made: Resource = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    return made | ({"fullUrl": full_url} if full_url else {})


def bundle(type: str, *entries: Resource) -> Resource:
    return {"resourceType": "Bundle", "type": type, **({"entry": list(entries)} if entries else {})}


def _statuses(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    assert admission.check(admission.parse(answer.content), "Bundle") == []
    return [int(each["response"]["status"][:3]) for each in answer.json()["entry"]]


def test_a_transaction_runs_in_the_order_of_fhir_and_answers_in_ours(base: Base) -> None:
    base.put("/Patient/old", patient("1", id="old"))
    answer = base.post(
        "",
        bundle(
            "transaction",
            entry("GET", "Patient?_sort=_id"),
            entry("PUT", "Patient/put", patient("2", id="put")),
            entry("GET", "Patient/put"),
            entry("POST", "Patient", patient("3")),
            entry("DELETE", "Patient/old"),
        ),
    )
    assert _statuses(answer) == [200, 201, 200, 201, 204]
    found, put, _, posted, _ = answer.json()["entry"]
    assert found["resource"]["total"] == 2
    assert put["response"]["location"] == f"{base.url}/Patient/put/_history/1"
    assert (posted["response"]["etag"], "resource" in posted) == ('W/"1"', False)
    assert posted["response"]["lastModified"] == put["response"]["lastModified"]


def test_the_base_takes_bundles_with_and_without_a_slash(base: Base) -> None:
    for path in ("", "/"):
        answer = base.post(path, bundle("transaction"))
        assert (answer.status_code, answer.json()) == (200, bundle("transaction-response"))


def test_references_by_full_url_are_rewritten_both_ways(base: Base) -> None:
    task = _TASK | {
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{PATIENT_URN}">p</a></div>',
        },
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": TASK_URN}],
        "for": {"reference": PATIENT_URN},
        "extension": [{"url": "http://example.org/x", "valueUri": PATIENT_URN}],
    }
    person = patient("1", extension=[{"url": "http://example.org/y", "valueReference": {"reference": TASK_URN}}])
    answer = base.post(
        "",
        bundle("transaction", entry("POST", "Task", task, TASK_URN), entry("POST", "Patient", person, PATIENT_URN)),
        Prefer="return=representation",
    )
    assert _statuses(answer) == [201, 201]
    task, person = (each["resource"] for each in answer.json()["entry"])
    assert task["for"]["reference"] == f"Patient/{person['id']}"
    assert task["extension"][0]["valueUri"] == f"Patient/{person['id']}"
    assert f'href="Patient/{person["id"]}"' in task["text"]["div"]
    assert person["extension"][0]["valueReference"]["reference"] == f"Task/{task['id']}"
    assert task["identifier"][0]["value"] == TASK_URN


def test_a_reference_to_a_resource_that_exists_gets_its_id(base: Base) -> None:
    id = base.post("/Patient", patient("1")).json()["id"]
    for condition in (f"identifier={MRN}|1", f"Patient?identifier={MRN}|1"):
        answer = base.post(
            "",
            bundle(
                "transaction",
                entry("POST", "Patient", patient("1"), PATIENT_URN, ifNoneExist=condition),
                entry("POST", "Task", _TASK | {"for": {"reference": PATIENT_URN}}),
            ),
            Prefer="return=representation",
        )
        assert _statuses(answer) == [200, 201]
        assert answer.json()["entry"][1]["resource"]["for"]["reference"] == f"Patient/{id}"
    assert base.total("Patient") == 1


def test_conditional_references(base: Base) -> None:
    id = base.post("/Patient", patient("1")).json()["id"]

    def sent(value: str) -> Any:
        task = _TASK | {"for": {"reference": f"Patient?identifier={MRN}|{value}"}}
        return base.post("", bundle("transaction", entry("POST", "Task", task)), Prefer="return=representation")

    assert sent("1").json()["entry"][0]["resource"]["for"]["reference"] == f"Patient/{id}"
    assert sent("2").status_code == 400
    base.post("/Patient", patient("1"))
    assert sent("1").status_code == 412


def test_conditional_update_and_if_match_in_a_transaction(base: Base) -> None:
    put = entry("PUT", f"Patient?identifier={MRN}|1", patient("1"), PATIENT_URN)
    task = entry("PUT", "Task/t", _TASK | {"id": "t", "for": {"reference": PATIENT_URN}})
    assert _statuses(base.post("", bundle("transaction", put, task))) == [201, 201]
    person = base.get("/Patient").json()["entry"][0]["resource"]["id"]
    assert base.get("/Task/t").json()["for"]["reference"] == f"Patient/{person}"
    changed = entry("PUT", f"Patient?identifier={MRN}|1", patient("1", active=True), ifMatch='W/"1"')
    assert _statuses(base.post("", bundle("transaction", changed))) == [200]
    stale = base.post("", bundle("transaction", entry("POST", "Task", _TASK), changed))
    assert stale.status_code == 412
    assert stale.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert base.total("Task") == 1


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (entry("POST", "Task", _TASK | {"status": "banana"}), 422),
        (entry("POST", "Task", _TASK | {"note": [{"text": FORBIDDEN_NOTE}]}), 422),
        (entry("POST", "Patient", _TASK), 400),
        (entry("POST", "Task"), 400),
        (entry("PUT", "Task/x", _TASK | {"id": "y"}), 400),
        (entry("PUT", "Task/x", _TASK | {"id": "x"}, ifMatch='W/"9"'), 412),
        (entry("PUT", "Task/x", _TASK | {"id": "x"}, ifMatch="9"), 400),
        (entry("POST", "Task", _TASK | {"for": {"reference": TASK_URN}}), 400),
        (entry("GET", "Patient/nobody"), 404),
        (entry("GET", "Patient?_count=abc"), 400),
        (entry("POST", "Medication", {"resourceType": "Medication"}), 404),
        (entry("PATCH", "Task/x"), 405),
        (entry("DELETE", f"Patient?identifier={MRN}|1"), 405),
        (entry("GET", "a/b/c/d/e/f"), 404),
        (entry("DELETE", "Task/"), 404),
        (entry("GET", "Task/a_b"), 404),
        (entry("PUT", "Task/a_b", _TASK | {"id": "a_b"}), 422),
    ],
)
def test_one_bad_entry_leaves_nothing(base: Base, bad: Resource, status: int) -> None:
    for position in range(3):
        good = [entry("POST", "Patient", patient("1")), entry("PUT", "Patient/p", patient("2", id="p"))]
        good.insert(position, bad)
        answer = base.post("", bundle("transaction", *good))
        assert answer.status_code == status, answer.text
        assert f"Bundle.entry[{position}]" in str(answer.json()["issue"])
        assert admission.check(answer.json(), "OperationOutcome") == []
    assert base.total("Patient") == 0


def test_a_crash_in_the_middle_leaves_nothing(base: Base) -> None:
    def react(tx: Transaction, resource: Resource) -> None:
        tx.transact([Create(_TASK)])
        if resource["id"] == "p":
            raise ValueError

    base.reaction = react
    answer = base.post(
        "",
        bundle("transaction", entry("POST", "Patient", patient("1")), entry("PUT", "Patient/p", patient(id="p"))),
    )
    assert answer.status_code == 500
    assert (base.total("Patient"), base.total("Task")) == (0, 0)


def test_reactions_see_the_whole_transaction(base: Base) -> None:
    seen: list[int] = []
    base.reaction = lambda tx, _: seen.append(len(tx.search("Patient").resources))
    base.post(
        "",
        bundle("transaction", entry("POST", "Patient", patient("1")), entry("POST", "Patient", patient("2"))),
    )
    assert seen == [2, 2]


@pytest.mark.parametrize(
    "entries",
    [
        [entry("PUT", "Task/x", _TASK | {"id": "x"}), entry("DELETE", "Task/x")],
        [entry("PUT", "Task/x", _TASK | {"id": "x"}), entry("PUT", "Task/x", _TASK | {"id": "x", "priority": "stat"})],
        [entry("POST", "Patient", patient("1"), ifNoneExist=f"identifier={MRN}|1")] * 2,
        [
            entry("POST", "Patient", patient("1"), ifNoneExist=f"identifier={MRN}|1"),
            entry("PUT", f"Patient?identifier={MRN}|1", patient("1")),
        ],
    ],
)
def test_one_resource_in_two_entries_is_400(base: Base, entries: list[Resource]) -> None:
    assert base.post("", bundle("transaction", *entries)).status_code == 400
    assert (base.total("Patient"), base.total("Task")) == (0, 0)


def test_a_batch_is_each_for_itself(base: Base) -> None:
    answer = base.post(
        "",
        bundle(
            "batch",
            entry("POST", "Patient", patient("1")),
            entry("POST", "Task", _TASK | {"status": "banana"}),
            entry("GET", "Patient"),
            entry("PUT", "Patient/p", patient("2", id="p"), ifMatch='W/"3"'),
            entry("DELETE", "Patient/none"),
            entry("GET", "Nonsense/1"),
        ),
    )
    assert _statuses(answer) == [201, 422, 200, 412, 204, 404]
    entries = answer.json()["entry"]
    assert entries[1]["response"]["outcome"]["issue"][0]["expression"] == ["Task.status"]
    assert entries[2]["resource"]["total"] == 1


@pytest.mark.parametrize("type", ["collection", "document", "nonsense"])
def test_other_bundles_are_refused(base: Base, type: str) -> None:
    assert base.post("", bundle(type)).status_code == 400
    assert base.post("", patient("1")).status_code == 400


@pytest.mark.parametrize("type", ["batch", "transaction"])
@pytest.mark.parametrize("entries", [[{}], [1], {}, "x", [], [{"resource": {"resourceType": "Patient"}}]])
def test_a_broken_envelope_is_422(base: Base, type: str, entries: Any) -> None:
    answer = base.post("", {"resourceType": "Bundle", "type": type, "entry": entries})
    assert (answer.status_code, answer.json()["resourceType"]) == (422, "OperationOutcome")

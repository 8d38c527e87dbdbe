"""The operations of a hospital's FHIR base, asked of the service as an integrator asks them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pathway import codes
from service.demo.processes import DutyDesk, Process, free_port, service_process
from service.demo.records import Clinic, referral
from tests.service.test_doors import OWNERS

SURGEON = {"reference": "Practitioner/okafor", "display": "Dr Okafor"}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with one patient who is decided for surgery on 16 March 2026."""
    desk = DutyDesk()
    process = service_process(tmp_path_factory.mktemp("service"), desk, free_port(), PULL_SECONDS="60")
    process.start()
    try:
        enrol(process)
        yield f"{process.url}/fhir"
    finally:
        process.stop()
        desk.close()


def enrol(process: Process) -> None:
    clinic = Clinic(name="north")
    body = {"base_url": "http://127.0.0.1:9/fhir", "site": clinic.site(OWNERS).model_dump(mode="json")}
    assert httpx.post(f"{process.url}/admin/v1/hospitals", json=body, timeout=60).status_code == 201
    base = f"{process.url}/fhir"
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Huber"}], "birthDate": "1980-02-03"}
    put(base, patient)
    condition = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}
    put(base, condition)
    put(base, {**referral("Patient/p1", "Practitioner/gp", "Condition/c1"), "id": "r1"})
    decision = {"system": codes.DECISION, "code": "surgery"}
    answers(base, "q1", codes.INDICATIONS, [{"linkId": "indications", "item": [yes("ind-severe-pain")]}])
    answers(
        base, "q2", codes.SHARED_DECISION, [{"linkId": "dec-record-outcome", "answer": [{"valueCoding": decision}]}]
    )


def yes(link: str) -> Json:
    return {"linkId": link, "answer": [{"valueBoolean": True}]}


def put(base: str, resource: Json) -> Json:
    answer = httpx.put(f"{base}/{resource['resourceType']}/{resource['id']}", json=resource, timeout=60)
    assert answer.status_code in (200, 201), answer.text
    body: Json = answer.json()
    return body


def answers(base: str, id: str, form: str, item: list[Json]) -> None:
    response = {"resourceType": "QuestionnaireResponse", "id": id, "questionnaire": f"{form}|0.1.0", "item": item}
    put(
        base,
        {**response, "status": "completed", "subject": {"reference": "Patient/p1"}, "author": SURGEON}
        | {"authored": f"2026-03-0{id[-1]}T10:00:00+01:00"},
    )


def ask(base: str, path: str, *parameters: Json) -> httpx.Response:
    body = {"resourceType": "Parameters", **({"parameter": list(parameters)} if parameters else {})}
    return httpx.post(f"{base}/{path}", json=body, timeout=60)


def plan(base: str) -> Json:
    found: Json = httpx.get(f"{base}/CarePlan", timeout=60).json()["entry"][0]["resource"]
    return found


def named(answer: httpx.Response, name: str) -> list[Json]:
    assert answer.status_code == 200, answer.text
    return [p for p in answer.json()["parameter"] if p["name"] == name]


def test_explain_says_of_each_step_why(base: str) -> None:
    steps = named(httpx.get(f"{base}/CarePlan/{plan(base)['id']}/$explain", timeout=60), "action")
    said = {next(p["valueId"] for p in step["part"] if p["name"] == "id"): step["part"] for step in steps}
    excision = said["proc-excision"]
    assert {"name": "included", "valueBoolean": True} in excision
    [first, *_] = [p["part"] for p in excision if p["name"] == "expression"]
    assert {"name": "outcome", "valueCode": "true"} in first
    read = [p["part"] for p in first if p["name"] == "read"]
    assert {"name": "found", "valueString": "QuestionnaireResponse/q2/_history/1"} in read[0]


def test_explain_says_what_it_said_at_an_earlier_version(base: str) -> None:
    path = f"{base}/CarePlan/{plan(base)['id']}/$explain"
    now, then = httpx.get(path, timeout=60), httpx.get(f"{path}?version=2", timeout=60)
    assert named(then, "version") == [{"name": "version", "valueString": "2"}]
    assert named(then, "recorded")[0]["valueInstant"] < named(now, "recorded")[0]["valueInstant"]
    assert named(now, "cause") == [{"name": "cause", "valueString": "QuestionnaireResponse/q2"}]
    assert named(then, "action") != named(now, "action")
    for version, status in (("99", 404), ("0", 400), ("first", 400)):
        assert httpx.get(f"{path}?version={version}", timeout=60).status_code == status


def test_what_if_shows_the_difference_and_keeps_nothing(base: str) -> None:
    care_plan = plan(base)
    order = httpx.get(f"{base}/ServiceRequest", params={"identifier:missing": "false"}, timeout=60).json()
    excision = next(e["resource"] for e in order["entry"] if e["resource"].get("status") == "draft")
    appointment = {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "start": "2026-03-16T08:00:00+01:00",
        "end": "2026-03-16T10:00:00+01:00",
        "basedOn": [{"reference": f"ServiceRequest/{excision['id']}"}],
        "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
    }
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": appointment}]}
    answer = ask(base, f"CarePlan/{care_plan['id']}/$what-if", {"name": "data", "resource": data})
    days = {p["valueString"] for found in named(answer, "add") for p in found["part"] if p["name"] == "days"}
    assert "2026-03-23 to 2026-03-30" in days
    assert plan(base) == care_plan
    assert httpx.get(f"{base}/Appointment/a1", timeout=60).status_code == 404


def test_individualize_leaves_a_step_out_and_takes_it_back(base: str) -> None:
    path = f"CarePlan/{plan(base)['id']}/$individualize"
    step = ({"name": "action", "valueString": "prep-transport"}, {"name": "author", "valueReference": SURGEON})
    reason = {"name": "reason", "valueString": "her daughter drives her"}
    assert named(ask(base, path, *step, reason, {"name": "change", "valueCode": "skip"}), "revoke")
    assert plan(base)["activity"][-1]["detail"]["doNotPerform"] is True
    assert named(ask(base, path, *step, reason, {"name": "change", "valueCode": "restore"}), "add")
    assert all("detail" not in activity for activity in plan(base)["activity"])


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"change": "skip", "action": "prep-transport", "reason": " "}, "reason"),
        ({"change": "change", "action": "prep-transport", "reason": "so"}, "whole dates"),
        ({"change": "leave", "action": "prep-transport", "reason": "so"}, "skip, restore, change, add"),
        ({"change": "skip", "reason": "so"}, "which step"),
        ({"change": "skip", "action": "prep-trnsport", "reason": "so"}, "prep-transport"),
    ],
)
def test_what_cannot_be_done_is_said(base: str, sent: dict[str, str], said: str) -> None:
    kinds = {"change": "valueCode", "action": "valueString", "reason": "valueString"}
    parameters = [{"name": name, kinds[name]: value} for name, value in sent.items()]
    answer = ask(
        base, f"CarePlan/{plan(base)['id']}/$individualize", *parameters, {"name": "author", "valueReference": SURGEON}
    )
    assert 400 <= answer.status_code < 500
    assert said in answer.json()["issue"][0]["diagnostics"]


def test_migrate_to_the_version_it_has_changes_nothing(base: str) -> None:
    answer = ask(base, f"CarePlan/{plan(base)['id']}/$migrate")
    assert {p["name"] for p in answer.json()["parameter"]} == {"care-plan", "keep"}


def test_populate_and_extract(base: str) -> None:
    form = "https://calcinosis-pathway.example/fhir/Questionnaire/calcinosis-recovery-diary"
    subject = {"name": "subject", "valueReference": {"reference": "Patient/p1"}}
    [response] = named(
        ask(base, "Questionnaire/$populate", {"name": "canonical", "valueUri": form}, subject), "response"
    )
    assert response["resource"]["status"] == "in-progress"
    answers(base, "q9", f"{form}", [{"linkId": "temperature", "answer": [{"valueDecimal": 38.6}]}])
    [bundle] = named(ask(base, "QuestionnaireResponse/q9/$extract"), "return")
    [entry] = bundle["resource"]["entry"]
    assert entry["resource"]["valueQuantity"]["value"] == 38.6
    assert httpx.get(f"{base}/Observation", timeout=60).json()["total"] == 0

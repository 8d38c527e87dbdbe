"""The service as one process: its FHIR bases, its token, its health, and what it never writes into a log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from pathway.codes import EXPLAIN
from pathway.errors import Refused
from pathway.library import DEFINITIONS
from service.cli import app as command_line
from service.demo.processes import DutyDesk, Process, free_port, service_process
from service.demo.records import Clinic, referral
from service.settings import Settings, check_binding

OWNERS = {
    role: f"PractitionerRole/{role}" for role in ("surgeon", "coordinator", "primary-care", "anesthesia", "alerts")
}
NAME = "Weiß-Ângström"


@pytest.fixture
def desk() -> Iterator[DutyDesk]:
    desk = DutyDesk()
    yield desk
    desk.close()


@pytest.fixture
def service(tmp_path: Path, desk: DutyDesk) -> Iterator[Process]:
    process = service_process(tmp_path, desk, free_port(), PULL_SECONDS="60")
    process.start()
    yield process
    process.stop()


def registered(service: Process, name: str) -> None:
    site = Clinic(name=name).site(OWNERS).model_dump(mode="json")
    body = {"base_url": "http://127.0.0.1:9/fhir", "site": site}
    assert httpx.post(f"{service.url}/admin/v1/hospitals", json=body, timeout=30).status_code == 201


def put(base: str, resource: dict[str, object]) -> httpx.Response:
    return httpx.put(f"{base}/{resource['resourceType']}/{resource['id']}", json=resource, timeout=30)


def test_two_hospitals_with_equal_patient_ids_have_bases_of_their_own(service: Process) -> None:
    registered(service, "north")
    registered(service, "south")
    for base, family in (("/fhir", "North"), ("/hospitals/south/fhir", "South")):
        patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": family}]}
        assert put(service.url + base, patient).status_code == 201
    families = [
        httpx.get(f"{service.url}{base}/Patient/p1", timeout=30).json()["name"][0]["family"]
        for base in ("/fhir", "/hospitals/north/fhir", "/hospitals/south/fhir")
    ]
    assert families == ["North", "North", "South"]


def test_a_base_of_nobody_is_an_operation_outcome(service: Process) -> None:
    for path in ("/fhir/metadata", "/hospitals/nowhere/fhir/metadata"):
        answer = httpx.get(service.url + path, timeout=30)
        assert answer.status_code == 404
        assert answer.json()["issue"][0]["code"] == "not-found"


def test_the_definitions_are_served_to_whoever_fills_in_the_forms(service: Process) -> None:
    registered(service, "north")
    found = httpx.get(f"{service.url}/fhir/Questionnaire?name=CalcinosisSharedDecision", timeout=30).json()
    assert [e["resource"]["status"] for e in found["entry"]] == ["draft"]


def test_an_answer_to_a_question_that_does_not_exist_is_refused_at_our_door(service: Process) -> None:
    registered(service, "north")
    base = f"{service.url}/fhir"
    put(base, {"resourceType": "Patient", "id": "p1"})
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "q1",
        "status": "completed",
        "questionnaire": "https://calcinosis-pathway.example/fhir/Questionnaire/calcinosis-shared-decision|0.1.0",
        "subject": {"reference": "Patient/p1"},
        "item": [{"linkId": "favourite-colour", "answer": [{"valueString": "blue"}]}],
    }
    answer = put(base, response)
    assert answer.status_code == 422
    assert "favourite-colour" in json.dumps(answer.json()["issue"])
    assert httpx.get(f"{base}/QuestionnaireResponse/q1", timeout=30).status_code == 404


def test_with_a_token_nothing_but_health_and_the_statement_is_open(tmp_path: Path, desk: DutyDesk) -> None:
    process = service_process(tmp_path, desk, free_port(), BEARER_TOKEN="s3cret-token")
    process.start()
    try:
        bearer = {"Authorization": "Bearer s3cret-token"}
        site = Clinic().site(OWNERS).model_dump(mode="json")
        body = {"base_url": "http://127.0.0.1:9/fhir", "site": site}
        hospitals = f"{process.url}/admin/v1/hospitals"
        assert httpx.post(hospitals, json=body, timeout=30).status_code == 401
        assert httpx.post(hospitals, json=body, headers=bearer, timeout=30).status_code == 201
        assert httpx.get(f"{process.url}/fhir/Patient", timeout=30).status_code == 401
        assert httpx.get(f"{process.url}/fhir/Patient", headers=bearer, timeout=30).status_code == 200
        assert httpx.get(f"{process.url}/healthz", timeout=30).json()["status"] == "ok"
    finally:
        process.stop()


def test_no_patient_data_reaches_the_log(service: Process) -> None:
    registered(service, "north")
    base = f"{service.url}/fhir"
    put(base, {"resourceType": "Patient", "id": "mrn-00471", "name": [{"family": NAME}]})
    put(base, {"resourceType": "Patient", "id": "mrn-00471", "name": [{"family": NAME, "bogus": NAME}]})
    httpx.get(f"{base}/Patient?name={NAME}", timeout=30)
    log = service.log.read_text()
    assert '"route"' in log
    assert NAME not in log
    assert "mrn-00471" not in log


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "hospital.example"])
def test_listening_beyond_this_machine_without_a_token_is_refused(host: str) -> None:
    with pytest.raises(Refused, match="BEARER_TOKEN"):
        check_binding(host, Settings(bearer_token=None))
    check_binding(host, Settings(bearer_token="s3cret"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_listening_on_this_machine_needs_no_token(host: str) -> None:
    check_binding(host, Settings(bearer_token=None))


def test_the_command_line_says_its_version_and_its_commands() -> None:
    runner = CliRunner()
    assert runner.invoke(command_line, ["--version"]).output.strip() == "0.1.0"
    commands = runner.invoke(command_line, ["--help"]).output
    assert all(name in commands for name in ("serve", "worker", "demo", "hospital", "explain", "feed", "sign-off"))


def test_a_plan_is_explained_over_fhir_and_on_the_command_line(
    service: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(service, "north")
    base = f"{service.url}/fhir"
    put(base, {"resourceType": "Patient", "id": "p1"})
    put(base, referral("Patient/p1", "Practitioner/gp", "Condition/c1") | {"id": "r1"})
    plan = httpx.get(f"{base}/CarePlan?patient=Patient/p1", timeout=30).json()["entry"][0]["resource"]["id"]
    explained = httpx.get(f"{base}/CarePlan/{plan}/$explain", timeout=30)
    assert explained.status_code == 200
    assert "the indications are answered" in explained.text
    definition = httpx.get(f"{base}/OperationDefinition/CarePlan-explain", timeout=30).json()
    assert (definition["url"], definition["code"]) == (EXPLAIN, "explain")
    monkeypatch.setenv("CALCINOSIS_PATHWAY_DATABASE_URL", service.environment["CALCINOSIS_PATHWAY_DATABASE_URL"])
    runner = CliRunner()
    shown = runner.invoke(command_line, ["explain", "north", plan])
    assert shown.exit_code == 0
    assert "always part of the pathway" in shown.output
    assert (
        runner.invoke(command_line, ["explain", "north", f"CarePlan/{plan}", "--version", "2"]).output == shown.output
    )
    unknown = runner.invoke(command_line, ["explain", "north", plan, "--action", "nothing"])
    assert "The plan has no action 'nothing'" in str(unknown.exception)
    one = runner.invoke(command_line, ["explain", "north", plan, "--action", "decision"])
    assert "the indications are answered" in one.output
    assert "Look for the underlying cause" not in one.output


def test_a_sign_off_on_the_command_line(service: Process, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    registered(service, "north")
    monkeypatch.setenv("CALCINOSIS_PATHWAY_DATABASE_URL", service.environment["CALCINOSIS_PATHWAY_DATABASE_URL"])
    said = [
        "sign-off",
        "north",
        "--by",
        "Practitioner/owner",
        "--display",
        "Dr. Owner",
        "--changes",
        "Read as a whole.",
    ]
    diary = "Questionnaire-calcinosis-recovery-diary.json"
    own = tmp_path / "ours.json"
    own.write_text((DEFINITIONS / diary).read_text().replace('"title": "', '"title": "Our ', 1))
    signed = CliRunner().invoke(command_line, [*said, "--changed", str(own)])
    assert signed.output.startswith("north: version 0.1.0.1 is active")
    [listed] = httpx.get(f"{service.url}/admin/v1/hospitals/north/sign-offs", timeout=30).json()["sign_offs"]
    assert (listed["version"], listed["approver"]["reference"]) == ("0.1.0.1", "Practitioner/owner")
    assert listed["changed"] == ["Questionnaire/calcinosis-recovery-diary"]
    refused = CliRunner().invoke(command_line, [*said, "--date", "2999-01-01"])
    assert "2999-01-01" in str(refused.exception)


def test_an_unknown_story_names_those_there_are() -> None:
    result = CliRunner().invoke(command_line, ["demo", "--story", "happy", "--once"])
    assert result.exit_code != 0
    assert "red-flag" in str(result.exception)

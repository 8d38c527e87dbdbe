"""Each test server is a real one, and CI cannot leave one out unnoticed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import REQUIRED
from tests.servers import process, sekmet

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["hapi", "sekmet"])
def server(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    base: str = request.getfixturevalue(f"{request.param}_base")
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    with httpx.Client(base_url=base, headers=headers, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def hapi(hapi_base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hapi_base, timeout=60, trust_env=False) as client:
        yield client


def test_speaks_fhir_r4(server: httpx.Client) -> None:
    statement = server.get("/metadata").json()
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"


def test_keeps_a_patient_and_its_versions(server: httpx.Client) -> None:
    created = server.post("/Patient", json={"resourceType": "Patient", "name": [{"family": "Berg"}]})
    assert created.status_code == 201
    assert created.headers["etag"] == 'W/"1"'

    patient = created.json()
    read = server.get(f"/Patient/{patient['id']}")
    assert (read.status_code, read.headers["etag"]) == (200, 'W/"1"')
    assert read.json()["name"] == [{"family": "Berg"}]

    updated = server.put(
        f"/Patient/{patient['id']}", json=read.json() | {"active": True}, headers={"If-Match": read.headers["etag"]}
    )
    assert (updated.status_code, updated.headers["etag"]) == (200, 'W/"2"')
    assert "active" not in server.get(f"/Patient/{patient['id']}/_history/1").json()


def test_refuses_to_update_a_version_that_is_gone(server: httpx.Client) -> None:
    patient = server.post("/Patient", json={"resourceType": "Patient"}).json()
    url, first = f"/Patient/{patient['id']}", {"If-Match": 'W/"1"'}
    assert server.put(url, json=patient | {"gender": "female"}, headers=first).status_code == 200
    # HAPI answers 409 where the specification says 412.
    assert server.put(url, json=patient | {"gender": "male"}, headers=first).status_code in {409, 412}
    assert server.get(url).json()["gender"] == "female"


def _complaints(hapi: httpx.Client, resource: dict[str, object], *severities: str) -> list[str]:
    outcome = hapi.post(f"/{resource['resourceType']}/$validate", json=resource).json()
    assert outcome["resourceType"] == "OperationOutcome"
    return [issue["diagnostics"] for issue in outcome["issue"] if issue["severity"] in severities]


@pytest.mark.parametrize(
    ("task", "complaint"),
    [
        ({"status": "banana", "intent": "order"}, "Unknown TaskStatus code 'banana'"),
        ({"status": "requested"}, "Task.intent: minimum required = 1"),
    ],
)
def test_hapi_finds_the_error_of_a_bad_task(hapi: httpx.Client, task: dict[str, object], complaint: str) -> None:
    errors = _complaints(hapi, {"resourceType": "Task"} | task, "error", "fatal")
    assert len(errors) == 1
    assert complaint in errors[0]


def test_hapi_finds_no_error_in_a_good_task(hapi: httpx.Client) -> None:
    assert _complaints(hapi, {"resourceType": "Task", "status": "requested", "intent": "order"}, "error", "fatal") == []


def test_hapi_knows_the_launch_contexts_of_sdc(hapi: httpx.Client) -> None:
    def questionnaire(code: str) -> dict[str, object]:
        name = {"system": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext", "code": code}
        extension = {
            "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-launchContext",
            "extension": [{"url": "name", "valueCoding": name}, {"url": "type", "valueCode": "Patient"}],
        }
        return {"resourceType": "Questionnaire", "status": "draft", "extension": [extension]}

    def doubts(code: str) -> list[str]:
        return [text for text in _complaints(hapi, questionnaire(code), "error", "warning") if "launchContext" in text]

    assert doubts("patient") == []
    assert len(doubts("banana")) == 1


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such hospital')"]
    base = f"http://127.0.0.1:{process.free_port()}/fhir"
    with (
        pytest.raises(process.ServerStartError, match="no such hospital"),
        process.serving(command, base=base, folder=tmp_path, seconds=30),
    ):
        pytest.fail("it cannot be ready")


def test_a_server_ends_with_its_block() -> None:
    with sekmet.running() as base:
        assert httpx.get(f"{base}/metadata", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base}/metadata", trust_env=False)


@pytest.mark.parametrize(("required", "exit_code"), [("", pytest.ExitCode.OK), ("hapi", pytest.ExitCode.TESTS_FAILED)])
def test_a_missing_server_is_told_and_fails_where_it_is_required(
    required: str, exit_code: pytest.ExitCode, tmp_path: Path
) -> None:
    test = f"{Path(__file__).relative_to(ROOT)}::test_hapi_finds_no_error_in_a_good_task"
    without_java = os.environ | {"PATH": str(tmp_path), REQUIRED: required}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    run = subprocess.run(command, cwd=ROOT, env=without_java, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == exit_code, run.stdout
    assert ("1 tests of hapi: no java" in run.stdout) is (required == "")
    assert (f"{REQUIRED} names hapi, which cannot run here: no java" in run.stdout) is (required == "hapi")

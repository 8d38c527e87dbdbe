"""docker-compose.yml without an engine: what must hold for a stack that is started by hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).parents[1] / "docker-compose.yml"
TOKEN = "CALCINOSIS_PATHWAY_BEARER_TOKEN"
OURS = ["service", "worker"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def test_has_the_four_services(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert sorted(services) == ["hapi", "postgres", "service", "worker"]
    assert services["service"]["command"] == "calcinosis-pathway serve --host 0.0.0.0 --port 8000 --no-worker"
    assert services["worker"]["command"] == "calcinosis-pathway worker"


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items() if "image" in service}
    assert images == {"postgres": "postgres:16", "hapi": "hapiproject/hapi:v8.8.0-1"}


@pytest.mark.parametrize("name", OURS)
def test_ours_need_a_token_and_use_postgresql(compose: dict[str, Any], name: str) -> None:
    environment = compose["services"][name]["environment"]
    assert environment[TOKEN].startswith(f"${{{TOKEN}:?"), "an unset or empty token must stop the start"
    assert re.fullmatch(r"postgresql\+psycopg://.+@postgres/\w+", environment["CALCINOSIS_PATHWAY_DATABASE_URL"])


def test_the_service_is_healthy_only_when_it_answers(compose: dict[str, Any]) -> None:
    test = compose["services"]["service"]["healthcheck"]["test"]
    assert test[0] == "CMD"
    assert "http://127.0.0.1:8000/healthz" in test[-1]


def test_everything_waits_for_a_healthy_database(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"]
    assert services["service"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["worker"]["depends_on"] == {"service": {"condition": "service_healthy"}}


def test_the_worker_can_be_scaled(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker"]
    assert {"container_name", "ports", "volumes"} & set(worker) == set()
    assert worker["stop_grace_period"] == "30s"
    assert "--scale worker=" in FILE.read_text()


def test_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"service": ["127.0.0.1:8000:8000"], "hapi": ["127.0.0.1:8080:8080"]}


def test_the_database_outlives_its_container(compose: dict[str, Any]) -> None:
    volume, _, path = compose["services"]["postgres"]["volumes"][0].partition(":")
    assert path == "/var/lib/postgresql/data"
    assert volume in compose["volumes"]


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="no docker-compose")
@pytest.mark.parametrize(("token", "accepted"), [("secret", True), ("", False)])
def test_docker_compose_accepts_the_file_only_with_a_token(token: str, accepted: bool) -> None:
    command = ["docker-compose", "-f", str(FILE), "config", "-q"]
    run = subprocess.run(
        command, env=os.environ | {TOKEN: token}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode == 0) is accepted, run.stderr

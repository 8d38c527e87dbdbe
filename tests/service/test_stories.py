"""The stories as a user plays them: our service as a process, a real FHIR server as the hospital, HTTP in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fhir_adapters.hospital.client import HospitalClient
from pathway.keys import key_of
from pathway.ports import Resource, search_all
from pathway.references import references_in
from pathway.situation import AUTHORED_TYPES
from service.demo.processes import Process, running
from service.demo.stage import Stage
from service.demo.story import STORIES, Played, Story, play, summary

VALIDATED = ("CarePlan", *AUTHORED_TYPES, "Provenance")


@dataclass
class Theatre:
    stage: Stage
    service: Process


@contextmanager
def theatre(folder: Path, story: Story, hospital: str | None) -> Iterator[Theatre]:
    with (
        running(folder, hospital) as (service, base, desk),
        httpx.Client(timeout=60) as http,
        httpx.Client(base_url=f"{service.url}/admin/v1", timeout=60) as admin,
    ):
        client = HospitalClient(base, http)
        yield Theatre(Stage(client, admin, story.clinic, story.days, alerts=lambda: desk.received), service)


def told(played: Played) -> str:
    return "\n".join(f"{'ok ' if step.ok else 'NOT'} {step.name}: {step.text}" for step in played.steps)


def of_ours(stage: Stage, type: str) -> list[Resource]:
    if type == "Provenance":
        about = [reference for t in ("CarePlan", "Task") for reference in references(stage, t)]
        found = [p for r in about for p in search_all(stage.hospital, "Provenance", [("target", r)])]
        return list({p["id"]: p for p in found}.values())
    # sekmet has no search parameter for the patient of these.
    query = [] if type in ("Goal", "RiskAssessment") else [("patient", str(stage.patient))]
    found = search_all(stage.hospital, type, [*query, ("_count", "200")])
    return [resource for resource in found if key_of(resource) and stage.patient in references_in(resource)]


def references(stage: Stage, type: str) -> list[str]:
    return [f"{type}/{resource['id']}" for resource in of_ours(stage, type)]


def assert_exactly_one_of_everything(stage: Stage) -> None:
    for type in ("CarePlan", *AUTHORED_TYPES):
        keys = [key_of(resource) for resource in of_ours(stage, type)]
        assert len(keys) == len(set(keys)), f"{type} exists more than once for a key"


def assert_every_task_has_an_owner(stage: Stage) -> None:
    assert all(task.get("owner", {}).get("reference") for task in of_ours(stage, "Task"))


@pytest.mark.parametrize("name", STORIES)
def test_story_with_our_own_server_as_the_hospital(name: str, tmp_path: Path) -> None:
    assert_plays(name, tmp_path, None)


@pytest.mark.parametrize("name", STORIES)
def test_story_with_sekmet_as_the_hospital(name: str, tmp_path: Path, sekmet_base: str) -> None:
    assert_plays(name, tmp_path, sekmet_base)


@pytest.mark.parametrize("name", STORIES)
def test_story_with_hapi_as_the_hospital_and_every_resource_is_valid(name: str, tmp_path: Path, hapi_base: str) -> None:
    with theatre(tmp_path, STORIES[name], hapi_base) as played:
        assert_told(name, played.stage)
        for type in VALIDATED:
            for resource in of_ours(played.stage, type):
                assert_valid(hapi_base, resource)


def assert_plays(name: str, folder: Path, hospital: str | None) -> None:
    with theatre(folder, STORIES[name], hospital) as played:
        assert_told(name, played.stage)


def assert_told(name: str, stage: Stage) -> None:
    story = STORIES[name]
    played = play(story, stage, lambda _: None)
    assert played.ok, told(played)
    result = summary(played, stage)
    assert result["careplan"].startswith("CarePlan/")
    assert [step["ok"] for step in result["steps"]] == [True] * len(story.acts)
    assert_exactly_one_of_everything(stage)
    assert_every_task_has_an_owner(stage)


def assert_valid(hapi: str, resource: Resource) -> None:
    type = resource["resourceType"]
    headers = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}
    answer = httpx.get(f"{hapi}/{type}/{resource['id']}/$validate", headers=headers, timeout=60)
    errors = [i for i in answer.json()["issue"] if i["severity"] in ("error", "fatal")]
    assert not errors, (type, resource, errors)


def test_the_default_story_chooses_the_expected_day(tmp_path: Path) -> None:
    with theatre(tmp_path, STORIES["default"], None) as played:
        told_of = summary(play(STORIES["default"], played.stage, lambda _: None), played.stage)
    follow_up, there = told_of["follow_up"], told_of["hospital"]["resources"]
    assert (there["Goal"], there["RiskAssessment"]) == (9, 1)
    assert follow_up["window"] == {"start": "2026-03-25", "end": "2026-04-01"}
    assert follow_up["date"] == "2026-03-27"
    assert "Sat 28 Mar 2026, the target day, is closed" in follow_up["why"]


def test_a_public_holiday_and_a_closure_push_the_visit_to_the_nearest_open_day(tmp_path: Path) -> None:
    with theatre(tmp_path, STORIES["holiday"], None) as played:
        follow_up = summary(play(STORIES["holiday"], played.stage, lambda _: None), played.stage)["follow_up"]
    assert follow_up["date"] == "2026-04-01"
    assert "Good Friday" in follow_up["why"] or "Karfreitag" in follow_up["why"]

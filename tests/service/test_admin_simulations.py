"""Simulations over the admin REST: begun, looked at until they are done, one at a time."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from pathway.elements import parts
from pathway.library import Library
from service.bootstrap import Services
from service.simulation.jobs import Asked, read, written
from tests.service.conftest import Ask

FEW = {"patients": 5, "weeks": 2, "seed": 3}


def done(ask: Ask, location: str) -> dict[str, Any]:
    for _ in range(600):
        found: dict[str, Any] = ask("GET", location).json()
        if found["state"] != "running":
            return found
        time.sleep(0.2)
    raise AssertionError("the simulation did not end")


def test_a_simulation_is_begun_looked_at_and_drawn(ask: Ask, registered: str) -> None:
    begun = ask("POST", f"/hospitals/{registered}/simulations", json={**FEW, "changes": ["target_day=12"]})
    assert begun.status_code == 202, begun.text
    location = begun.headers["Location"]
    assert begun.json()["state"] == "running"
    assert ask("GET", f"{location}/picture").status_code == 404

    second = ask("POST", f"/hospitals/{registered}/simulations", json=FEW)
    assert second.status_code == 409
    assert second.headers["Content-Type"] == "application/problem+json"

    found = done(ask, location)
    assert found["state"] == "done", found
    assert list(found["result"])[-2:] == ["missing", "doubled"]
    assert (found["result"]["missing"], found["result"]["doubled"]) == (0, 0)
    assert found["result"]["change"]["moved"] > 0

    drawn = ask("GET", f"{location}/picture")
    assert drawn.headers["Content-Type"].startswith("image/svg+xml")
    ElementTree.fromstring(drawn.text)
    assert [one["id"] for one in ask("GET", f"/hospitals/{registered}/simulations").json()["simulations"]] == [
        found["id"]
    ]


def test_nothing_of_the_hospital_changes(ask: Ask, registered: str, services: Services) -> None:
    before = services.store.counts(registered)
    location = ask("POST", f"/hospitals/{registered}/simulations", json=FEW).headers["Location"]
    done(ask, location)
    assert services.store.counts(registered) == before


def test_what_cannot_be_simulated_is_refused(ask: Ask, registered: str) -> None:
    path = f"/hospitals/{registered}/simulations"
    for body, said in (
        ({"patients": 501}, "patients"),
        ({"weeks": 0}, "weeks"),
        ({"surgery_days": [7]}, "surgery_days"),
        ({"changes": ["colour=red"]}, "There is no rule 'colour'"),
        ({"changes": ["pathway.colour=red"]}, "There is no pathway parameter 'colour'"),
        ({"patience": 3}, "patience"),
    ):
        answered = ask("POST", path, json=body)
        assert answered.status_code == 422, body
        assert said in answered.text, body
    assert ask("GET", f"{path}/nobody").status_code == 404
    assert ask("POST", "/hospitals/nowhere/simulations", json=FEW).status_code == 404


def test_definitions_reach_the_other_process_as_they_are(library: Library) -> None:
    asked = Asked(library.resources(), {"zone": "Europe/Berlin"}, {"patients": 5}, ["target_day=12"])
    assert read(written(asked)) == asked
    inside = [part for definition in asked.definitions for _, part in parts(definition, "")]
    assert any(isinstance(value, Decimal) for part in inside for value in part.values())


def test_one_that_is_stopped_says_that_it_failed(ask: Ask, registered: str, services: Services) -> None:
    location = ask("POST", f"/hospitals/{registered}/simulations", json={"patients": 500}).headers["Location"]
    services.simulations.stop()
    found = done(ask, location)
    assert found["state"] == "failed"
    assert found["problem"]

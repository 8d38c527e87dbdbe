"""A site that wants visits booked: refused where the hospital cannot, booked after the surgery where it can."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pathway.codes import KEY_SYSTEM
from pathway.keys import key_of
from pathway.ports import Resource, search_all
from pathway.references import reference_to
from service.demo import acts
from service.demo.at_the_hospital import excisions, lasting, procedure, reminder_planned, requested
from service.demo.hospital import hospital_app
from service.demo.records import Clinic
from service.demo.stage import Stage
from service.demo.story import STORIES
from tests.fhir_adapters.hospital.conftest import listening
from tests.service.conftest import Ask, site
from tests.service.test_stories import theatre

BOOKS = {"booking": "book"}


def registered_at(ask: Ask, base: str) -> None:
    answered = ask("POST", "/hospitals", json={"base_url": base, "site": site(calendar=BOOKS)})
    assert answered.status_code == 201, answered.text


def test_a_server_that_is_not_there_is_not_relied_on(ask: Ask, closed_base: str) -> None:
    registered_at(ask, closed_base)
    answered = ask("POST", "/hospitals/north/activate")
    assert answered.status_code == 422
    assert 'calendar.booking is "book", but its CapabilityStatement could not be read' in answered.json()["detail"]


def test_a_server_that_books_nothing_is_not_relied_on(ask: Ask) -> None:
    statement = {"resourceType": "CapabilityStatement", "rest": [{"mode": "server"}]}
    app = Starlette(routes=[Route("/fhir/metadata", lambda _: JSONResponse(statement))])
    with listening(app) as origin:
        registered_at(ask, f"{origin}/fhir")
        answered = ask("POST", "/hospitals/north/activate")
        assert answered.status_code == 422
        assert "offers no search, $find and $book of Appointment" in answered.json()["detail"]
        assert ask("PUT", "/hospitals/north/site", json=site()).status_code == 200
        assert ask("POST", "/hospitals/north/activate").status_code == 200
        changed = ask("PUT", "/hospitals/north/site", json=site(calendar=BOOKS))
        assert (changed.status_code, "north is active." in changed.json()["detail"]) == (422, True)


def test_a_server_that_books_is_described_so(ask: Ask, tmp_path: Path) -> None:
    with listening(hospital_app(f"sqlite:///{tmp_path}/hospital.db", "http://127.0.0.1/fhir")) as origin:
        registered_at(ask, f"{origin}/fhir")
        assert ask("POST", "/hospitals/north/activate").status_code == 200
        types = ask("GET", "/hospitals/north").json()["reach"]["types"]
    assert types["Appointment"].endswith("booked by $find and $book where the site asks for it")
    assert "book" not in types["Task"]


def test_a_surgery_that_is_recorded_is_followed_by_a_booked_visit(tmp_path: Path) -> None:
    story = replace(STORIES["default"], clinic=Clinic(booking="book"))
    with theatre(tmp_path, story, None) as theatre_:
        stage = theatre_.stage
        for act in story.acts[: story.acts.index(acts.operated)]:
            act(stage)
        _opens_the_clinic(stage)
        request = excisions(stage, 1)[0]
        stage.clock(stage.at(stage.days.surgery, 12))
        stage.record(procedure(stage, request, stage.days.surgery))
        booked = stage.expect("a booked visit", lambda: _visits(stage))[0]
        assert (booked["start"], key_of(booked)) == (lasting(stage, stage.days.after(9), 10, 1)["start"], None)
        assert stage.hospital.read(*booked["slot"][0]["reference"].split("/"))["status"] == "busy"
        first, last = stage.days.after(7), stage.days.after(14)
        task = stage.expect("its Task", lambda: requested(stage, "", first, last))
        assert task["focus"] == {"reference": reference_to(booked)}
        assert _ours(theatre_.service.url)["status"] == "booked"
        stage.expect("a reminder is planned", lambda: reminder_planned(stage))
        _takes_place(stage, booked)
        stage.task("fu-first-visit", status="completed")
        assert len(_visits(stage)) == 1


def _opens_the_clinic(stage: Stage) -> None:
    """Places before the window, on the day that is chosen (day 9: day 10 is a Saturday), and after it."""
    schedule = stage.record({"resourceType": "Schedule", "actor": [{"reference": stage.owners["surgeon"]}]})
    for day in (6, 9, 15):
        hours = lasting(stage, stage.days.after(day), 10, 1)
        place = {"schedule": {"reference": reference_to(schedule)}, "status": "free", **hours}
        stage.record({"resourceType": "Slot", **place})


def _visits(stage: Stage) -> list[Resource]:
    """What is booked at the hospital after the day of surgery, and every proposal of ours there."""
    found = list(search_all(stage.hospital, "Appointment", [("patient", stage.patient)]))
    after = stage.days.after(1).isoformat()
    return [a for a in found if a.get("start", after) >= after]


def _ours(service: str) -> Resource:
    """Our Appointment, of which the hospital's is the copy."""
    found = httpx.get(f"{service}/fhir/Appointment?_count=200", timeout=30).json()
    carried = [e["resource"] for e in found["entry"] if key_of(e["resource"]) is not None]
    [visit] = [a for a in carried if "fu-first-visit-appointment" in a["identifier"][0]["value"]]
    assert visit["identifier"][0]["system"] == KEY_SYSTEM
    return visit


def _takes_place(stage: Stage, booked: Resource) -> None:
    day = stage.days.after(9)
    stage.clock(stage.at(day, 11, 30))
    stage.change(reference_to(booked), lambda a: {**a, "status": "fulfilled"})
    stage.record(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": stage.patient},
            "appointment": [{"reference": reference_to(booked)}],
            "period": lasting(stage, day, 10, 1),
        }
    )

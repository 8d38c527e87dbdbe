"""Hospitals: registered, described, activated or refused, paused, their clock and their duties."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from pathway.errors import HospitalError
from pathway.site import Site
from service.admin.app import admin_app
from service.bootstrap import Services, wire_clock
from tests.service.conftest import ROLES, Ask, asking, site

OWNERS = {role: {"reference": f"Practitioner/{role}"} for role in ROLES}


def audited(services: Services, name: str) -> list[tuple[str, str, str]]:
    with services.store.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT actor, action, reference FROM audit WHERE hospital = ? ORDER BY seq", (name,)
        )
        return [tuple(row) for row in rows]


def test_registering_answers_201_with_the_place_and_the_definitions(
    ask: Ask, services: Services, closed_base: str
) -> None:
    answered = ask("POST", "/hospitals", json={"base_url": closed_base + "/", "site": site()})
    assert answered.status_code == 201
    assert answered.headers["location"] == "/hospitals/north"
    assert answered.json()["status"] == "registered"
    assert answered.json()["base_url"] == closed_base
    assert services.store.repository("north").search("PlanDefinition").resources
    assert ("admin", "register", "hospital/north") in audited(services, "north")


def test_the_location_names_the_mount(services: Services, closed_base: str) -> None:
    from fastapi import FastAPI  # noqa: PLC0415

    outer = FastAPI()
    outer.mount("/admin/v1", admin_app(services, services.timetable()))
    answered = asking(services, app=outer)(
        "POST", "/admin/v1/hospitals", json={"base_url": closed_base, "site": site()}
    )
    assert answered.headers["location"] == "/admin/v1/hospitals/north"


def test_a_name_is_taken_once(ask: Ask, registered: str) -> None:
    answered = ask("POST", "/hospitals", json={"base_url": "https://other.example/fhir", "site": site()})
    assert answered.status_code == 409
    assert registered in answered.json()["detail"]


def test_the_same_registration_again_changes_nothing(ask: Ask, registered: str, closed_base: str) -> None:
    [before] = ask("GET", "/hospitals").json()["hospitals"]
    answered = ask("POST", "/hospitals", json={"base_url": closed_base, "site": site()})
    assert answered.status_code == 201
    [after] = ask("GET", "/hospitals").json()["hospitals"]
    assert (after["name"], after["registered_at"]) == (registered, before["registered_at"])


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"zone": "Mars/Base"}, "body.site.zone"),
        ({"zoen": "Europe/Berlin"}, "body.site.zoen"),
        ({"kind": "imaginary"}, "body.site.kind"),
        ({"roles": {"surgeon": {"reference": "Nobody"}}}, "body.site.roles.surgeon.reference"),
        ({"hospital": "North Hospital"}, "body.site.hospital"),
        ({"calendar": {"weekdays": [9]}}, "body.site.calendar.weekdays[0]"),
    ],
)
def test_a_wrong_site_is_refused_by_its_place_without_repeating_it(
    ask: Ask, closed_base: str, changes: dict[str, Any], where: str
) -> None:
    answered = ask("POST", "/hospitals", json={"base_url": closed_base, "site": site(**changes)})
    assert answered.status_code == 422
    assert answered.headers["content-type"] == "application/problem+json"
    problem = answered.json()
    assert [error["where"] for error in problem["errors"]] == [where]
    assert not any(sent in answered.text for sent in ("Mars/Base", "imaginary", "Nobody", "North Hospital"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hospital.example/fhir",
        "hospital.example",
        "http://u:p@hospital.example",
        "http://h/f?x=1",
        "http://h:x/",
        "",
    ],
)
def test_a_base_url_is_an_http_url_and_nothing_more(ask: Ask, url: str) -> None:
    answered = ask("POST", "/hospitals", json={"base_url": url, "site": site()})
    assert answered.status_code == 422
    assert answered.json()["errors"][0]["where"] == "body.base_url"


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"feverF": 100}, "There is no pathway parameter 'feverF'"),
        ({"feverC": "hot"}, "'feverC' takes a number"),
        ({"scoring": "sum"}, "'scoring' states a built-in decision"),
    ],
)
def test_a_wrong_parameter_of_the_pathway_is_refused(
    ask: Ask, closed_base: str, own: dict[str, Any], sentence: str
) -> None:
    wrong = site(parameters={"pathway": own})
    answered = ask("POST", "/hospitals", json={"base_url": closed_base, "site": wrong})
    assert (answered.status_code, sentence in answered.json()["detail"]) == (422, True)
    assert ask("POST", "/hospitals", json={"base_url": closed_base, "site": site()}).status_code == 201
    assert ask("PUT", "/hospitals/north/site", json=wrong).status_code == 422
    kept = ask("PUT", "/hospitals/north/site", json=site(parameters={"pathway": {"feverC": 38.5}}))
    assert (kept.status_code, kept.json()["parameters"]["pathway"]) == (200, {"feverC": 38.5})


def test_a_country_without_known_holidays_is_refused(ask: Ask, closed_base: str) -> None:
    answered = ask("POST", "/hospitals", json={"base_url": closed_base, "site": site(calendar={"country": "ZZ"})})
    assert answered.status_code == 422
    assert "public holidays of ZZ" in answered.json()["detail"]
    assert ask("GET", "/hospitals").json() == {"hospitals": []}


def test_a_hospital_without_owners_is_described_and_not_activated(ask: Ask, closed_base: str) -> None:
    roles = {role: owner for role, owner in OWNERS.items() if role != "coordinator"}
    ask("POST", "/hospitals", json={"base_url": closed_base, "site": site(roles=roles)})
    assert ask("GET", "/hospitals/north").json()["missing_roles"] == ["coordinator"]
    answered = ask("POST", "/hospitals/north/activate")
    assert answered.status_code == 422
    assert "coordinator" in answered.json()["detail"]
    assert ask("PUT", "/hospitals/north/site", json=site()).status_code == 200
    assert ask("POST", "/hospitals/north/activate").json()["status"] == "active"


def test_an_active_hospital_keeps_its_owners_name_and_kind(ask: Ask, services: Services, registered: str) -> None:
    ask("POST", f"/hospitals/{registered}/activate")
    for changed in (site(roles={}), site(kind="test"), site(hospital="south")):
        assert ask("PUT", f"/hospitals/{registered}/site", json=changed).status_code == 422
    assert services.site(registered).model_dump(mode="json")["roles"].keys() == OWNERS.keys()


def test_a_real_hospital_is_not_activated(ask: Ask, closed_base: str) -> None:
    ask("POST", "/hospitals", json={"base_url": closed_base, "site": site(kind="real")})
    answered = ask("POST", "/hospitals/north/activate")
    assert answered.status_code == 422
    assert answered.json()["type"].endswith("/refused")


def test_a_server_that_is_not_there_is_described_in_a_sentence(ask: Ask, registered: str) -> None:
    described = ask("GET", f"/hospitals/{registered}").json()
    assert described["reach"]["problem"].startswith(
        "Its CapabilityStatement could not be read: GET /metadata got no answer"
    )
    assert described["reach"]["types"] == {}
    assert described["counts"]["resources"]["Questionnaire"] > 0
    assert described["missing_roles"] == []


def test_reach_is_one_sentence_per_type(ask: Ask, services: Services, registered: str) -> None:
    from fhir_adapters.hospital.capability import write_plan  # noqa: PLC0415

    interaction = [{"code": "create"}, {"code": "update"}, {"code": "search-type"}]
    task = {"type": "Task", "interaction": interaction, "conditionalCreate": True}
    statement = {"software": {"name": "Server"}, "rest": [{"mode": "server", "resource": [task]}]}
    services.client(services.hospital(registered)).__dict__["plan"] = write_plan(statement)
    reach = ask("GET", f"/hospitals/{registered}").json()["reach"]
    assert reach["types"]["Task"].startswith("created once by If-None-Exist on our identifier; updated with If-Match")
    assert reach["software"] == "Server"
    assert reach["problem"] is None


def test_an_unknown_hospital_is_not_found(ask: Ask) -> None:
    for method, path in [
        ("GET", ""),
        ("POST", "/activate"),
        ("POST", "/pause"),
        ("POST", "/run"),
        ("GET", "/patients"),
    ]:
        assert ask(method, f"/hospitals/nowhere{path}").status_code == 404


def clinical_time(ask: Ask, name: str) -> datetime:
    return datetime.fromisoformat(ask("GET", f"/hospitals/{name}?reach=false").json()["clinical_time"])


def test_the_clock_goes_forward_by_seconds_and_to_a_time(ask: Ask, services: Services, registered: str) -> None:
    before = clinical_time(ask, registered)
    answered = ask("POST", f"/hospitals/{registered}/clock", json={"advance_seconds": 86400})
    assert datetime.fromisoformat(answered.json()["clinical_time"]) >= before + timedelta(days=1)
    until = before + timedelta(days=40)
    answered = ask("POST", f"/hospitals/{registered}/clock", json={"until": until.isoformat()})
    assert abs(datetime.fromisoformat(answered.json()["clinical_time"]) - until) < timedelta(seconds=10)
    assert audited(services, registered).count(("admin", "clock", "hospital/north")) == 2


@pytest.mark.parametrize(
    "body", [{"advance_seconds": -1}, {"until": "2020-01-01T00:00:00Z"}, {"advance_seconds": -3e8}]
)
def test_the_clock_never_goes_back(ask: Ask, registered: str, body: dict[str, Any]) -> None:
    answered = ask("POST", f"/hospitals/{registered}/clock", json=body)
    assert answered.status_code == 422
    assert answered.json()["detail"] in ("A clinical clock only goes forward",)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance_seconds": 1, "until": "2030-01-01T00:00:00Z"},
        {"until": "2030-01-01T00:00:00"},
        {"until": "9999-12-31T23:59:59Z"},
        {"advance_seconds": 1e300},
        {"advance_seconds": "soon"},
    ],
)
def test_a_clock_change_that_makes_no_sense_is_refused(ask: Ask, registered: str, body: dict[str, Any]) -> None:
    assert ask("POST", f"/hospitals/{registered}/clock", json=body).status_code == 422


def test_the_clock_of_a_real_hospital_cannot_be_set(ask: Ask, closed_base: str) -> None:
    body = {"base_url": closed_base, "site": site(kind="real")}
    assert ask("POST", "/hospitals", json={**body, "clinical_time": "2026-03-02T08:00:00Z"}).status_code == 422
    assert ask("POST", "/hospitals", json=body).status_code == 201
    answered = ask("POST", "/hospitals/north/clock", json={"advance_seconds": 60})
    assert answered.status_code == 422
    assert "real hospital" in answered.json()["detail"]


def test_a_demo_may_start_at_a_time_of_its_own(ask: Ask, closed_base: str) -> None:
    start = wire_clock() - timedelta(days=200)
    body = {"base_url": closed_base, "site": site(), "clinical_time": start.isoformat()}
    assert ask("POST", "/hospitals", json={**body, "clinical_time": "1970-01-01T00:00:00Z"}).status_code == 422
    ask("POST", "/hospitals", json=body)
    assert abs(clinical_time(ask, "north") - start) < timedelta(minutes=1)


def test_duties_run_on_request_and_say_how_they_ended(ask: Ask, registered: str) -> None:
    assert ask("POST", f"/hospitals/{registered}/run").status_code == 422
    ask("POST", f"/hospitals/{registered}/activate")
    done = {each["duty"]: each["outcome"] for each in ask("POST", f"/hospitals/{registered}/run").json()["duties"]}
    assert done["pull"].startswith("failed: GET")
    assert done["release"] == done["alert"] == "done: 0"
    assert {each["duty"] for each in ask("GET", f"/hospitals/{registered}").json()["duties"]} == set(done)
    ask("POST", f"/hospitals/{registered}/pause")
    assert ask("POST", f"/hospitals/{registered}/run").status_code == 422


def test_duties_never_run_side_by_side(services: Services, registered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    services.activate(registered)
    running, together = [0], [0]
    entered = threading.Lock()

    def slow(_: object) -> int:
        with entered:
            running[0] += 1
            together[0] = max(together[0], running[0])
        threading.Event().wait(0.02)
        with entered:
            running[0] -= 1
        raise HospitalError

    for duty in ("pull", "push", "release", "alert"):
        monkeypatch.setattr(services, duty, slow)
    timetable = services.timetable()
    ask = asking(services, app=admin_app(services, timetable))
    others = [threading.Thread(target=ask, args=("POST", f"/hospitals/{registered}/run")) for _ in range(3)]
    others.append(threading.Thread(target=timetable.run_due, kwargs={"now": True}))
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    assert together == [1]


def test_a_registration_that_was_cut_off_is_completed_by_repeating_it(
    ask: Ask, services: Services, closed_base: str
) -> None:
    chosen = Site.model_validate(site())
    services.store.register("north", chosen.kind, closed_base, chosen.model_dump(mode="json"))
    other = ask("POST", "/hospitals", json={"base_url": "https://other.example/fhir", "site": site()})
    assert other.status_code == 409
    again = ask("POST", "/hospitals", json={"base_url": closed_base, "site": site()})
    assert again.status_code == 201
    plans = services.store.repository("north").search("PlanDefinition", [])
    assert len(plans.resources) == 1

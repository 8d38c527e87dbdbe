"""Calendars to subscribe to: made and revoked over the admin REST, read without a header, silent about patients."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from icalendar import Calendar, Event
from typer.testing import CliRunner

from fhir_adapters.store.engine import create_engine
from pathway.ports import Resource, Update, search_all
from service import bootstrap
from service.app import create_app
from service.bootstrap import Services
from service.cli import app as command_line
from service.demo.processes import DutyDesk, free_port, service_process
from service.demo.records import Clinic
from tests.service.conftest import Ask, arrive, asking, site
from tests.service.test_admin_patients import operated
from tests.service.test_doors import OWNERS

FEEDS = "/hospitals/north/feeds"


@pytest.fixture
def visit(services: Services, enrolled: str) -> Resource:
    """The proposed follow-up of a patient who was operated two days ago."""
    operated(services, enrolled)
    return appointment(services)


@pytest.fixture
def fetch(services: Services) -> Iterator[Callable[..., httpx.Response]]:
    """What a calendar program does: no header of ours, only the address."""
    ask = asking(services, create_app(services, work=False))

    def fetched(url: str, method: str = "GET", **headers: str) -> httpx.Response:
        return ask(method, httpx.URL(url).path, headers=headers)

    yield fetched


Fetch = Callable[..., httpx.Response]


def appointment(services: Services) -> Resource:
    [found] = search_all(services.store.repository("north"), "Appointment")
    return found


def changed(services: Services, visit: Resource, **elements: object) -> None:
    """The hospital changes its copy."""
    with services.store.transaction("north") as tx:
        [written] = tx.transact([Update({**tx.read("Appointment", visit["id"]), **elements})])
        services.react("north", tx, written.resource)


def made(ask: Ask, label: str = "Front desk", scope: str = "clinic", path: str = FEEDS) -> dict[str, str]:
    answered = ask("POST", path, json={"label": label, "scope": scope})
    assert answered.status_code == 201, answered.text
    feed: dict[str, str] = answered.json()
    return feed


def events(shown: httpx.Response) -> list[Event]:
    assert shown.status_code == 200, shown.text
    return [e for e in Calendar.from_ical(shown.content).events if "stale" not in e["SUMMARY"]]


def stale(shown: httpx.Response) -> list[str]:
    return [str(e["SUMMARY"]) for e in Calendar.from_ical(shown.content).events if "stale" in e["SUMMARY"]]


@pytest.mark.usefixtures("registered")
def test_the_address_is_shown_once_and_kept_as_a_hash(ask: Ask, services: Services) -> None:
    feed = made(ask)
    assert feed["url"].startswith(f"{services.settings.public_url}/feeds/")
    token = feed["url"].rpartition("/")[2].removesuffix(".ics")
    assert len(token) == 43
    listed = ask("GET", FEEDS)
    assert [(f["label"], f["scope"], f["created_by"]) for f in listed.json()["feeds"]] == [
        ("Front desk", "clinic", "admin")
    ]
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert token not in listed.text
    assert digest not in listed.text
    kept = Path(str(services.store.engine.url.database)).parent.glob("service.db*")
    stored = b"".join(path.read_bytes() for path in kept)
    assert (token.encode() in stored, digest.encode() in stored) == (False, True)


def test_a_visit_is_followed_from_proposal_to_booking_to_cancellation(
    ask: Ask, services: Services, visit: Resource, fetch: Fetch
) -> None:
    url = made(ask)["url"]
    [proposed] = events(fetch(url))
    assert (proposed["SUMMARY"], proposed["STATUS"]) == ("Follow-up visit, proposed", "TENTATIVE")
    assert str(proposed.start) == visit["requestedPeriod"][0]["start"]
    start, end = f"{proposed.start}T08:00:00Z", f"{proposed.start}T08:30:00Z"
    changed(services, visit, status="booked", start=start, end=end)
    [booked] = events(fetch(url))
    assert (booked["STATUS"], booked["DTSTART"].params["TZID"]) == ("CONFIRMED", "Europe/Berlin")
    changed(services, visit, status="cancelled")
    cancelled, again = sorted(events(fetch(url)), key=lambda event: str(event["STATUS"]))
    assert (cancelled["STATUS"], cancelled.start) == ("CANCELLED", booked.start)
    assert (again["SUMMARY"], again["UID"] == visit["id"]) == ("Follow-up visit, proposed", False)
    assert proposed["SEQUENCE"] < booked["SEQUENCE"] < cancelled["SEQUENCE"]
    assert {str(event["UID"]) for event in (proposed, booked, cancelled)} == {visit["id"]}
    assert ask("GET", httpx.URL(str(proposed["URL"])).path.removeprefix("/admin/v1")).status_code == 200


def test_nothing_of_the_patient_is_in_it(ask: Ask, services: Services, visit: Resource, fetch: Fetch) -> None:
    record = {"resourceType": "Patient", "id": "p1", "birthDate": "1961-05-17", "name": [{"family": "Nobodysname"}]}
    arrive(services, "north", record | {"identifier": [{"system": "https://hospital.example/mrn", "value": "MRN-77"}]})
    said = "Erna Nobodysname, MRN-77, born 1961-05-17\r\nX-EVIL:1"
    changed(services, visit, comment=said, description=said, patientInstruction=said)
    shown = fetch(made(ask)["url"])
    assert len(events(shown)) == 1
    unfolded = shown.text.replace("\r\n ", "")
    for secret in ("Nobodysname", "Erna", "1961", "MRN", "6595006", "X-EVIL", "Patient/", "/p1", "r-p1", "sclerosis"):
        assert secret not in unfolded


def test_an_unchanged_calendar_is_not_sent_again(ask: Ask, services: Services, visit: Resource, fetch: Fetch) -> None:
    url = made(ask)["url"]
    first, second = fetch(url), fetch(url)
    assert first.content == second.content
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    expected = {"cache-control": "private, no-cache", "referrer-policy": "no-referrer"}
    assert {name: first.headers[name] for name in expected} == expected
    assert first.headers["x-robots-tag"].startswith("noindex")
    tag = first.headers["etag"]
    for header in (tag, f'"other", W/{tag}', "*"):
        again = fetch(url, **{"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    changed(services, visit, status="noshow")
    assert fetch(url, **{"If-None-Match": tag}).status_code == 200
    head = fetch(url, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert fetch(url, "POST").status_code == 405


@pytest.mark.usefixtures("visit")
def test_a_revoked_address_is_one_that_never_was(ask: Ask, services: Services, fetch: Fetch) -> None:
    feed, other = made(ask), made(ask, "Second desk")
    assert events(fetch(feed["url"]))
    revoked = ask("DELETE", f"{FEEDS}/{feed['id']}")
    assert revoked.status_code == 200
    assert ask("DELETE", f"{FEEDS}/{feed['id']}").json() == revoked.json()
    wrong = f"{services.settings.public_url}/feeds/{'A' * 43}.ics"
    answers = [fetch(url) for url in (feed["url"], wrong, feed["url"][:-5] + ".ics", wrong.replace("AAA", "%ff"))]
    assert {(a.status_code, a.content, str(a.headers.raw)) for a in answers} == {
        (404, b"There is no such calendar.\n", str(answers[0].headers.raw))
    }
    assert events(fetch(other["url"]))
    assert ask("DELETE", f"{FEEDS}/nothing").status_code == 404
    with services.store.engine.connect() as connection:
        query = "SELECT actor, action, reference FROM audit WHERE reference LIKE 'feed/%' ORDER BY seq"
        audited = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert audited == [
        ("admin", "create", f"feed/{feed['id']}"),
        ("admin", "create", f"feed/{other['id']}"),
        ("admin", "revoke", f"feed/{feed['id']}"),
    ]


@pytest.mark.usefixtures("visit")
def test_somebodys_calendar_has_only_their_visits(ask: Ask, fetch: Fetch) -> None:
    assert len(events(fetch(made(ask, scope="Practitioner/surgeon")["url"]))) == 1
    assert events(fetch(made(ask, scope="Practitioner/coordinator")["url"])) == []
    assert events(fetch(made(ask, scope="PractitionerRole/surgeon")["url"])) == []


def test_another_hospitals_calendar_has_none_of_these(
    ask: Ask, visit: Resource, fetch: Fetch, closed_base: str
) -> None:
    body = {"base_url": closed_base, "site": site(hospital="south", zone="America/New_York")}
    assert ask("POST", "/hospitals", json=body).status_code == 201
    feed = made(ask, path="/hospitals/south/feeds")
    shown = fetch(feed["url"])
    assert events(shown) == []
    assert visit["id"] not in shown.text
    assert "TZID:America/New_York" in shown.text
    assert ask("DELETE", f"{FEEDS}/{feed['id']}").status_code == 404
    assert ask("GET", FEEDS).json()["feeds"] == []


@pytest.mark.usefixtures("visit")
def test_a_calendar_that_nobody_keeps_in_step_says_so(
    ask: Ask, services: Services, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = made(ask)["url"]
    assert stale(fetch(url)) == ["This calendar is stale and never was up to date"]
    for duty in ("pull", "release"):
        services.store.heartbeat(f"north.{duty}", "done: 0")
    assert stale(fetch(url)) == []
    real = bootstrap.wire_clock
    services.feeds.store._clock = lambda: real() + timedelta(minutes=20)
    monkeypatch.setattr(bootstrap, "wire_clock", services.feeds.store._clock)
    services.store.heartbeat("north.release", "done: 0")
    services.store.heartbeat("north.pull", "failed: nobody there", well=False)
    [said] = stale(fetch(url))
    assert said.startswith("This calendar is stale since 20")
    assert len(events(fetch(url))) == 1
    services.store.heartbeat("north.pull", "done: 0")
    assert stale(fetch(url)) == []


def test_a_hospital_that_does_not_answer_makes_its_calendars_stale(
    ask: Ask, services: Services, registered: str, fetch: Fetch
) -> None:
    services.activate(registered)
    services.timetable().run_due()
    beats = {beat.name: beat for beat in services.store.heartbeats()}
    assert beats["north.pull"].note.startswith("failed")
    assert (beats["north.pull"].well_at, beats["north.release"].well_at is None) == (None, False)
    assert stale(fetch(made(ask)["url"])) != []


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": " "},
        {"label": "Desk\r\nX-EVIL:1"},
        {"label": "x" * 81},
        {"label": "Desk", "scope": "Patient/p1"},
        {"label": "Desk", "scope": "Practitioner/a,b"},
        {"label": "Desk", "scope": "everything"},
        {"label": "Desk", "with_names": True},
    ],
)
def test_what_makes_no_calendar_is_refused(ask: Ask, body: dict[str, object]) -> None:
    answered = ask("POST", FEEDS, json=body)
    assert (answered.status_code, ask("GET", FEEDS).json()["feeds"]) == (422, [])


def test_a_site_that_cannot_be_read_is_no_calendar_and_no_error(
    ask: Ask, services: Services, registered: str, fetch: Fetch
) -> None:
    url = made(ask)["url"]
    services.store.set_site(registered, {})
    assert fetch(url).status_code == 503


@pytest.mark.usefixtures("registered")
def test_who_reads_it_last_is_known_to_the_hour(ask: Ask, fetch: Fetch) -> None:
    url = made(ask)["url"]
    assert ask("GET", FEEDS).json()["feeds"][0]["last_used_at"] is None
    fetch(url)
    used = ask("GET", FEEDS).json()["feeds"][0]["last_used_at"]
    fetch(url)
    assert used is not None
    assert ask("GET", FEEDS).json()["feeds"][0]["last_used_at"] == used


def test_the_address_never_reaches_the_log_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = DutyDesk()
    process = service_process(tmp_path, desk, free_port(), PULL_SECONDS="60")
    process.start()
    try:
        body = {"base_url": "http://127.0.0.1:9/fhir", "site": Clinic().site(OWNERS).model_dump(mode="json")}
        assert httpx.post(f"{process.url}/admin/v1/hospitals", json=body, timeout=30).status_code == 201
        monkeypatch.setenv("CALCINOSIS_PATHWAY_DATABASE_URL", process.environment["CALCINOSIS_PATHWAY_DATABASE_URL"])
        monkeypatch.setenv("CALCINOSIS_PATHWAY_PUBLIC_URL", process.url)
        printed = CliRunner().invoke(command_line, ["feed", body["site"]["hospital"], "--label", "Front desk"])
        url = printed.output.strip()
        assert httpx.get(url, timeout=30).status_code == 200
        wrong = f"{process.url}/feeds/{'B' * 43}.ics"
        assert [httpx.get(wrong, timeout=30).status_code, httpx.post(url, timeout=30).status_code] == [404, 405]
        engine = create_engine(process.environment["CALCINOSIS_PATHWAY_DATABASE_URL"])
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE heartbeat RENAME TO gone")
        engine.dispose()
        assert httpx.get(url, timeout=30).status_code == 500
    finally:
        process.stop()
        desk.close()
    log = process.log.read_text()
    assert log.count('"route": "/feeds/{token}.ics"') == 3
    assert "Traceback" in log
    for secret in (url.rpartition("/")[2].removesuffix(".ics"), "B" * 43):
        assert secret not in log

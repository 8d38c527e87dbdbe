"""Alerts over real SMTP and HTTP: climbing, failing, confirmed, acknowledged, and never with patient data."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr

from pathway.errors import HospitalError, Refused, Unreachable
from pathway.library import Library
from pathway.ports import Alert
from service.bootstrap import Services, open_store, wire_clock
from service.calling import Calling
from service.mail import Mail, MailServer, mail_server
from service.settings import Settings
from tests.servers import smtp
from tests.servers.smtp import Sink
from tests.servers.webhook import Desk, receiving
from tests.service.conftest import Ask, asking, site

FROM, DESK, HEAD = "alerts@service.example", "desk@hospital.example", "head@hospital.example"


@dataclass
class House:
    """A hospital with the ladder desk by mail, pager by webhook after 15 minutes, head by mail after 60."""

    services: Services
    ask: Ask
    sink: Sink
    pager: Desk

    def at(self, minutes: float) -> int:
        """Run the duty as if so many minutes had passed."""
        calling, name = self.services.calling, "north"
        store = open_store(self.services.settings.database_url)
        moved = wire_clock() + timedelta(minutes=minutes)
        store._clock = lambda: moved
        ran = Calling(store, calling.routes, calling.settings, lambda: moved).run(self.services.site(name))
        store.engine.dispose()
        return ran

    def raised(self) -> str:
        with self.services.store.transaction("north") as tx:
            tx.alert(Alert("flag-leg-clot-signs", "urgent", "Task/t1"))
        (found,) = self.ask("GET", "/hospitals/north/alerts").json()["alerts"]
        return f"/hospitals/north/alerts/{found['id']}"

    def labels(self) -> list[tuple[str, bool]]:
        (found,) = self.ask("GET", "/hospitals/north/alerts").json()["alerts"]
        calls = self.ask("GET", f"/hospitals/north/alerts/{found['id']}").json()["calls"]
        return [(call["step"], call["delivered"]) for call in calls]


def ladder(pager: str, first: str = DESK) -> dict[str, Any]:
    return {
        "steps": [
            {"label": "desk", "to": [first]},
            {"label": "pager", "after_minutes": 15, "to": [pager]},
            {"label": "head", "after_minutes": 60, "to": [HEAD]},
        ],
        "repeat_minutes": 30,
    }


@pytest.fixture
def house(tmp_path: Path, library: Library, closed_base: str) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/service.db"
    with smtp.running() as sink, receiving() as pager, httpx.Client(timeout=5) as http:
        settings = Settings(
            database_url=url,
            alert_smtp_url=SecretStr(f"smtp://127.0.0.1:{sink.port}?starttls=off"),
            alert_mail_from=FROM,
            alert_webhook_secret=SecretStr("key"),
        )
        services = Services(settings, open_store(url), library, http)
        ask = asking(services)
        body = {"base_url": closed_base, "site": site(alerts=ladder(pager.url))}
        assert ask("POST", "/hospitals", json=body).status_code == 201
        yield House(services, ask, sink, pager)
        services.store.engine.dispose()


def test_the_ladder_is_climbed_until_somebody_acknowledges(house: House) -> None:
    alert = house.raised()
    assert [house.at(0), house.at(1), house.at(16), house.at(31)] == [1, 0, 1, 1]
    assert [mail["To"] for mail in house.sink.mails] == [DESK, DESK]
    assert house.labels() == [("desk", True), ("pager", True), ("desk", True)]
    answered = house.ask("POST", f"{alert}/acknowledge", json={"by": "Kim"}).json()
    assert (answered["state"], answered["acknowledged_by"]) == ("acknowledged", "Kim")
    assert answered["acknowledged_at"]
    assert house.at(120) == 0


def test_messages_and_logs_hold_a_code_and_a_link_and_nothing_else(house: House) -> None:
    alert = house.raised()
    with structlog.testing.capture_logs() as logs:
        house.at(16)
    [mail], [body], [signature] = house.sink.mails, house.pager.bodies, house.pager.signatures
    link = f"{house.services.settings.public_url}/admin/v1{alert}"
    said = {"code": "flag-leg-clot-signs", "priority": "urgent", "link": link, "hospital": "north"}
    assert house.pager.received == [said]
    assert signature == "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()
    assert mail["Subject"] == "URGENT: leg clot signs, north"
    text = mail.get_content()
    assert f"{link}/acknowledge" in text
    for secret in ("Task/t1", "Patient", "Nobodysname"):
        assert secret not in f"{mail.as_string()} {body!r} {logs}"
    assert all(address not in str(logs) for address in (DESK, HEAD, house.pager.url))
    assert [entry["step"] for entry in logs] == ["desk", "pager"]


def test_a_route_that_fails_is_tried_again_and_holds_up_nobody(house: House) -> None:
    house.raised()
    house.sink.refuse = "451 later"
    with structlog.testing.capture_logs() as logs:
        assert house.at(16) == 1
    assert house.labels() == [("desk", False), ("pager", True)]
    assert DESK not in str(logs)
    house.sink.refuse = None
    assert house.at(16.2) == 1
    assert house.labels()[-1] == ("desk", True)


def test_a_process_that_dies_before_it_records_calls_twice_and_never_not_at_all(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.raised()

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("fhir_adapters.store.sql.SqlStore.record_call", dies)
        house.at(0)
    assert house.at(5) == 1
    assert [mail["To"] for mail in house.sink.mails] == [DESK, DESK]


def test_a_route_is_confirmed_by_the_code_that_arrived_until_the_address_changes(house: House) -> None:
    routes = "/hospitals/north/alert-routes"
    desk = house.ask("GET", routes).json()["alert_routes"][0]
    assert (desk["step"], desk["address"], desk["confirmed_at"], desk["last_outcome"]) == ("desk", DESK, None, None)
    assert house.ask("POST", f"{routes}/{desk['route']}/test").json()["last_outcome"] == "delivered"
    found = re.search(r"Code: (\w+)", house.sink.mails[0].get_content())
    assert found
    place, code = f"{routes}/{desk['route']}/confirm", found[1]
    assert house.ask("POST", place, json={"code": "WRONG"}).status_code == 422
    assert house.ask("POST", place, json={"code": code.lower()}).json()["confirmed_at"]
    assert house.ask("POST", place, json={"code": code}).status_code == 422
    with house.services.store.engine.connect() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM alert_route").all())
    assert code not in kept
    for first in (HEAD.replace("head", "new"), DESK):
        changed = site(alerts=ladder(house.pager.url, first))
        assert house.ask("PUT", "/hospitals/north/site", json=changed).status_code == 200
        assert house.ask("GET", routes).json()["alert_routes"][0]["confirmed_at"] is None
    assert house.ask("POST", f"{routes}/nobody/test").status_code == 404


def test_five_wrong_codes_or_a_day_end_a_test(house: House) -> None:
    routes = "/hospitals/north/alert-routes"
    pager = house.ask("GET", routes).json()["alert_routes"][1]["route"]
    house.ask("POST", f"{routes}/{pager}/test")
    for _ in range(5):
        house.ask("POST", f"{routes}/{pager}/confirm", json={"code": "WRONG"})
    code = house.pager.received[0]["confirmation"]
    assert house.ask("POST", f"{routes}/{pager}/confirm", json={"code": code}).status_code == 422
    house.ask("POST", f"{routes}/{pager}/test")
    confirming, north = house.services.confirming, house.services.site("north")
    tomorrow = replace(confirming.calling, clock=lambda: wire_clock() + timedelta(hours=24))
    with pytest.raises(Refused, match="Send another test"):
        replace(confirming, calling=tomorrow).confirm(north, pager, house.pager.received[1]["confirmation"], "admin")


def test_a_test_that_does_not_arrive_says_why(house: House) -> None:
    house.sink.refuse = f"550 no {DESK}"
    desk = house.ask("GET", "/hospitals/north/alert-routes").json()["alert_routes"][0]["route"]
    answered = house.ask("POST", f"/hospitals/north/alert-routes/{desk}/test")
    assert (answered.status_code, "(550)" in answered.text, DESK in answered.text) == (502, True, False)


def test_without_the_starttls_that_is_required_nothing_is_sent() -> None:
    with smtp.running() as sink:
        server = mail_server(f"smtp://me:secret@127.0.0.1:{sink.port}?starttls=required", FROM, 5)
        with pytest.raises(HospitalError, match="STARTTLS"):
            server.send(Mail(DESK, "s", "t", {}))
    assert (sink.mails, [c for c in sink.commands if c.startswith(("AUTH", "MAIL"))]) == ([], [])
    with pytest.raises(Unreachable, match="gave no answer"):
        MailServer("127.0.0.1", sink.port, FROM, "none").send(Mail(DESK, "s", "t", {}))


@pytest.mark.parametrize(
    "url", ["http://h", "smtp://", "smtp://h?starttls=maybe", "smtp://h?x=1", "smtp://me:secret@h?starttls=off"]
)
def test_mail_settings_that_cannot_be_meant_are_refused_without_the_password(url: str) -> None:
    with pytest.raises(Refused, match="ALERT_SMTP_URL") as caught:
        mail_server(url, FROM, 5)
    assert "secret" not in str(caught.value)

"""Due work, outbox, quarantine and alerts, as people look at them and act on them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from fhir_adapters.store.outbox import OUTBOX
from pathway.codes import PLAN
from pathway.due_work import DueWork
from pathway.library import Library
from pathway.ports import Alert, Quarantined, Resource
from service.bootstrap import Services
from tests.service.conftest import Ask, arrive, condition, patient, referral
from tests.service.test_admin_hospitals import audited

LEASE = timedelta(seconds=60)


def only_entry(ask: Ask) -> dict[str, str]:
    (entry,) = ask("GET", "/hospitals/north/quarantine").json()["quarantine"]
    found: dict[str, str] = entry
    return found


@pytest.fixture
def early(services: Services, registered: str) -> str:
    """A referral came before its patient, and is in quarantine."""
    arrive(services, registered, referral())
    return registered


def test_a_quarantined_referral_is_acted_on_once_its_patient_is_there(ask: Ask, services: Services, early: str) -> None:
    entry = only_entry(ask)
    assert (entry["reason"], entry["reference"], entry["state"]) == (
        "referral-patient-unknown",
        "ServiceRequest/r-p1",
        "open",
    )
    again = ask("POST", f"/hospitals/{early}/quarantine/{entry['id']}/retry").json()
    assert again["outcome"].startswith("It was put aside again: The referral names a patient")
    assert (again["entry"]["state"], again["entry"]["retries"]) == ("open", 1)

    arrive(services, early, patient(), condition())
    assert len(ask("GET", f"/hospitals/{early}/patients").json()["patients"]) == 1
    again = ask("POST", f"/hospitals/{early}/quarantine/{entry['id']}/retry").json()
    assert again["outcome"] == "It was acted on, and is resolved"
    assert again["entry"]["state"] == "resolved"
    assert len(ask("GET", f"/hospitals/{early}/patients").json()["patients"]) == 1
    assert ask("GET", f"/hospitals/{early}/quarantine").json() == {"quarantine": []}
    assert len(ask("GET", f"/hospitals/{early}/quarantine?open=false").json()["quarantine"]) == 1
    assert ask("POST", f"/hospitals/{early}/quarantine/{entry['id']}/retry").status_code == 409
    assert ("admin", "retry", f"quarantine/{entry['id']}") in audited(services, early)


def test_a_plan_that_still_cannot_be_worked_out_stays_in_quarantine(
    ask: Ask, services: Services, registered: str, enrolled: str
) -> None:
    def retried() -> tuple[str, str]:
        again = ask("POST", f"/hospitals/{registered}/quarantine/{only_entry(ask)['id']}/retry").json()
        return again["outcome"], again["entry"]["state"]

    sound = services.content.shipped
    ship(services, registered, Library([broken(d) if d.get("url") == PLAN else d for d in sound.resources()]))
    arrive(services, registered, {**patient(), "gender": "female"})
    entry = only_entry(ask)
    assert (entry["reason"], entry["reference"]) == ("plan-undecided", f"CarePlan/{enrolled}")
    assert "1 | 2 gave 2 values" in entry["explanation"]
    assert retried() == (f"It was put aside again: {entry['explanation']}", "open")
    ship(services, registered, sound)
    assert retried() == ("It was acted on, and is resolved", "resolved")


def broken(plan: Resource) -> Resource:
    """Its first action has a condition that gives two values."""
    condition = {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": "1 | 2"}}
    first, *rest = plan["action"]
    return {**plan, "action": [{**first, "condition": [condition]}, *rest]}


def ship(services: Services, hospital: str, content: Library) -> None:
    """Past the check that refuses such content when it is loaded."""
    services.content.shipped = content
    services.content.publish(hospital)


def test_resolving_needs_a_name_and_a_note_and_is_audited(ask: Ask, services: Services, early: str) -> None:
    id = only_entry(ask)["id"]
    for body in ({"by": "Kim"}, {"by": " ", "note": "done"}, {"by": "Kim", "note": "x", "more": 1}):
        assert ask("POST", f"/hospitals/{early}/quarantine/{id}/resolve", json=body).status_code == 422
    answered = ask("POST", f"/hospitals/{early}/quarantine/{id}/resolve", json={"by": "Kim", "note": "test order"})
    assert answered.json()["state"] == "resolved"
    assert ("admin", "resolve for Kim: test order", f"quarantine/{id}") in audited(services, early)
    answered = ask("POST", f"/hospitals/{early}/quarantine/{id}/resolve", json={"by": "Kim", "note": "again"})
    assert answered.status_code == 409


def test_what_only_a_person_can_settle_is_not_retried(ask: Ask, services: Services, registered: str) -> None:
    with services.store.transaction(registered) as tx:
        tx.quarantine(Quarantined("key-unknown", "Strange.", "Task/t1", "1"))
        tx.quarantine(Quarantined("odd", "About nothing."))
        tx.quarantine(Quarantined("odd", "About something that is not here.", "Task/t2"))
    entries = ask("GET", f"/hospitals/{registered}/quarantine").json()["quarantine"]
    assert len(entries) == 3
    for entry in entries:
        answered = ask("POST", f"/hospitals/{registered}/quarantine/{entry['id']}/retry")
        assert answered.status_code == 422
        assert "resolve it" in answered.json()["detail"]
    retries = [e["retries"] for e in ask("GET", f"/hospitals/{registered}/quarantine").json()["quarantine"]]
    assert retries == [0, 0, 0]


def test_due_work_that_was_put_aside_is_due_again_on_request(ask: Ask, services: Services, enrolled: str) -> None:
    now, plan = services.now("north"), f"CarePlan/{enrolled}"
    odd = DueWork("north:odd", "fax", now.clinical, "2026-03-02T10:00", "Europe/Berlin", plan, "a", "Send a fax")
    with services.store.transaction("north") as tx:
        tx.due.plan(odd)
    record = services.store.hospital("north")
    assert services.release(record) == 0
    entry = only_entry(ask)
    assert (entry["reason"], entry["reference"], entry["version"]) == ("due-kind-unknown", plan, "north:odd/1")

    retry = f"/hospitals/north/quarantine/{entry['id']}/retry"
    assert ask("POST", retry).json()["outcome"].startswith("It is due again, and is resolved")
    assert ask("POST", retry).status_code == 409
    assert services.release(record) == 0
    again = only_entry(ask)
    assert again["version"] == "north:odd/2"

    with services.store.engine.begin() as connection:
        connection.execute(text("UPDATE due SET kind = 'start' WHERE key = 'north:odd'"))
    assert ask("POST", f"/hospitals/north/quarantine/{again['id']}/retry").json()["entry"]["state"] == "resolved"
    assert services.release(record) == 1
    assert ask("GET", "/hospitals/north/quarantine").json() == {"quarantine": []}


def test_due_work_that_was_called_off_cannot_be_taken_up(ask: Ask, services: Services, registered: str) -> None:
    with services.store.transaction(registered) as tx:
        tx.quarantine(Quarantined("due-failed", "It failed.", "CarePlan/c1", "north:gone/1"))
    assert ask("POST", f"/hospitals/north/quarantine/{only_entry(ask)['id']}/retry").status_code == 409
    assert only_entry(ask)["state"] == "open"


def test_the_outbox_shows_what_waits_and_sends_again_on_request(ask: Ask, services: Services, enrolled: str) -> None:
    waiting = ask("GET", "/hospitals/north/outbox?state=waiting").json()
    assert f"CarePlan/{enrolled}" in [entry["reference"] for entry in waiting["outbox"]]
    assert ask("GET", "/hospitals/north/outbox?limit=1").json()["total"] == waiting["total"]
    claim = next(c for c in services.store.claim_outbox("north", 50, LEASE) if c.type == "CarePlan")
    retry = f"/hospitals/north/outbox/CarePlan/{enrolled}/retry"
    assert ask("POST", retry).status_code == 409
    services.store.quarantine_outbox(claim, "The hospital's server will never accept it")
    entry = only_entry(ask)
    assert entry["reason"] == OUTBOX
    assert ask("POST", retry).json()["state"] == "waiting"
    assert ask("POST", "/hospitals/north/outbox/Task/none/retry").status_code == 404

    claim = next(c for c in services.store.claim_outbox("north", 50, LEASE) if c.type == "CarePlan")
    services.store.quarantine_outbox(claim, "Again not")
    answered = ask("POST", f"/hospitals/north/quarantine/{entry['id']}/retry").json()
    assert answered["outcome"] == "It is queued to be sent again"
    assert answered["entry"]["state"] == "open"
    states = {e["reference"]: e["state"] for e in ask("GET", "/hospitals/north/outbox").json()["outbox"]}
    assert states[f"CarePlan/{enrolled}"] == "waiting"


def test_an_alert_is_answered_once_and_by_the_first(ask: Ask, services: Services, registered: str) -> None:
    with services.store.transaction(registered) as tx:
        tx.alert(Alert("flag-fever", "urgent", "Task/t1"))
    (found,) = ask("GET", f"/hospitals/{registered}/alerts").json()["alerts"]
    place = f"/hospitals/{registered}/alerts/{found['id']}"
    assert ask("GET", place).json() == {**found, "calls": []}
    assert ask("POST", f"{place}/acknowledge", json={}).status_code == 422
    assert ask("POST", f"{place}/acknowledge", json={"by": "Kim"}).json()["acknowledged_by"] == "Kim"
    assert ask("POST", f"{place}/acknowledge", json={"by": "Lee"}).json()["acknowledged_by"] == "Kim"
    assert ask("GET", f"/hospitals/{registered}/alerts?unanswered=true").json() == {"alerts": []}
    assert ask("GET", f"/hospitals/{registered}/alerts/none").status_code == 404
    assert ask("POST", f"/hospitals/{registered}/alerts/none/acknowledge", json={"by": "Kim"}).status_code == 404

"""The places of a clinic are those of the hospital's server, also when there are fewer than before."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.slots import Slots
from pathway.errors import NotFound, Unreachable
from pathway.ports import Create, Delete, Resource, Update, search_all
from tests.fhir_adapters.hospital.conftest import HERE, Ours, Theirs
from tests.fhir_adapters.hospital.proxy import Proxy, altered, cut, everything

TODAY = date(2026, 3, 16)
STARTS = ("2026-03-26T08:00:00Z", "2026-03-27T08:00:00Z", "2026-09-01T08:00:00Z")
WOUNDS: Resource = {
    "resourceType": "Schedule",
    "id": "wounds",
    "actor": [{"reference": "HealthcareService/wounds", "display": "Wound clinic"}],
    "planningHorizon": {"start": "2026-03-01", "end": "2026-04-30"},
}


def slot(id: str, start: str = "2026-03-26T08:00:00Z", status: str = "free", schedule: str = "wounds") -> Resource:
    end = start.replace(":00:00", ":20:00")
    reference = {"reference": f"Schedule/{schedule}"}
    return {"resourceType": "Slot", "id": id, "schedule": reference, "status": status, "start": start, "end": end}


def kept(ours: Ours) -> dict[str, str]:
    return {found["id"]: found["status"] for found in search_all(ours.store.repository(HERE), "Slot")}


@pytest.fixture
def slots(ours: Ours, our_server: Theirs) -> Slots:
    our_server.holds(WOUNDS, {**WOUNDS, "id": "theatre"})
    return Slots(ours.store, HERE, ours.client, ["Schedule/wounds"])


def test_those_of_the_clinic_in_the_weeks_ahead(slots: Slots, ours: Ours, our_server: Theirs) -> None:
    our_server.holds(
        slot("s1"),
        slot("s2", status="busy"),
        slot("past", "2026-03-15T08:00:00Z"),
        slot("far", "2026-09-01T08:00:00Z"),
        slot("other", schedule="theatre"),
    )
    assert [slots.run(TODAY) for _ in range(2)] == [3, 0]
    assert kept(ours) == {"s1": "free", "s2": "busy"}
    assert ours.read(WOUNDS)["planningHorizon"] == WOUNDS["planningHorizon"]


def test_what_changes_and_what_goes(slots: Slots, ours: Ours, our_server: Theirs) -> None:
    our_server.holds(slot("s1"), slot("s2"), slot("s3"))
    slots.run(TODAY)
    our_server.changes("Slot/s1", status="busy")
    our_server.changes("Slot/s3", schedule={"reference": "Schedule/theatre"})
    our_server.data.transact([Delete("Slot", "s2")])
    assert slots.run(TODAY) == 3
    assert kept(ours) == {"s1": "busy"}
    our_server.holds(slot("s2"))
    assert slots.run(TODAY) == 1
    assert kept(ours) == {"s1": "busy", "s2": "free"}


def test_a_server_that_answers_with_every_slot_it_has(
    slots: Slots, ours: Ours, our_server: Theirs, proxy: Proxy
) -> None:
    our_server.holds(slot("s1"), slot("other", schedule="theatre"))
    proxy.always("GET", "Slot", everything)
    slots.run(TODAY)
    assert kept(ours) == {"s1": "free"}


def test_one_that_cannot_be_stored_does_not_keep_the_others(
    slots: Slots, ours: Ours, our_server: Theirs, proxy: Proxy
) -> None:
    def broken(bundle: Resource) -> None:
        bundle["entry"][0]["resource"]["id"] = "no FHIR id"

    our_server.holds(slot("s1"), slot("s2"))
    proxy.always("GET", "Slot", altered(broken))
    slots.run(TODAY)
    assert len(kept(ours)) == 1
    assert [reason for reason, _ in ours.quarantine()] == ["not-stored"]


def test_an_answer_that_breaks_off_takes_nothing_away(
    slots: Slots, ours: Ours, our_server: Theirs, proxy: Proxy
) -> None:
    our_server.holds(slot("s1"))
    slots.run(TODAY)
    proxy.once("GET", "Slot", cut)
    with pytest.raises(Unreachable):
        slots.run(TODAY)
    assert kept(ours) == {"s1": "free"}


def test_a_schedule_that_is_not_there(ours: Ours) -> None:
    with pytest.raises(NotFound):
        Slots(ours.store, HERE, ours.client, ["Schedule/nowhere"]).run(TODAY)


@pytest.mark.parametrize("server", ["hapi_base", "sekmet_base"])
def test_on_real_servers(server: str, ours: Ours, http: httpx.Client, request: pytest.FixtureRequest) -> None:
    client = HospitalClient(request.getfixturevalue(server), http)
    nowhere_else = {**WOUNDS, "actor": [{"display": "Wound clinic"}]}
    schedules = client.transact([Create({n: v for n, v in nowhere_else.items() if n != "id"})])
    schedule = schedules[0].resource["id"]
    bodies = [{n: v for n, v in slot("", start, schedule=schedule).items() if n != "id"} for start in STARTS]
    made = [client.transact([Create(body)])[0].resource for body in bodies]
    slots = Slots(ours.store, HERE, client, [f"Schedule/{schedule}"])
    assert slots.run(TODAY) == 1 + 2
    assert set(kept(ours)) == {one["id"] for one in made[:2]}
    client.transact([Update({**made[0], "status": "busy"})])
    assert slots.run(TODAY) == 1
    assert kept(ours) == {made[0]["id"]: "busy", made[1]["id"]: "free"}

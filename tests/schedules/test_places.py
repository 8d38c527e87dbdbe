"""How full a clinic's days are, by what is stored; over both stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.codes import KEY_SYSTEM
from pathway.ports import Resource, Update
from pathway.site import ClinicCalendar, Site
from pathway.visits import VisitAsked
from schedules.calendar import OpenDays
from schedules.places import ClinicPlaces

Stores = SqlStore | MemoryStore
THURSDAY, FRIDAY = date(2026, 3, 26), date(2026, 3, 27)
SCHEDULE = "Schedule/wounds"


def wire_clock() -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    if request.param == "memory":
        memory = MemoryStore(wire_clock)
        memory.register("north", "demo", "https://north.example/fhir")
        yield memory
        return
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    upgrade(engine)
    sql = SqlStore(engine, wire_clock)
    sql.register("north", "demo", "https://north.example/fhir")
    yield sql
    engine.dispose()


def new_york(**calendar: object) -> Site:
    return Site(
        hospital="north",
        kind="demo",
        zone="America/New_York",
        roles={},
        referral_codes=(),
        surgery_codes=(),
        calendar=ClinicCalendar.model_validate(calendar),
    )


SMALL = new_york(capacity=2)


@contextmanager
def places(store: Stores, **calendar: object) -> Iterator[ClinicPlaces]:
    site = new_york(**calendar)
    with store.transaction("north", read_only=True) as tx:
        yield ClinicPlaces(site, OpenDays(site.calendar), tx)


def put(store: Stores, *resources: Resource) -> None:
    with store.transaction("north") as tx:
        tx.transact([Update(resource) for resource in resources])


def visit(key: str, day: date, status: str = "proposed", **more: object) -> Resource:
    return {
        "resourceType": "Appointment",
        "id": key,
        "identifier": [{"system": KEY_SYSTEM, "value": key}],
        "status": status,
        "requestedPeriod": [{"start": str(day), "end": str(day)}],
        "participant": [{"actor": {"reference": f"Patient/{key}"}, "status": "needs-action"}],
        **more,
    }


def slot(id: str, start: str, status: str = "free", schedule: str = SCHEDULE) -> Resource:
    end = start.replace(":00:00", ":20:00")
    reference = {"reference": schedule}
    return {"resourceType": "Slot", "id": id, "schedule": reference, "status": status, "start": start, "end": end}


def asked(key: str, target: date = THURSDAY) -> VisitAsked:
    return VisitAsked(key, date(2026, 3, 23), date(2026, 3, 30), target, date(2026, 3, 1))


class TestCapacity:
    def test_what_takes_a_place(self, store: Stores) -> None:
        put(
            store,
            visit("proposed", THURSDAY),
            visit("booked", FRIDAY, "booked", start="2026-03-26T15:00:00Z", end="2026-03-26T15:20:00Z"),
            visit("booked-elsewhere", THURSDAY, "booked", start="2026-03-27T15:00:00Z", end="2026-03-27T15:20:00Z"),
            visit("cancelled", THURSDAY, "cancelled"),
            visit("not-ours", THURSDAY, identifier=[]),
            visit("late-in-the-evening", FRIDAY, "booked", start="2026-03-27T02:00:00Z", end="2026-03-27T02:20:00Z"),
        )
        with places(store, capacity=3) as clinic:
            assert clinic.full(THURSDAY, "another") == "3 of 3 visits"
            assert clinic.full(FRIDAY, "another") is None
            assert clinic.full(THURSDAY, "proposed") is None

    def test_without_a_capacity_no_day_is_full(self, store: Stores) -> None:
        put(store, *(visit(f"v{n}", THURSDAY) for n in range(30)))
        with places(store) as clinic:
            assert clinic.full(THURSDAY, "another") is None

    def test_what_is_chosen_in_one_transaction_counts_before_it_is_stored(self, store: Stores) -> None:
        put(store, visit("first", FRIDAY))
        with places(store, capacity=1) as clinic:
            assert clinic(asked("first")).day == THURSDAY
            assert clinic(asked("second")).day == date(2026, 3, 25)
            assert clinic(asked("third", FRIDAY)).day == FRIDAY
            assert clinic(asked("first")).day == THURSDAY


class TestSlots:
    def test_the_earliest_of_the_clinics_day_that_nobody_fills(self, store: Stores) -> None:
        put(
            store,
            slot("late", "2026-03-26T20:00:00Z"),
            slot("early", "2026-03-26T13:00:00Z"),
            slot("busy", "2026-03-26T12:00:00Z", "busy"),
            slot("elsewhere", "2026-03-26T12:00:00Z", schedule="Schedule/theatre"),
            slot("night", "2026-03-26T02:00:00Z"),
            slot("backwards", "2026-03-26T14:00:00Z") | {"end": "2026-03-26T13:00:00Z"},
            visit("first", THURSDAY, slot=[{"reference": "Slot/early"}]),
        )
        with places(store, schedules=[SCHEDULE]) as clinic:
            second = clinic(asked("second"))
            assert second.slot is not None
            assert (second.day, second.slot["id"]) == (THURSDAY, "late")
            assert second.slot["start"] == "2026-03-26T16:00:00-04:00"
            third = clinic(asked("third"))
            assert third.slot is not None
            assert (third.day, third.slot["id"]) == (date(2026, 3, 25), "night")
            assert (clinic(asked("fourth")).day, clinic(asked("fourth")).standing) == (None, "no-day-free")

    @pytest.mark.parametrize(
        ("status", "there"), [("free", True), ("busy-tentative", True), ("busy", False), ("entered-in-error", False)]
    )
    def test_a_chosen_one_stays_while_nobody_else_fills_it(self, store: Stores, status: str, there: bool) -> None:
        put(store, slot("early", "2026-03-26T13:00:00Z", status))
        put(store, visit("first", THURSDAY, slot=[{"reference": "Slot/early"}]))
        with places(store, schedules=[SCHEDULE]) as clinic:
            assert (clinic.still("Slot/early", "first") is not None) == there
            assert clinic.still("Slot/early", "second") is None
            assert clinic.still("Slot/gone", "first") is None

    def test_how_far_ahead_a_schedule_takes_appointments(self, store: Stores) -> None:
        actor = [{"reference": "HealthcareService/wounds"}]
        horizons = {"wounds": "2026-04-30T00:00:00Z", "more": "2026-05-31"}
        put(
            store,
            *(
                {"resourceType": "Schedule", "id": id, "actor": actor, "planningHorizon": {"end": end}}
                for id, end in horizons.items()
            ),
        )
        with places(store, schedules=[SCHEDULE]) as clinic:
            assert clinic.bookable_until() == date(2026, 4, 29)
        with places(store, schedules=[SCHEDULE, "Schedule/more"]) as clinic:
            assert clinic.bookable_until() == date(2026, 4, 29)
        with places(store) as clinic:
            assert clinic.bookable_until() is None


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_visits_that_are_planned_at_the_same_time_never_share_a_place(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/race.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    upgrade(engine)
    store = SqlStore(engine, wire_clock)
    store.register("north", "demo", "https://north.example/fhir")

    def planned(number: int) -> date | None:
        with store.transaction("north") as tx:
            clinic = ClinicPlaces(SMALL, OpenDays(SMALL.calendar), tx)
            day = clinic(asked(f"v{number}")).day
            if day is not None:
                tx.transact([Update(visit(f"v{number}", day))])
            return day

    with ThreadPoolExecutor(8) as pool:
        days = list(pool.map(planned, range(14)))
    engine.dispose()
    open_days = OpenDays(SMALL.calendar).between(date(2026, 3, 23), date(2026, 3, 30))
    assert Counter(days) == {**dict.fromkeys(open_days, 2), None: 14 - 2 * len(open_days)}

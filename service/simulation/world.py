"""A hospital in virtual time: the real engine on the real store, in memory, and a clock that is a variable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import httpx

from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.intake import Pathway
from pathway.library import Library
from pathway.ports import Query, Resource, Update, search_all
from pathway.site import Site
from pathway.situation import Now
from schedules.duties import release, sweep
from service.bootstrap import Services
from service.settings import Settings

_BASE = "https://simulated-hospital.example/fhir"


class World:
    """What people at the hospital write is answered at once, in the transaction that stores it.

    The hospital's server and ours are one store here: what we would send is there already.
    """

    def __init__(self, store: SqlStore, pathway: Pathway, clock: Clock) -> None:
        self.store, self.pathway, self.clock = store, pathway, clock
        self.hospital, self.zone = pathway.site.hospital, ZoneInfo(pathway.site.zone)

    @property
    def today(self) -> date:
        return self.clock.moment.astimezone(self.zone).date()

    def now(self) -> Now:
        return Now(self.clock.moment, self.clock.moment)

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A wall-clock time at the clinic."""
        return datetime.combine(day, time(hour, minute), self.zone)

    def record(self, *resources: Resource) -> None:
        """People write records, all at once; the last of them is what the pathway answers."""
        with self.store.transaction(self.hospital) as tx:
            for written in tx.transact([Update(resource) for resource in resources])[-1:]:
                self.pathway.react(tx, written.resource, self.now())

    def change(self, type: str, id: str, change: Callable[[Resource], Resource]) -> None:
        """People edit a resource."""
        with self.store.transaction(self.hospital) as tx:
            current = tx.read(type, id)
            [written] = tx.transact([Update(change(current), current["meta"]["versionId"])])
            self.pathway.react(tx, written.resource, self.now())

    def found(self, type: str, *query: tuple[str, str]) -> list[Resource]:
        """What the hospital's server has."""
        asked: Query = [*query, ("_count", "500")]
        with self.store.transaction(self.hospital, read_only=True) as tx:
            return list(search_all(tx, type, asked))

    def look(self, care_plan: str) -> None:
        """What the hourly sweep does with one plan."""
        with self.store.transaction(self.hospital) as tx:
            self.pathway.advance(tx, care_plan, self.now(), "sweep")

    def release(self) -> int:
        return release.run(self.store, self.pathway, self.now)

    def sweep(self) -> sweep.Report:
        return sweep.run(self.store, lambda: self.pathway, self.now)


class Clock:
    """Virtual time: it is what it was last set to, and costs nothing."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@contextmanager
def new_world(library: Library, site: Site, start: datetime) -> Iterator[World]:
    """A hospital without patients, wired as the service wires every other one; gone with the block."""
    clock, engine = Clock(start), create_engine("sqlite://")
    try:
        upgrade(engine)
        store = SqlStore(engine, clock)
        with httpx.Client() as nobody:
            services = Services(Settings(database_url="sqlite://", bearer_token=None), store, library, nobody)
            services.register(site, _BASE)
            yield World(store, services.pathway(site.hospital), clock)
    finally:
        engine.dispose()

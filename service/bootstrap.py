"""The one place where the rooms are wired together, and where the process's clock is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import RLock
from zoneinfo import ZoneInfo

import httpx
from pydantic import ValidationError
from sqlalchemy import make_url

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.feed import Inflow
from fhir_adapters.hospital.inbound import Inbound
from fhir_adapters.hospital.outbound import Outbound
from fhir_adapters.hospital.slots import Slots
from fhir_adapters.server.door import Door
from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.hospitals import HospitalRecord
from fhir_adapters.store.leading import Leadership
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.codes import PLAN
from pathway.errors import Conflict, HospitalError, NotFound, Refused
from pathway.intake import Pathway
from pathway.library import Library
from pathway.ports import Resource, Transaction
from pathway.references import reference_to
from pathway.signing import Approval, is_signed
from pathway.site import Site
from pathway.situation import Now
from pathway.version import VERSION
from schedules.calendar import OpenDays
from schedules.duties.sweep import Report
from schedules.engine import Dispatcher, Releasing
from schedules.places import ClinicPlaces
from schedules.timetable import DONE, Duty, Timetable
from service.alerts import Routes
from service.calendar_feeds import CalendarFeeds
from service.calling import Calling
from service.confirming import Confirming
from service.content import Content, SignOff
from service.engines import dispatcher
from service.mail import mail_server
from service.operations import Operations
from service.settings import Settings
from service.simulation.jobs import Simulations
from service.sweeps import SLICE_SECONDS, Sweeps

_ALONE = frozenset({"pull", "sweep"})  # two at once would ask the hospital twice, and look at every plan twice
LATE_SECONDS = 60.0  # beyond what a duty may take by its own interval and a slow hospital


def wire_clock() -> datetime:
    """The process's clock: the wire clock on SQLite. On PostgreSQL it is the database's (`SqlStore.wire_now`)."""
    return datetime.now(UTC)


@dataclass
class Services:
    """Everything the command line, the REST APIs and the duties work with. `library`: the shipped content."""

    settings: Settings
    store: SqlStore
    library: Library
    http: httpx.Client
    content: Content = field(init=False)
    sweeps: Sweeps = field(init=False)
    calling: Calling = field(init=False)
    confirming: Confirming = field(init=False)
    feeds: CalendarFeeds = field(init=False)
    simulations: Simulations = field(init=False)
    dispatcher: Dispatcher = field(init=False)
    leadership: Leadership = field(init=False)
    _clients: dict[tuple[str, str], HospitalClient] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        self.content = Content(self.store, self.library)
        every = timedelta(seconds=self.settings.sweep_seconds)
        self.sweeps = Sweeps(self.store, self.pathway, self.now, every)
        self.calling = Calling(self.store, _routes(self.settings, self.http), self.settings, self.store.wire_now)
        self.dispatcher = dispatcher(self.settings, self.store, Releasing(self.store, self.pathway, self.now))
        self.leadership = Leadership(self.store.engine)
        self.confirming = Confirming(self.calling)
        self.feeds = CalendarFeeds(self.store, self.settings, self.site, self.now)
        self.simulations = Simulations(wire_clock)

    def hospital(self, name: str) -> HospitalRecord:
        """Raises NotFound."""
        return self.store.hospital(name)

    def site(self, name: str) -> Site:
        """Raises NotFound, Refused when what is stored no longer fits this version."""
        try:
            return Site.model_validate(self.store.hospital(name).site)
        except ValidationError as error:
            raise Refused(f"The site of {name} does not fit this version, put it again: {error}") from error

    def now(self, name: str) -> Now:
        wire = self.store.wire_now()
        return Now(clinical=wire + self.store.hospital(name).clinical_offset, wire=wire)

    def pathway(self, name: str) -> Pathway:
        site = self.site(name)
        return Pathway(self.content.library(name), site, partial(ClinicPlaces, site, OpenDays(site.calendar)))

    def client(self, record: HospitalRecord) -> HospitalClient:
        """One per hospital and address, so that its CapabilityStatement is read once."""
        with self._lock:
            key = (record.name, record.base_url)
            if key not in self._clients:
                self._clients[key] = HospitalClient(record.base_url, self.http)
            return self._clients[key]

    def register(self, site: Site, base_url: str, clinical_time: datetime | None = None) -> HospitalRecord:
        """A new hospital with its own copy of the definitions, not active yet. Raises Conflict, Refused.

        The same registration again changes nothing and completes one that was cut off: whoever got no answer repeats.
        """
        configured = site.model_dump(mode="json")
        try:
            record = self.store.register(site.hospital, site.kind, base_url, configured, clinical_time=clinical_time)
        except Conflict:
            record = self.store.hospital(site.hospital)
            if (record.base_url, record.site) != (base_url.rstrip("/"), configured):
                raise
        self.content.publish(site.hospital)
        return record

    def activate(self, name: str) -> HospitalRecord:
        """Let the duties work for a hospital. Raises Refused with everything that is missing."""
        site = self.site(name)
        if missing := [*self.missing(site), *filter(None, [self.unbookable(site)])]:
            raise Refused(f"{name} cannot be activated. {' '.join(missing)}")
        self.store.set_status(name, "active")
        return self.store.hospital(name)

    def missing(self, site: Site) -> list[str]:
        """What a hospital lacks before it can be active, a sentence each."""
        library, lacking = self.content.library(site.hospital), []
        if roles := site.missing_roles(library.roles()):
            lacking.append(f"Nobody is named for: {', '.join(roles)}. No Task leaves without an owner.")
        if site.kind == "real" and not is_signed(library.plan(PLAN)):
            lacking.append("The pathway's content is a draft: the site's clinical owner has to sign it off.")
        if site.kind == "real" and (unheard := self.confirming.lacking(site)):
            lacking.append(unheard)
        return lacking

    def unbookable(self, site: Site) -> str | None:
        """Why visits cannot be booked at the hospital, although the site wants them booked; None where all is well."""
        if site.calendar.booking == "propose":
            return None
        refused = 'calendar.booking is "book", but its CapabilityStatement'
        try:
            offered = self.client(self.hospital(site.hospital)).plan.of("Appointment").book
        except (HospitalError, NotFound) as error:
            return f"{refused} could not be read: {error}."
        return None if offered else f"{refused} offers no search, $find and $book of Appointment."

    def sign(self, name: str, approval: Approval, actor: str, changed: Sequence[Resource] = ()) -> SignOff:
        """Make the site's own active version of the content. Raises NotFound, and what Content.sign raises."""
        return self.content.sign(self.site(name), approval, self.now(name), actor, changed)

    def react(self, name: str, tx: Transaction, resource: Resource) -> None:
        """Answer a resource that arrived at our own door; what the hospital has of ours is kept up to date."""
        if resource["resourceType"] != "Provenance" and tx.authored(reference_to(resource)):
            reference = reference_to(resource)
            if tx.sent(reference):
                tx.send(reference)
        self.pathway(name).react(tx, resource, self.now(name))

    def door(self, name: str, base: str) -> Door:
        token = self.settings.bearer_token
        return Door(
            store=self.store,
            hospital=name,
            base=base,
            react=partial(self.react, name),
            check=lambda resource: self.pathway(name).check(resource),
            software=VERSION,
            token=token.get_secret_value() if token else None,
            operations=Operations(lambda: self.pathway(name), lambda: self.now(name)).all(),
        )

    def inbound(self, record: HospitalRecord) -> Inbound:
        pathway = self.pathway(record.name)
        return Inbound(
            self.store,
            record.name,
            record.base_url,
            react=lambda tx, resource: pathway.react(tx, resource, self.now(record.name)),
            concerns=pathway.concerns,
        )

    def pull(self, record: HospitalRecord) -> int:
        overlap = timedelta(seconds=self.settings.overlap_seconds)
        return Inflow(self.store, record.name, self.client(record), self.inbound(record), overlap).run()

    def slots(self, record: HospitalRecord) -> int:
        """Read the places of a clinic whose hospital has Slots."""
        site = self.site(record.name)
        if not site.calendar.schedules:
            return 0
        today = self.now(record.name).clinical.astimezone(ZoneInfo(site.zone)).date()
        return Slots(self.store, record.name, self.client(record), site.calendar.schedules).run(today)

    def push(self, record: HospitalRecord) -> int:
        lease = timedelta(seconds=2 * self.settings.hospital_timeout_seconds)
        site, client, inbound = self.site(record.name), self.client(record), self.inbound(record)
        books_in = site.zone if site.calendar.booking == "book" else None
        return Outbound(self.store, record.name, client, inbound, self.store.wire_now, lease, books_in).run()

    def release(self, record: HospitalRecord) -> int:
        return self.dispatcher.dispatch(record.name)

    def sweep(self, record: HospitalRecord) -> int:
        return self.sweeps.turn(record.name)

    def sweep_now(self, name: str) -> Report:
        """A whole round. Raises NotFound, Refused for a hospital that is not active, Conflict while it is at work."""
        if self.hospital(name).status != "active":
            raise Refused(f"{name} is not active: nothing is written for it")
        return self.sweeps.round(name)

    def alert(self, record: HospitalRecord) -> int:
        """Call whoever is due to be called about open alerts."""
        return self.calling.run(self.site(record.name))

    def duties(self) -> Sequence[Duty]:
        """The duties of every active hospital; a hospital that is down holds up nobody else's."""
        s = self.settings
        every = {"pull": s.pull_seconds, "release": s.release_seconds, "push": s.push_seconds, "alert": s.push_seconds}
        every |= {"slots": s.slots_seconds, "sweep": min(s.sweep_seconds, SLICE_SECONDS)}
        active = [record for record in self.store.hospitals() if record.status == "active"]
        return [
            Duty(f"{record.name}.{name}", seconds, partial(getattr(self, name), record), alone=name in _ALONE)
            for record in active
            for name, seconds in every.items()
        ] + (list(self.dispatcher.duties()) if active else [])

    def timelines(self, name: str) -> str:
        """The address of a hospital's timelines, to which the id of a CarePlan is added."""
        return f"{self.settings.public_url.rstrip('/')}/admin/v1/hospitals/{name}/patients"

    def timetable(self) -> Timetable:
        patience = LATE_SECONDS + self.settings.hospital_timeout_seconds
        return Timetable(self.duties, self.alive, patience=patience, leads=self.leadership.leads)

    def alive(self, duty: str, note: str) -> None:
        """A sign of life of `<hospital>.<duty>`. A long time without one of what plans follow-ups is a downtime."""
        longest = timedelta(seconds=self.settings.downtime_seconds)
        plans = duty.rpartition(".")[2] in ("pull", "release")
        self.store.heartbeat(duty, note, longest if plans else None, well=note.startswith(DONE))

    def first_hospital(self) -> str:
        """The hospital that /fhir belongs to. Raises NotFound."""
        records = self.store.hospitals()
        if not records:
            raise NotFound("No hospital is registered yet")
        return records[0].name


def open_store(database_url: str) -> SqlStore:
    """The database at its newest schema; a SQLite file's folder is made."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(database_url)
    upgrade(engine)
    return SqlStore(engine, None if engine.dialect.name == "postgresql" else wire_clock)


def _routes(settings: Settings, http: httpx.Client) -> Routes:
    """Raises Refused for mail settings that cannot be meant."""
    secret, url = settings.alert_webhook_secret, settings.alert_smtp_url
    sender, timeout = settings.alert_mail_from, settings.alert_smtp_timeout_seconds
    mail = mail_server(url.get_secret_value(), sender, timeout) if url else None
    return Routes(http, secret.get_secret_value() if secret else None, mail)


def bootstrap(settings: Settings) -> Services:
    http = httpx.Client(timeout=settings.hospital_timeout_seconds, follow_redirects=False)
    services = Services(settings, open_store(settings.database_url), Library.load(), http)
    for record in services.store.hospitals():
        services.content.publish(record.name)
    return services

"""One hospital and its pathway in this process: our database in a file, no HTTP on either side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from fhir_adapters.store.sql import SqlStore
from pathway.errors import PathwayError
from pathway.intake import Pathway
from pathway.keys import key_of
from pathway.library import Library
from pathway.ports import FhirRepository, Resource, Update, search_all
from pathway.situation import Now
from pathway.visits import VisitChooser
from schedules.calendar import OpenDays
from schedules.duties import release
from schedules.places import ClinicPlaces
from service.bootstrap import open_store, wire_clock
from service.demo.records import Clinic as Place
from service.demo.records import practitioners

OWNERS = {role: f"Practitioner/{role}" for role in practitioners()}
NORTH = "north"
BASE = "https://north-hospital.example/fhir"


class Clinic:
    """What the hospital sends is answered at once; `clinical` is its clinical clock. Registered where it is `new`."""

    def __init__(self, url: str, library: Library, *, name: str = NORTH, new: bool = True) -> None:
        place = Place(name)
        self.name, self.zone = place.name, ZoneInfo(place.zone)
        self.site = place.site(OWNERS)
        self.library = library
        self.store: SqlStore = open_store(url)
        self.pathway = Pathway(library, self.site, self.choosing)
        self.clinical = datetime(2026, 3, 2, 8, tzinfo=UTC)
        if new:
            self.store.register(self.name, "demo", BASE, self.site.model_dump(mode="json"))

    def choosing(self, base: FhirRepository) -> VisitChooser:
        return ClinicPlaces(self.site, OpenDays(self.site.calendar), base)

    def now(self) -> Now:
        return Now(self.clinical, wire_clock())

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A wall-clock time at the clinic."""
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)

    def put(self, *resources: Resource, react: bool = True) -> None:
        """The hospital has new or changed resources of its own: one transaction each, as the feed does it."""
        for resource in resources:
            with self.store.transaction(self.name) as tx:
                written = tx.receive(resource, self.name)
                if written is not None and react:
                    self.pathway.react(tx, written.resource, self.now())

    def change(self, resource: Resource, change: Callable[[Resource], Resource]) -> None:
        """The hospital changes its copy of one of ours."""
        with self.store.transaction(self.name) as tx:
            current = tx.read(resource["resourceType"], resource["id"])
            [written] = tx.transact([Update(change(current), current["meta"]["versionId"])])
            self.pathway.react(tx, written.resource, self.now())

    def ours(self, type: str, action: str, patient: str) -> Resource:
        """The one resource of ours that an action led to for a patient (`Patient/id`). Raises PathwayError."""
        found = search_all(self.store.repository(self.name), type, [("patient", patient), ("_count", "200")])
        fits = [r for r in found if (key := key_of(r)) and action in key.value.split(":")]
        if len(fits) != 1:
            raise PathwayError(f"{patient} has {len(fits)} resources of type {type} for {action}, not one")
        return fits[0]

    def release(self, clocks: Callable[[], Now] | None = None) -> int:
        """Work through what is due by the clinical clock."""
        return release.run(self.store, self.pathway, clocks or self.now)


@contextmanager
def new_clinic(library: Library) -> Iterator[Clinic]:
    """On an empty database, which goes with the block. Raises PathwayError when something was not understood."""
    with TemporaryDirectory(prefix="calcinosis-pathway-bench-") as name:
        clinic = Clinic(f"sqlite:///{Path(name)}/clinic.db", library)
        try:
            yield clinic
            if kept := clinic.store.quarantine_entries(clinic.name):
                raise PathwayError(f"{len(kept)} inputs were put into quarantine, the first: {kept[0].explanation}")
        finally:
            clinic.store.engine.dispose()

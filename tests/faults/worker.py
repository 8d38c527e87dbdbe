"""One process of the service: the real duties over the real database, with a wire clock of its own, and mishaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.feed import Inflow
from fhir_adapters.hospital.inbound import Inbound
from fhir_adapters.hospital.outbound import Outbound
from fhir_adapters.store.engine import READ_ONLY, create_engine
from fhir_adapters.store.sql import SERVICE, SqlStore
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.due_work import Claim, DueState, DueStore
from pathway.errors import PathwayError
from pathway.intake import Pathway
from pathway.library import Library
from pathway.site import Site
from pathway.situation import Now
from schedules.calendar import OpenDays
from schedules.duties import release, sweep
from schedules.places import ClinicPlaces
from tests.faults.hospital import BASE, Hospital, Line
from tests.faults.mishaps import Killed, Mishap, Mishaps

HERE = "north"
DUTIES = ("pull", "push", "release", "sweep")
OVERLAP = timedelta(minutes=10)
LEASE = timedelta(seconds=40)
INJECTED = "a mishap of the simulation"


@dataclass
class Effects:
    """The due work that was closed with an effect, by key and generation, once for each time that was committed."""

    committed: list[tuple[str, int]] = field(default_factory=list)


class WatchedDue:
    """The due table, and which rows were closed in this transaction. All else is the table's own."""

    def __init__(self, due: DueStore, closed: list[tuple[str, int]]) -> None:
        self._due, self._closed = due, closed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._due, name)

    def finish(self, claim: Claim, state: DueState, error: str | None = None, *, at: datetime | None = None) -> bool:
        finished = self._due.finish(claim, state, error, at=at)
        if finished and state in ("done", "expired"):
            self._closed.append((claim.work.key, claim.work.generation))
        return finished


class WatchedStore(SqlStore):
    closing: list[tuple[str, int]]

    @contextmanager
    def transaction(self, hospital: str, *, actor: str = SERVICE, read_only: bool = False) -> Iterator[SqlTransaction]:
        with super().transaction(hospital, actor=actor, read_only=read_only) as tx:
            if not read_only:
                self.closing.clear()
                tx.due = WatchedDue(tx.due, self.closing)
            yield tx


class Worker:
    """`true` looks at the true time, `skew` is how far this worker's clock is off. `gap`: others may go first here."""

    def __init__(self, name: str, database: Path, hospital: Hospital, library: Library, true: Callable[[], datetime]):
        self.name, self.skew = name, timedelta()
        self.mishaps, self.effects = Mishaps(), Effects()
        self.surprises: list[str] = []
        self.gap: Callable[[Mishap], None] = lambda _: None
        self._database, self._hospital, self._library, self._true = database, hospital, library, true
        self.start()

    def start(self) -> None:
        """With nothing in memory."""
        self.engine = create_engine(f"sqlite:///{self._database}")
        self._open = 0
        event.listen(self.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
        event.listen(self.engine, "checkout", lambda *_: self._checked_out(1))
        event.listen(self.engine, "checkin", lambda *_: self._checked_out(-1))
        event.listen(self.engine, "before_cursor_execute", lambda *_: self._statement())
        event.listen(self.engine, "commit", self._commit)
        self.store = WatchedStore(self.engine, self.wire)
        self.store.closing = []
        http = httpx.Client(transport=Line(self._hospital, self.mishaps, self._between))
        self.client = HospitalClient(BASE, http)

    def stop(self) -> None:
        self.engine.dispose()

    def wire(self) -> datetime:
        return self._true() + self.skew

    def now(self) -> Now:
        return Now(self.store.clinical_now(HERE), self.wire())

    def run(self, duty: str, mishap: Mishap | None = None) -> str:
        """What became of it, in words; never raises, and as the timetable does it goes on after any failure."""
        self.mishaps.arm(mishap)
        try:
            return f"done: {self._duties()[duty]()}"
        except Killed:
            self.stop()
            self.start()
            return "killed"
        except PathwayError as error:
            return f"failed: {error}"
        except OperationalError as error:
            if INJECTED not in str(error):
                self.surprises.append(f"{self.name} {duty}: {error}")
            return "failed: OperationalError"
        except Exception as error:
            self.surprises.append(f"{self.name} {duty}: {error!r}")
            return f"failed: {error!r}"
        finally:
            self.mishaps.arm(None)

    def sweep(self) -> sweep.Report:
        return sweep.run(self.store, self._pathway, self.now)

    def _duties(self) -> dict[str, Callable[[], object]]:
        inbound = self._inbound()
        return {
            "pull": Inflow(self.store, HERE, self.client, inbound, OVERLAP).run,
            "push": Outbound(self.store, HERE, self.client, inbound, self.wire, LEASE).run,
            "release": lambda: release.run(self.store, self._pathway(), self.now),
            "sweep": lambda: self.sweep().sentence(),
        }

    def _inbound(self) -> Inbound:
        pathway = self._pathway()
        react = lambda tx, resource: pathway.react(tx, resource, self.now())  # noqa: E731
        return Inbound(self.store, HERE, BASE, react, pathway.concerns)

    def _pathway(self) -> Pathway:
        site = Site.model_validate(self.store.hospital(HERE).site)
        return Pathway(self._library, site, partial(ClinicPlaces, site, OpenDays(site.calendar)))

    # Where mishaps happen

    def _checked_out(self, more: int) -> None:
        if self._open == 0 and more > 0:
            self._between()
        self._open += more

    def _between(self) -> None:
        mishap = self.mishaps.passing("gap")
        if mishap is not None:
            self.gap(mishap)

    def _statement(self) -> None:
        mishap = self.mishaps.passing("statement")
        if mishap is not None:
            raise _killed_or_failed(mishap)

    def _commit(self, connection: Connection) -> None:
        if connection.get_execution_options().get(READ_ONLY):
            return
        mishap = self.mishaps.passing("commit")
        if mishap is not None and mishap.kind in ("commit fails", "killed before a commit"):
            raise _killed_or_failed(mishap)
        self.effects.committed += self.store.closing
        self.store.closing.clear()
        if mishap is not None:
            connection.exec_driver_sql("COMMIT")
            raise _killed_or_failed(mishap)


def _killed_or_failed(mishap: Mishap) -> BaseException:
    return Killed() if mishap.kind.startswith("killed") else OperationalError(INJECTED, None, Exception(mishap.kind))

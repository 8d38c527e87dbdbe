"""Follow-ups planned: operations recorded and answered, against writing what came of it and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Table, func, insert, select

from benchmarks.apply_plan import transactions
from benchmarks.clinic import Clinic
from benchmarks.course import ACTS, Course
from benchmarks.crowd import copied, multiply
from benchmarks.databases import Databases, sqlite_files
from benchmarks.measure import Comparison, Sample, interleaved, timed
from fhir_adapters.store import columns as c
from fhir_adapters.store.tables import METADATA
from pathway.library import Library
from pathway.ports import Change, Resource

_BEFORE = ("referred", "indications", "decided_surgery", "prepared", "booked_surgery", "moved_surgery")


def compare(rounds: int, patients: int) -> Iterator[Comparison]:
    """A round plans the follow-up of all `patients`, once each way, on copies of one and the same database."""
    with sqlite_files() as files:
        clinic = _Operated(files, Library.load(), patients)
        clinic.prepare()
        ours, versions, rows = interleaved(rounds, clinic.planned, clinic.versions_only, clinic.rows_only)
    what = f"Follow-up planned after the operation, {patients} patients, a transaction each"
    a_patient = sum(table is c.resource_version for table, _ in clinic.rows)
    note = f"{a_patient} versions of resources and {len(clinic.rows)} rows of all tables a patient"
    yield Comparison(what, "floor: the same versions stored and indexed", ours, versions, note)
    yield Comparison(what, "floor of floors: the same rows written, ready made", ours, rows)


@dataclass
class _Operated:
    """Patients alike who wait for the record of their operation."""

    files: Databases
    library: Library
    patients: int
    before: str = ""
    newest: int = 0
    operations: Sequence[Resource] = ()
    rows: list[tuple[Table, dict[str, object]]] = field(default_factory=list)
    changes: list[list[Change]] = field(default_factory=list)

    def prepare(self) -> None:
        """The database that each run gets a copy of, and the rows that the first patient's follow-up consists of."""
        self.before = self.files.new()
        clinic = Clinic(self.before, self.library)
        course = Course(clinic, 0)
        clinic.put(*course.known())
        for name in _BEFORE:
            ACTS[name](course)
        multiply(clinic, self.patients)
        self.newest = _newest(clinic)
        self.operations = [Course(clinic, number).operation() for number in range(self.patients)]
        old = _everything(clinic)
        clinic.store.engine.dispose()
        clinic = self._copy()
        clinic.put(self.operations[0])
        written = _everything(clinic) - old
        self.rows = [(table, dict(row)) for table in METADATA.sorted_tables for of, row in written if of is table]
        clinic.store.engine.dispose()

    def planned(self) -> Sample:
        clinic = self._copy()

        def work() -> int:
            clinic.put(*self.operations)
            return self.patients

        sample = timed(work)
        self.changes = list(transactions(clinic, self.newest))
        clinic.store.engine.dispose()
        return sample

    def versions_only(self) -> Sample:
        clinic = self._copy()

        def work() -> int:
            for changes in self.changes:
                with clinic.store.transaction(clinic.name) as tx:
                    tx.transact(changes)
            return self.patients

        sample = timed(work)
        clinic.store.engine.dispose()
        return sample

    def rows_only(self) -> Sample:
        clinic = self._copy()
        ready = [self._ready(number) for number in range(self.patients)]

        def work() -> int:
            for rows in ready:
                with clinic.store.engine.begin() as connection:
                    for table, its in rows.items():
                        connection.execute(insert(table).prefix_with("OR REPLACE"), its)
            return self.patients

        sample = timed(work)
        clinic.store.engine.dispose()
        return sample

    def _ready(self, number: int) -> dict[Table, list[dict[str, object]]]:
        """A patient's rows by table."""
        found: dict[Table, list[dict[str, object]]] = {}
        for table, row in self.rows:
            found.setdefault(table, []).append(copied(row, number, len(self.rows)))
        return found

    def _copy(self) -> Clinic:
        clinic = Clinic(self.files.copy(self.before), self.library, new=False)
        clinic.clinical = clinic.at(Course(clinic, 0).days.surgery, 12)
        return clinic


def _newest(clinic: Clinic) -> int:
    with clinic.store.engine.connect() as connection:
        return int(connection.scalar(select(func.max(c.resource_version.c.seq))) or 0)


def _everything(clinic: Clinic) -> set[tuple[Table, tuple[tuple[str, object], ...]]]:
    with clinic.store.engine.connect() as connection:
        return {
            (table, tuple(row._asdict().items()))
            for table in METADATA.sorted_tables
            if table.name != "alembic_version"
            for row in connection.execute(select(table))
        }

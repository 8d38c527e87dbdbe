"""The Schedules and Slots of a clinic, read as they are for the weeks ahead; what is no longer there is gone here too.

They are read whole each time: a Slot that is deleted, or moved to another Schedule, is in no list of changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.errors import UNFORESEEN, InvalidResource
from pathway.ports import Delete, Quarantined, Query, Resource, search_all
from pathway.references import reference_to

AHEAD = timedelta(days=60)


@dataclass(frozen=True)
class Slots:
    """Keeps the places of one hospital's clinic; `schedules` are references there."""

    store: SqlStore
    hospital: str
    client: HospitalClient
    schedules: Sequence[str]

    def run(self, today: date) -> int:
        """How much was new, changed or gone. Raises NotFound for a Schedule that is not there, HospitalError."""
        return sum(self._keep(schedule, today) for schedule in self.schedules)

    def _keep(self, schedule: str, today: date) -> int:
        head = self.client.read(*schedule.split("/", 1))
        days = [("start", f"ge{today}"), ("start", f"lt{today + AHEAD}")]
        query = [("schedule", schedule), *days, ("_count", "200")]
        there = [slot for slot in search_all(self.client, "Slot", query) if _is_of(slot, schedule)]
        with self.store.transaction(self.hospital, actor=self.client.base) as tx:
            news = sum(self._take(tx, resource) for resource in (head, *there))
            return news + self._drop(tx, [("schedule", schedule), *days], {slot["id"] for slot in there})

    def _take(self, tx: SqlTransaction, resource: Resource) -> bool:
        try:
            with tx.savepoint():
                return tx.receive(resource, self.client.base) is not None
        except (InvalidResource, *UNFORESEEN) as error:
            text = f"It cannot be stored ({error if isinstance(error, InvalidResource) else type(error).__name__})."
            version = resource.get("meta", {}).get("versionId")
            tx.quarantine(Quarantined("not-stored", text, reference_to(resource), version))
            return False

    def _drop(self, tx: SqlTransaction, query: Query, there: set[str]) -> int:
        gone = [slot["id"] for slot in search_all(tx, "Slot", query) if slot["id"] not in there]
        tx.transact([Delete("Slot", id) for id in gone])
        return len(gone)


def _is_of(slot: Resource, schedule: str) -> bool:
    """Servers exist that ignore a parameter and answer with all they have."""
    return str(slot.get("schedule", {}).get("reference", "")).rpartition("Schedule/")[2] == schedule.partition("/")[2]

"""`python -m benchmarks.worker URL ENGINE PLANS CLINICAL HOSPITAL...`: one worker process, until nothing is due."""

from __future__ import annotations

import sys
import time
from datetime import datetime

from sqlalchemy import func, select

from benchmarks.child import say, wait_for_go
from benchmarks.clinic import Clinic
from fhir_adapters.store import columns as c
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.sql_due import IS_OPEN
from pathway.intake import Pathway
from pathway.library import Library
from pathway.ports import Transaction
from pathway.situation import Now
from pathway.writing import Effect
from schedules.engine import Releasing
from service.engines import dispatcher
from service.settings import Settings

LOOKED_AT, UNSEEN = "looked-at", "unseen"
_PAUSE_SECONDS = 0.05


class Unseen(Pathway):
    """Due work is closed and its plan not looked at: what remains is claiming and closing."""

    def advance(self, tx: Transaction, care_plan: str, now: Now, cause: str) -> Effect:  # noqa: ARG002
        return Effect()


def main(url: str, engine: str, plans: str, clinical: str, *hospitals: str) -> None:
    """Hospitals in this order; says when it is ready, waits to be let go, and says when nothing is left."""
    library = Library.load()
    clinics = {name: _clinic(url, library, name, clinical) for name in hospitals}
    store = clinics[hospitals[0]].store
    pathways = {name: _pathway(clinic, plans) for name, clinic in clinics.items()}
    releasing = Releasing(store, pathways.__getitem__, lambda name: clinics[name].now())
    worker = dispatcher(Settings(engine=engine, database_url=url), store, releasing)
    worker.start()
    say("ready")
    wait_for_go()
    while _left(store, clinics[hospitals[0]].clinical):
        for name in hospitals:
            worker.dispatch(name)
        time.sleep(_PAUSE_SECONDS)
    say("done")
    wait_for_go()


def _clinic(url: str, library: Library, name: str, clinical: str) -> Clinic:
    clinic = Clinic(url, library, name=name, new=False)
    clinic.clinical = datetime.fromisoformat(clinical)
    return clinic


def _pathway(clinic: Clinic, plans: str) -> Pathway:
    return Unseen(clinic.library, clinic.site, clinic.choosing) if plans == UNSEEN else clinic.pathway


def _left(store: SqlStore, clinical: datetime) -> int:
    with store.engine.connect() as connection:
        query = select(func.count()).select_from(c.due).where(IS_OPEN, c.due.c.next_at <= clinical)
        return connection.scalar(query) or 0


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Our due table: claimed in batches; an effect happens in the transaction that closes its row."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import func, select

from benchmarks.due_rows import AFTER, HOSPITAL, add_due, store_with
from benchmarks.schedulers import effects
from benchmarks.schedulers.patience import SILENT
from fhir_adapters.store import columns as c
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.sql_due import IS_OPEN
from schedules.duties.release import BATCH
from service.bootstrap import open_store


def plan(url: str, number: int) -> None:
    store = store_with(url, 0)
    effects.create(store.engine)
    add_due(store, 1, number)
    store.engine.dispose()


def work(url: str, ready: Callable[[], None]) -> None:
    """Until no row is open."""
    store = open_store(url)
    ready()
    while _left(store):
        for claim in store.claim_due(HOSPITAL, AFTER, BATCH, SILENT):
            with store.transaction(HOSPITAL) as tx:
                if tx.due.finish(claim, "done", at=AFTER):
                    effects.happen(tx.connection, claim.work.key)
        time.sleep(0.05)


def _left(store: SqlStore) -> int:
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(c.due).where(IS_OPEN)) or 0

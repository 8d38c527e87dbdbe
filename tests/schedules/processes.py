"""Several processes that tick at the same time on one database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from multiprocessing import get_context

from tests.fhir_adapters.store.ticking import START, Clock
from tests.schedules.engines import HOSPITAL, opened

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.schedules.killed", "tests.schedules.processes"])


def claimed_by_processes(number: int, url: str, limit: int) -> Sequence[Sequence[str]]:
    """What each of them claimed until nothing was left, `limit` at a time."""
    with _CONTEXT.Pool(number) as pool:
        return pool.starmap(_claimed, [(url, limit)] * number)


def _claimed(url: str, limit: int) -> list[str]:
    with opened(url, Clock()) as store:
        keys: list[str] = []
        while claims := store.claim_due(HOSPITAL, START, limit, timedelta(minutes=5)):
            keys += [claim.work.key for claim in claims]
        return keys

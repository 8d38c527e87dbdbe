"""A plain FHIR server of ours in the part of a hospital's own: it stores, answers and books, and
knows no pathway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from fhir_adapters.server.app import fhir_app, fhir_routes
from fhir_adapters.server.door import Door
from pathway.version import VERSION
from service.bootstrap import open_store
from service.demo.booking import SCHEDULING
from service.logs import configure_logs

_NAME = "hospital"


def hospital_app(database_url: str, base: str) -> Starlette:
    """Its base is `base`, which ends in /fhir."""
    store = open_store(database_url)
    if not store.hospitals():
        store.register(_NAME, "demo", base)
    door = Door(
        store,
        _NAME,
        base,
        react=lambda *_: None,
        check=lambda _: None,
        software=VERSION,
        token=None,
        operations=SCHEDULING,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        configure_logs()
        yield

    return Starlette(routes=fhir_routes("/fhir", fhir_app(door)), lifespan=lifespan)

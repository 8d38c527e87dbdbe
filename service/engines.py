"""Which engine does the due work: in process, or procrastinate on PostgreSQL."""

from __future__ import annotations

from fhir_adapters.store.sql import SqlStore
from pathway.errors import Refused
from schedules.engine import Dispatcher, InProcess, Releasing
from service.settings import Settings

IN_PROCESS, PROCRASTINATE = "in-process", "procrastinate"


def dispatcher(settings: Settings, store: SqlStore, releasing: Releasing) -> Dispatcher:
    """By the setting, else by the database. Raises Refused where the engine cannot work."""
    on_postgresql = store.engine.dialect.name == "postgresql"
    if (settings.engine or (PROCRASTINATE if on_postgresql else IN_PROCESS)) == IN_PROCESS:
        return InProcess(releasing)
    if not on_postgresql:
        raise Refused("The engine procrastinate works on PostgreSQL only: set CALCINOSIS_PATHWAY_ENGINE=in-process")
    try:
        from schedules.procrastinate_engine import Procrastinate  # noqa: PLC0415 - of the extra `postgres`
        from schedules.procrastinate_schema import bring_up_to_date  # noqa: PLC0415
    except ImportError as error:
        raise Refused(
            f"The engine procrastinate is not installed ({error.name} is missing): install "
            "calcinosis-pathway[postgres], or set CALCINOSIS_PATHWAY_ENGINE=in-process"
        ) from error
    bring_up_to_date(store.engine)
    return Procrastinate(releasing, store.engine.url.render_as_string(hide_password=False))

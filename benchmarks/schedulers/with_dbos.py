"""dbos, a workflow in a queue for each effect; the effect happens in the transaction of its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy
from dbos import DBOS, DBOSClient, EnqueueOptions, SQLAlchemyDatasource
from sqlalchemy import Engine, text

from benchmarks.schedulers import effects

_QUEUE, _WORKFLOW, _VERSION = "effects", "effect", "1"
_AT_ONCE = 10
_LEFT = "SELECT count(*) FROM {} WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')"


def plan(url: str, number: int) -> None:
    engine = sqlalchemy.create_engine(url)
    effects.create(engine)
    engine.dispose()
    _launch(url)
    DBOS.destroy()
    client = DBOSClient(system_database_url=url)
    for key in range(number):
        options: EnqueueOptions = {"queue_name": _QUEUE, "workflow_name": _WORKFLOW, "app_version": _VERSION}
        client.enqueue(options, str(key))
    client.destroy()


def work(url: str, ready: Callable[[], None]) -> None:
    """Until every workflow has come to an end."""
    engine = sqlalchemy.create_engine(url)
    ready()
    _launch(url)
    while _left(engine):
        time.sleep(0.05)
    DBOS.destroy()


def _launch(url: str) -> None:
    DBOS(config={"name": "bench", "system_database_url": url, "application_version": _VERSION, "log_level": "ERROR"})
    datasource = SQLAlchemyDatasource.create(url)

    def take_effect(key: str) -> None:
        effects.happen(datasource.sql_session().connection(), key)

    in_its_transaction = datasource.transaction(isolation_level="READ COMMITTED")(take_effect)

    def workflow(key: str) -> None:
        in_its_transaction(key)

    DBOS.workflow(name=_WORKFLOW)(workflow)
    DBOS.launch()
    DBOS.register_queue(_QUEUE, worker_concurrency=_AT_ONCE, polling_interval_sec=0.1)


def _left(engine: Engine) -> int:
    table = "workflow_status" if engine.dialect.name == "sqlite" else "dbos.workflow_status"
    with engine.connect() as connection:
        return int(connection.execute(text(_LEFT.format(table))).scalar_one())

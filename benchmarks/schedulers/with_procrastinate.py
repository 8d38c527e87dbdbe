"""procrastinate alone, a job for each effect; one at a time, as it does by default. PostgreSQL only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import procrastinate
import sqlalchemy
from procrastinate.types import JSONValue
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from benchmarks.schedulers import effects
from benchmarks.schedulers.patience import SILENT
from schedules.procrastinate_schema import bring_up_to_date

_TASK = "effect"
_LEFT = text("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")


def plan(url: str, number: int) -> None:
    engine = sqlalchemy.create_engine(url)
    effects.create(engine)
    bring_up_to_date(engine)
    engine.dispose()
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=_conninfo(url)))
    with app.open():
        jobs: list[dict[str, JSONValue]] = [{"key": str(key)} for key in range(number)]
        app.configure_task(_TASK).batch_defer(*jobs)


def work(url: str, ready: Callable[[], None]) -> None:
    """Until no job waits or is being done; jobs of workers that are gone are tried again."""
    engine = sqlalchemy.create_engine(url)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_conninfo(url)))

    def take_effect(key: str) -> None:
        with engine.begin() as connection:
            effects.happen(connection, key)

    app.task(name=_TASK)(take_effect)
    asyncio.run(_work(app, engine, ready))


async def _work(app: procrastinate.App, engine: Engine, ready: Callable[[], None]) -> None:
    silent = SILENT.total_seconds()
    async with app.open_async():
        ready()
        while await asyncio.to_thread(_left, engine):
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent):
                await app.job_manager.retry_job(job)
            await app.run_worker_async(wait=False, update_heartbeat_interval=silent / 6, stalled_worker_timeout=silent)
            await asyncio.sleep(0.05)


def _left(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(_LEFT).scalar_one())


def _conninfo(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

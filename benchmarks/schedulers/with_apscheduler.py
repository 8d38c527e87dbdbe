"""APScheduler 3 with its SQL job store, a date job for each effect; its usual pool of ten threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, text

from benchmarks.schedulers import effects

_LEFT = text("SELECT count(*) FROM apscheduler_jobs")
_engines: dict[str, Engine] = {}


def plan(url: str, number: int) -> None:
    engine = _engine(url)
    effects.create(engine)
    scheduler = _scheduler(engine)
    scheduler.start(paused=True)
    due = datetime.now(UTC)
    for key in range(number):
        # However late it is, it is meant: the default is to drop what is a second late.
        scheduler.add_job(f"{__name__}:take_effect", "date", [url, str(key)], run_date=due, misfire_grace_time=None)
    scheduler.shutdown()


def work(url: str, ready: Callable[[], None]) -> None:
    """Until the job store is empty and every thread at rest."""
    engine = _engine(url)
    scheduler = _scheduler(engine)
    ready()
    scheduler.start()
    while _left(engine):
        time.sleep(0.05)
    scheduler.shutdown(wait=True)


def take_effect(url: str, key: str) -> None:
    with _engine(url).begin() as connection:
        effects.happen(connection, key)


def _left(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(_LEFT).scalar_one())


def _engine(url: str) -> Engine:
    if url not in _engines:
        _engines[url] = sqlalchemy.create_engine(url, pool_size=12)
    return _engines[url]


def _scheduler(engine: Engine) -> BackgroundScheduler:
    return BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(engine=engine)}, timezone=UTC)

"""procrastinate's own command line on our queue: `procrastinate --app=service.procrastinate_app.app shell`.

The settings are those of the service. Its `worker` command does due work too, without the other duties.
"""

from __future__ import annotations

from functools import cache

from procrastinate import JobContext

from schedules.engine import Dispatcher
from schedules.procrastinate_engine import Procrastinate, queue_app
from service.bootstrap import bootstrap
from service.settings import Settings


@cache
def _engine() -> Dispatcher:
    return bootstrap(Settings()).dispatcher


def _work(context: JobContext, hospital: str, batch: str) -> int:
    engine = _engine()
    assert isinstance(engine, Procrastinate)
    return engine.work(context, hospital, batch)


app = queue_app(Settings().database_url, _work)

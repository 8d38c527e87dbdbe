"""Due work handed over to procrastinate (https://procrastinate.readthedocs.io), on PostgreSQL.

What is due is claimed and a job for it is deferred in one transaction. A job names a hospital and the token of a batch
and nothing else: whoever runs it reads from the due table what is still held under that token, so a job that comes
late or twice finds nothing to do. Only what is due is handed over: procrastinate slows down with jobs for the future.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import Any, TypeVar

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.jobs import Status
from sqlalchemy.engine import make_url

from schedules.engine import Releasing
from schedules.timetable import Duty

QUEUE = "due"
TASK = "calcinosis_pathway.release"
BATCH = 100
# A lease must outlast the queue, or work is handed over again while its job still waits: harmless, since the token of
# the late job is dead, but done for nothing. MOST_HELD pieces at 50 ms each take one worker less than two minutes.
LEASE = timedelta(minutes=10)
MOST_HELD = 20 * BATCH
ATTEMPTS = 3  # of a job; then the lease ends, and what is left of the batch is handed over again
RETRIES = procrastinate.RetryStrategy(max_attempts=ATTEMPTS, wait=5)
SILENT_SECONDS = 30.0  # procrastinate's own limit for a worker that gave no heartbeat
_UPKEEP_SECONDS = 15.0
_KEEP_HOURS = 72
AGAIN_SECONDS = 5.0
STOP_SECONDS = 5.0  # for a batch that is at work; then after its next piece
_NEWEST_HEARTBEAT = "SELECT max(last_heartbeat) > now() - interval '1 minute' AS alive FROM procrastinate_workers"
_log = structlog.get_logger(__name__)
T = TypeVar("T")
Job = Callable[[procrastinate.JobContext, str, str], int]


class JobFailed(Exception):
    """Stands for whatever went wrong in a job, without its message: that may quote a record, and is logged."""


def queue_app(database_url: str, job: Job | None = None, connections: int = 4) -> procrastinate.App:
    """The application as procrastinate's command line knows it; `job` does what a job names."""
    conninfo = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connector = procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=connections)
    app = procrastinate.App(connector=connector)
    if job is not None:
        app.task(name=TASK, queue=QUEUE, retry=RETRIES, pass_context=True)(job)
    return app


class Procrastinate:
    """Implements `Dispatcher`. Raises nothing at the start: a database that is away is tried again."""

    def __init__(self, releasing: Releasing, database_url: str) -> None:
        self._releasing = releasing
        self._url = database_url
        self._deferring = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
        self._worker = _Worker(lambda: queue_app(database_url, self.work))

    def dispatch(self, hospital: str) -> int:
        """Hand over what is due, oldest first, but no more than the workers get done within the lease."""
        its, handed = self._releasing, 0
        its.take_up(hospital)
        while its.store.held(hospital) < MOST_HELD:
            clinical = its.now(hospital).clinical
            claims = its.store.claim_due(hospital, clinical, BATCH, LEASE, hand_over=self._defer)
            if not claims:
                break
            handed += len(claims)
        return handed

    def work(self, context: procrastinate.JobContext, hospital: str, batch: str) -> int:
        """Do what is still held of a batch; how many pieces. Raises JobFailed, JobAborted when it has to stop."""
        done = 0
        try:
            for claim in self._releasing.store.claimed(hospital, batch):
                if context.should_abort():
                    raise JobAborted
                done += self._releasing.release(claim)
        except JobAborted:
            raise
        except Exception as error:
            _log.exception("job.failed", hospital=hospital)
            raise JobFailed(type(error).__name__) from None
        return done

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        self._worker.stop()

    def duties(self) -> Sequence[Duty]:
        return [Duty("engine.upkeep", _UPKEEP_SECONDS, self._upkeep, alone=True)]

    def lacking(self) -> Sequence[str]:
        async def alive(app: procrastinate.App) -> bool:
            return bool((await app.connector.execute_query_one_async(_NEWEST_HEARTBEAT))["alive"])

        try:
            if asyncio.run(self._asked(alive)):
                return []
        except (ConnectorException, psycopg.Error) as error:
            return [f"The engine's tables cannot be read ({type(error).__name__})"]
        return ["No worker does the due work that is handed over: none gave a sign of life for a minute"]

    def _defer(self, connection: Any, hospital: str, token: str) -> None:
        job = self._deferring.configure_task(TASK, queue=QUEUE, connection=connection)
        job.defer(hospital=hospital, batch=token)

    def _upkeep(self) -> int:
        return asyncio.run(self._asked(_retry_stalled))

    async def _asked(self, question: Callable[[procrastinate.App], Awaitable[T]]) -> T:
        app = queue_app(self._url, connections=1)
        async with app.open_async():
            return await question(app)


async def _retry_stalled(app: procrastinate.App) -> int:
    """Jobs of workers that are gone wait again; one that lost several workers is left to its lease. Old ones go."""
    retried = 0
    for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT_SECONDS):
        with suppress(ConnectorException):  # another process was first
            if job.attempts < ATTEMPTS:
                await app.job_manager.retry_job(job)
                retried += 1
            else:
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
    await app.job_manager.delete_old_jobs(nb_hours=_KEEP_HOURS, queue=QUEUE)
    return retried


class _Worker:
    """procrastinate's worker in a thread with an event loop of its own; when it ends by itself it begins again."""

    def __init__(self, app: Callable[[], procrastinate.App]) -> None:
        self._app = app
        self._stopped = Event()
        self._lock = Lock()
        self._cancel: Callable[[], object] = lambda: None
        self._thread: Thread | None = None

    def start(self) -> None:
        self._stopped.clear()
        self._thread = Thread(target=self._run, name="due-work", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._lock:
            self._stopped.set()
            self._cancel()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                asyncio.run(self._work())
            except asyncio.CancelledError:
                return
            except Exception as error:
                _log.error("worker.failed", error=type(error).__name__)
            self._stopped.wait(AGAIN_SECONDS)

    async def _work(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        with self._lock:
            if self._stopped.is_set():
                return
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        app = self._app()
        try:
            async with app.open_async():
                await app.run_worker_async(
                    queues=[QUEUE], install_signal_handlers=False, shutdown_graceful_timeout=STOP_SECONDS
                )
        finally:
            with self._lock:
                self._cancel = lambda: None

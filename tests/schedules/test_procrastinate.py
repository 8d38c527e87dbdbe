"""What only the engine with a queue has: an atomic hand-off, jobs that come late or twice, workers that die."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from pathway.due_work import Claim
from pathway.errors import Refused
from schedules import procrastinate_engine
from schedules.procrastinate_engine import BATCH, MOST_HELD, Procrastinate
from schedules.procrastinate_schema import bring_up_to_date
from service.bootstrap import Services, open_store
from service.logs import configure_logs
from service.settings import Settings
from tests.schedules.engines import HOSPITAL, LIBRARY, Bench, work, worked_off
from tests.servers import postgres

BIN = Path(sys.executable).parent


def sql(bench: Bench, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with bench.store.engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def until(found: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found():
            return True
        time.sleep(0.05)
    return False


def test_a_job_names_a_hospital_and_a_batch_and_no_patient(queue: Bench) -> None:
    queue.plan(*(work(f"k{number}") for number in range(3)))
    assert queue.take() == 3
    [(args,)] = sql(queue, "SELECT args FROM procrastinate_jobs")
    [(token,)] = sql(queue, "SELECT DISTINCT token FROM due")
    assert args == {"hospital": HOSPITAL, "batch": token}


@pytest.mark.parametrize("after_the_job", [False, True])
def test_a_claim_and_its_job_are_written_both_or_neither(queue: Bench, after_the_job: bool) -> None:
    queue.plan(work("one"))
    engine = queue.engine()
    assert isinstance(engine, Procrastinate)

    def fail(connection: Any, hospital: str, token: str) -> None:
        if after_the_job:
            engine._defer(connection, hospital, token)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        queue.store.claim_due(HOSPITAL, queue.clinical, 10, procrastinate_engine.LEASE, hand_over=fail)
    assert (queue.states(), queue.jobs()) == ({"one": "scheduled"}, [])
    queue.run()
    assert queue.effects() == ["one"]


def test_a_job_that_comes_twice_does_nothing(queue: Bench) -> None:
    queue.plan(work("one"))
    queue.take()
    sql(
        queue,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
        "SELECT queue_name, task_name, args FROM procrastinate_jobs",
    )
    queue.work_off()
    assert queue.effects() == ["one"]
    assert queue.jobs() == [("succeeded", 1), ("succeeded", 1)]


def test_jobs_that_were_lost_are_handed_over_again_when_the_lease_ends(queue: Bench) -> None:
    queue.plan(work("one"))
    queue.take()
    sql(queue, "DELETE FROM procrastinate_jobs")
    queue.run()
    assert queue.effects() == []
    queue.clock.now += queue.lease()
    queue.run()
    assert queue.effects() == ["one"]


def test_no_more_is_handed_over_than_is_done_within_the_lease(queue: Bench) -> None:
    queue.plan(*(work(f"k{number:05}") for number in range(MOST_HELD + BATCH + 5)))
    assert (queue.take(), queue.take()) == (MOST_HELD, 0)
    assert len(queue.jobs()) == MOST_HELD / BATCH
    queue.clock.now += queue.lease()
    assert queue.take() == MOST_HELD


def test_a_job_that_fails_is_tried_again_and_says_nothing_of_a_record(
    queue: Bench, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    queue.plan(work("one"))
    queue.take()

    def broken(_: str, __: str) -> list[Claim]:
        raise RuntimeError("Erna Nobodysname")

    with monkeypatch.context() as patched:
        patched.setattr(queue.store, "claimed", broken)
        configure_logs()
        queue.work_off()
        structlog.reset_defaults()
    assert queue.jobs() == [("todo", 1)]
    logged = capfd.readouterr().err
    assert "RuntimeError at procrastinate_engine.py" in logged
    assert "Nobodysname" not in logged
    sql(queue, "UPDATE procrastinate_jobs SET scheduled_at = now()")
    queue.work_off()
    assert (queue.effects(), queue.jobs()) == (["one"], [("succeeded", 2)])


def test_the_job_of_a_worker_that_died_is_taken_up_by_another(queue: Bench) -> None:
    queue.plan(work("one"))
    queue.take()
    sql(queue, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '31 seconds')")
    sql(queue, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)")
    queue.work_off()
    assert queue.effects() == []
    [upkeep] = queue.engine().duties()
    assert (upkeep.name, upkeep.alone, upkeep.run()) == ("engine.upkeep", True, 1)
    queue.work_off()
    assert queue.effects() == ["one"]


def test_a_job_that_loses_every_worker_is_left_to_its_lease(queue: Bench) -> None:
    queue.plan(work("one"))
    queue.take()
    sql(queue, "UPDATE procrastinate_jobs SET status = 'doing', attempts = 3")
    [upkeep] = queue.engine().duties()
    assert upkeep.run() == 0
    assert queue.jobs() == [("failed", 4)]
    queue.clock.now += queue.lease()
    queue.run()
    assert queue.effects() == ["one"]


def test_jobs_that_ended_days_ago_go_and_failed_ones_stay(queue: Bench) -> None:
    queue.plan(work("one"))
    queue.run()
    sql(queue, "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('due', 'x', 'failed')")
    sql(queue, "UPDATE procrastinate_events SET at = at - interval '4 days'")
    [upkeep] = queue.engine().duties()
    upkeep.run()
    assert [status for status, _ in queue.jobs()] == ["failed"]


def test_a_worker_that_is_stopped_leaves_the_rest_of_its_batch_to_the_next(
    queue: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procrastinate_engine, "STOP_SECONDS", 0.1)
    queue.plan(*(work(f"k{number}") for number in range(3)))
    queue.take()
    at_work, gate, released = threading.Event(), threading.Event(), type(queue.releasing()).release

    def slow(self: Any, claim: Claim) -> bool:
        at_work.set()
        gate.wait(30)
        return released(self, claim)

    engine = queue.engine()
    with monkeypatch.context() as patched:
        patched.setattr(type(queue.releasing()), "release", slow)
        engine.start()
        assert at_work.wait(30)
        stopping = threading.Thread(target=engine.stop)
        stopping.start()
        time.sleep(0.5)
        gate.set()
        stopping.join(30)
        assert not stopping.is_alive()
    assert queue.effects() == ["k0"]
    assert queue.jobs() == [("todo", 1)]
    sql(queue, "UPDATE procrastinate_jobs SET scheduled_at = now()")
    queue.work_off()
    assert queue.effects() == ["k0", "k1", "k2"]


def test_the_worker_thread_does_what_is_handed_over_and_can_be_started_again(queue: Bench) -> None:
    engine = queue.engine()
    assert list(engine.lacking()) == [
        "No worker does the due work that is handed over: none gave a sign of life for a minute"
    ]
    for key in ("one", "two"):
        engine.start()
        queue.plan(work(key))
        assert engine.dispatch(HOSPITAL) == 1
        assert until(lambda key=key: key in queue.effects())
        assert list(engine.lacking()) == []
        engine.stop()
    assert queue.effects() == ["one", "two"]
    assert [thread.name for thread in threading.enumerate() if thread.name == "due-work"] == []


def test_a_worker_comes_back_when_the_database_does(queue: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procrastinate_engine, "AGAIN_SECONDS", 0.1)
    engine = queue.engine()
    engine.start()
    assert until(lambda: list(engine.lacking()) == [])
    sql(queue, "ALTER TABLE procrastinate_jobs RENAME TO gone")
    sql(
        queue,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()",
    )
    time.sleep(0.5)
    sql(queue, "ALTER TABLE gone RENAME TO procrastinate_jobs")
    queue.plan(work("one"))
    engine.dispatch(HOSPITAL)
    assert until(lambda: queue.effects() == ["one"])
    engine.stop()


class TestSchema:
    def version(self, bench: Bench) -> str:
        [(comment,)] = sql(bench, "SELECT obj_description('procrastinate_jobs'::regclass, 'pg_class')")
        return str(comment)

    def test_bringing_it_up_to_date_twice_changes_nothing(self, queue: Bench) -> None:
        newest = max(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
        bring_up_to_date(queue.store.engine)
        assert self.version(queue) == newest

    def test_scripts_that_came_since_are_run_in_order(
        self, queue: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        came = self.version(queue)
        (tmp_path / came).write_text("SELECT 1 / 0")
        (tmp_path / "98.00.00_01_new.sql").write_text("CREATE TABLE procrastinate_new (n text DEFAULT '%'); SELECT 1")
        (tmp_path / "98.00.00_50_new.sql").write_text("ALTER TABLE procrastinate_new ADD COLUMN m integer")
        monkeypatch.setattr(SchemaManager, "get_migrations_path", lambda: str(tmp_path))
        for _ in range(2):
            bring_up_to_date(queue.store.engine)
            assert sql(queue, "SELECT n, m FROM procrastinate_new") == []
            assert self.version(queue) == "98.00.00_50_new.sql"

    def test_processes_that_start_together_come_one_after_the_other(self, postgres_url: str) -> None:
        with postgres.database(postgres_url) as url:
            errors: list[Exception] = []

            def start() -> None:
                try:
                    store = open_store(url)
                    bring_up_to_date(store.engine)
                    store.engine.dispose()
                except Exception as error:
                    errors.append(error)

            threads = [threading.Thread(target=start) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert errors == []


class TestChoice:
    def engine(self, url: str, **settings: Any) -> str:
        store = open_store(url)
        try:
            services = Services(Settings(database_url=url, **settings), store, LIBRARY, None)  # type: ignore[arg-type]
            return type(services.dispatcher).__name__
        finally:
            store.engine.dispose()

    def test_by_the_database(self, postgres_database: str) -> None:
        assert self.engine("sqlite://") == "InProcess"
        assert self.engine(postgres_database) == "Procrastinate"
        assert self.engine(postgres_database, engine="in-process") == "InProcess"

    def test_procrastinate_needs_postgresql(self) -> None:
        with pytest.raises(Refused, match="PostgreSQL only"):
            self.engine("sqlite://", engine="procrastinate")

    def test_what_is_not_installed_is_named(self, postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "schedules.procrastinate_engine")
        monkeypatch.setitem(sys.modules, "procrastinate", None)
        with pytest.raises(Refused, match=r"procrastinate is missing.*calcinosis-pathway\[postgres\].*in-process"):
            self.engine(postgres_database)


class TestOperators:
    def ask(self, url: str, *arguments: str, typed: str = "") -> str:
        command = [str(BIN / "procrastinate"), "--app=service.procrastinate_app.app", *arguments]
        environment = {"CALCINOSIS_PATHWAY_DATABASE_URL": url, "PATH": ""}
        run = subprocess.run(
            command, input=typed, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def test_the_shell_shows_what_is_handed_over(self, queue: Bench) -> None:
        queue.plan(work("one"))
        queue.take()
        shown = self.ask(queue.url, "shell", typed="list_queues\nlist_jobs details\nexit\n")
        assert "due: 1 jobs (todo: 1, doing: 0, succeeded: 0, failed: 0" in shown
        assert "calcinosis_pathway.release on due - [todo]" in shown

    def test_healthchecks(self, queue: Bench) -> None:
        assert "Found procrastinate_jobs table: OK" in self.ask(queue.url, "healthchecks")


def test_two_workers_share_a_busy_day(queue: Bench) -> None:
    queue.plan(*(work(f"k{number:03}") for number in range(400)))
    queue.take()

    async def both() -> None:
        benches = [queue, queue.another()]
        asked = [Procrastinate(bench.releasing(), bench.url) for bench in benches]
        await asyncio.gather(*(worked_off(queue.url, engine) for engine in asked))

    asyncio.run(both())
    assert sorted(queue.effects()) == [f"k{number:03}" for number in range(400)]
    assert {attempts for _, attempts in queue.jobs()} == {1}
    assert queue.rows()["k000"].attempt == 1

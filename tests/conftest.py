"""Real FHIR servers for any test that asks, started at first use; one that cannot run here is named at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import settings
from sqlalchemy import make_url

from schedules.procrastinate_schema import bring_up_to_date
from service.bootstrap import open_store
from tests.servers import hapi, postgres, sekmet

REQUIRED = "CALCINOSIS_PATHWAY_TEST_REQUIRE"
SOAK = "soak"
LEFT_OUT = "left out, server cannot run here: "

settings.register_profile(SOAK, max_examples=300, deadline=None)


@pytest.fixture(scope="session")
def hapi_base() -> Iterator[str]:
    """FHIR base URL of HAPI's JPA server (Java)."""
    yield from _base("hapi", hapi)


@pytest.fixture(scope="session")
def sekmet_base() -> Iterator[str]:
    """FHIR base URL of sekmet-fhir (Python)."""
    yield from _base("sekmet", sekmet)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL database."""
    yield from _base("postgres", postgres)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """Name of a PostgreSQL database with the schema of this version, to be copied."""
    with postgres.database(postgres_url) as url:
        engine = open_store(url).engine
        bring_up_to_date(engine)
        engine.dispose()
        yield str(make_url(url).database)


@pytest.fixture
def postgres_database(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL database of its own, with the schema of this version and empty."""
    with postgres.database(postgres_url, postgres_template) as url:
        yield url


def _base(name: str, server: ModuleType) -> Iterator[str]:
    reason = server.unavailable()
    if reason is not None:
        if name in os.environ.get(REQUIRED, "").replace(" ", "").split(","):
            pytest.fail(f"{REQUIRED} names {name}, which cannot run here: {reason}", pytrace=False)
        pytest.skip(f"{LEFT_OUT}{name}: {reason}")
    with server.running() as base:
        yield base


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")]
    left_out = Counter(text.partition(LEFT_OUT)[2] for text in skipped if LEFT_OUT in text)
    if left_out:
        terminalreporter.section("left out")
        for reason, tests in sorted(left_out.items()):
            terminalreporter.line(f"{tests} tests of {reason}")

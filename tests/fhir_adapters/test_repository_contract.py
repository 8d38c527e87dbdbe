"""The repository contract over our own stores, and over HTTP at every hospital's server we can run."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.r4.admission import check
from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.errors import Rejected
from pathway.ports import Create, FhirServer, Resource
from tests.fhir_adapters.contract import RepositoryContract
from tests.fhir_adapters.contract_resources import (
    Abilities,
    appointment,
    care_plan,
    create,
    needs,
    patient,
    task,
    unique_key,
)
from tests.fhir_adapters.hospital.conftest import web_server
from tests.fhir_adapters.store.ticking import Clock

BASE = "https://hospital.example/fhir"


@pytest.fixture(scope="module")
def memory_server() -> FhirServer:
    store = MemoryStore(Clock())
    store.register("demo", "demo", BASE)
    return store.repository("demo")


def sql(url: str, name: str) -> Iterator[FhirServer]:
    engine = create_engine(url)
    upgrade(engine)
    store = SqlStore(engine, Clock())
    store.register(name, "demo", BASE)
    yield store.repository(name)
    engine.dispose()


@pytest.fixture(scope="module")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirServer]:
    yield from sql(f"sqlite:///{tmp_path_factory.mktemp('store')}/store.db", "demo")


@pytest.fixture(scope="module")
def postgres_server(postgres_url: str) -> Iterator[FhirServer]:
    yield from sql(postgres_url, "contract")


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def our_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with web_server(tmp_path_factory.mktemp("hospitals")) as opened:
        yield opened().base


@pytest.fixture
def abilities() -> Abilities:
    return Abilities()


class TestMemory(RepositoryContract):
    @pytest.fixture
    def server(self, memory_server: FhirServer) -> FhirServer:
        return memory_server


class TestSqlite(RepositoryContract):
    @pytest.fixture
    def server(self, sqlite_server: FhirServer) -> FhirServer:
        return sqlite_server


class TestPostgres(RepositoryContract):
    @pytest.fixture
    def server(self, postgres_server: FhirServer) -> FhirServer:
        return postgres_server


class OverHttp(RepositoryContract):
    """A hospital's server by its CapabilityStatement; on create it chooses the id."""

    def test_a_provenance_is_written_under_its_own_id(self, server: FhirServer) -> None:
        subject, id = create(server, patient(unique_key())).reference, str(uuid4())
        agent = [{"who": {"display": "Pathway"}}]
        body = {"target": [{"reference": subject}], "recorded": "2026-03-02T09:00:00Z", "agent": agent}
        provenance: Resource = {"resourceType": "Provenance", "id": id, **body}
        first = server.transact([Create(provenance)])[0]
        again = server.transact([Create(provenance)])[0]
        assert (first.created, again.created) == (True, False)
        assert server.read("Provenance", id)["target"] == [{"reference": subject}]

    def test_date_that_is_none_is_refused(self, server: FhirServer, abilities: Abilities) -> None:
        """All a status says is that the server will never do it."""
        with needs(abilities.strict_search), pytest.raises(Rejected, match="yesterday"):
            server.search("Task", [("authored-on", "yesterday")])


class TestOurServer(OverHttp):
    @pytest.fixture
    def server(self, our_base: str, http: httpx.Client) -> FhirServer:
        return HospitalClient(our_base, http)

    @pytest.fixture
    def abilities(self) -> Abilities:
        return Abilities(client_ids=False)


class TestSekmet(OverHttp):
    """The same content makes a new version; 1.10 becomes 1.1."""

    @pytest.fixture
    def server(self, sekmet_base: str, http: httpx.Client) -> FhirServer:
        return HospitalClient(sekmet_base, http)

    @pytest.fixture
    def abilities(self) -> Abilities:
        return Abilities(client_ids=False, unchanged_update_writes_nothing=False, keeps_decimals=False)


class TestHapi(OverHttp):
    """A modifier it does not know is ignored; `:contains` and `:identifier` are switched off."""

    @pytest.fixture
    def server(self, hapi_base: str, http: httpx.Client) -> FhirServer:
        return HospitalClient(hapi_base, http)

    @pytest.fixture
    def abilities(self) -> Abilities:
        return Abilities(client_ids=False, modifiers=False, reference_identifier=False)

    @pytest.mark.parametrize("name", ["colour-of-hair"])
    def test_unknown_parameter_is_refused(self, server: FhirServer, abilities: Abilities, name: str) -> None:
        super().test_unknown_parameter_is_refused(server, abilities, name)


def test_what_the_contract_writes_is_valid() -> None:
    subject, key = "Patient/p1", unique_key()
    pending = {"status": "pending", "start": "2026-03-10T10:00:00+01:00", "end": "2026-03-10T10:30:00+01:00"}
    resources = [patient(key), task(subject, key), appointment(subject, key), care_plan(subject, key)]
    resources.append(appointment(subject, key, **pending))
    assert [issue for resource in resources for issue in check(resource) if issue.severity != "warning"] == []

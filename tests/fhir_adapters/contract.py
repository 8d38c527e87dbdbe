"""What every FHIR server we use must do: run over memory, over SQL, and over every hospital's server.

A class with the fixtures `server` and `abilities` inherits `RepositoryContract`. Resources are valid R4 and refer only
to resources that exist; identifiers are unique per test, so that a server may keep what other tests wrote.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from pathway.errors import Conflict, Gone, MultipleMatches, NotFound
from pathway.ports import Create, Delete, FhirServer, Key, Update
from tests.fhir_adapters.contract_resources import (
    Abilities,
    create,
    found,
    needs,
    patient,
    task,
    unique_key,
)
from tests.fhir_adapters.contract_search import Paging, Searching


class ReadAndWrite:
    """create, read, update, delete and their versions."""

    def test_created_resource_is_read_back_whole(self, server: FhirServer) -> None:
        resource = patient(unique_key(), gender="female", birthDate="1970-02-03")
        written = create(server, resource)
        read = server.read("Patient", written.resource["id"])
        assert written.created
        assert {name: read[name] for name in resource} == resource
        assert read["meta"]["versionId"] == written.resource["meta"]["versionId"]
        assert read["meta"]["lastUpdated"]

    def test_reading_what_never_was(self, server: FhirServer) -> None:
        with pytest.raises(NotFound) as error:
            server.read("Patient", str(uuid4()))
        assert not isinstance(error.value, Gone)

    def test_id_is_ours(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.client_ids):
            id = str(uuid4())
            written = create(server, patient(unique_key(), id=id))
            assert written.reference == f"Patient/{id}"
            assert server.read("Patient", id)["id"] == id

    def test_update_makes_a_version(self, server: FhirServer, abilities: Abilities) -> None:
        first = create(server, patient(unique_key())).resource
        second = server.transact([Update(first | {"gender": "male"}, first["meta"]["versionId"])])[0]
        assert not second.created
        assert second.resource["meta"]["versionId"] != first["meta"]["versionId"]
        assert server.read("Patient", first["id"])["gender"] == "male"
        with needs(abilities.vread):
            assert "gender" not in server.vread("Patient", first["id"], first["meta"]["versionId"])
            with pytest.raises(NotFound):
                server.vread("Patient", first["id"], "4711")

    def test_history_is_newest_first(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.vread):
            first = create(server, patient(unique_key())).resource
            server.transact([Update(first | {"gender": "male"})])
            assert [version.get("gender") for version in server.history("Patient", first["id"])] == ["male", None]
            with pytest.raises(NotFound):
                server.history("Patient", str(uuid4()))

    def test_stale_update_is_a_conflict(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.if_match):
            first = create(server, patient(unique_key())).resource
            version = first["meta"]["versionId"]
            server.transact([Update(first | {"gender": "male"}, version)])
            with pytest.raises(Conflict):
                server.transact([Update(first | {"gender": "other"}, version)])
            assert server.read("Patient", first["id"])["gender"] == "male"

    def test_unchanged_update_writes_nothing(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.unchanged_update_writes_nothing):
            first = create(server, patient(unique_key(), gender="male")).resource
            same = server.transact([Update(first, first["meta"]["versionId"])])[0].resource
            assert same["meta"]["versionId"] == first["meta"]["versionId"]
            assert len(server.history("Patient", first["id"])) == 1

    def test_update_as_create(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.client_ids):
            id = str(uuid4())
            assert server.transact([Update(patient(unique_key(), id=id))])[0].created
            assert server.read("Patient", id)["id"] == id

    def test_deleted_is_gone(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.delete):
            key = unique_key()
            id = create(server, patient(key)).resource["id"]
            assert server.transact([Delete("Patient", id)])[0].deleted
            with pytest.raises(Gone if abilities.delete_gone else NotFound):
                server.read("Patient", id)
            assert found(server, "Patient", ("identifier", key.token())) == set()
            server.transact([Delete("Patient", id)])

    def test_decimals_keep_their_digits(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.keeps_decimals):
            subject = create(server, patient(unique_key())).reference
            extension = [{"url": "https://calcinosis-pathway.example/size", "valueDecimal": Decimal("1.10")}]
            id = create(server, task(subject, unique_key(), extension=extension)).resource["id"]
            assert str(server.read("Task", id)["extension"][0]["valueDecimal"]) == "1.10"


class Keys:
    """Creating with a key (If-None-Exist), and several changes at once."""

    def test_second_create_finds_the_first(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.conditional_create):
            key = unique_key()
            first = server.transact([Create(patient(key), key)])[0]
            second = server.transact([Create(patient(key, gender="male"), key)])[0]
            assert (first.created, second.created) == (True, False)
            assert second.resource["id"] == first.resource["id"]
            assert found(server, "Patient", ("identifier", key.token())) == {first.resource["id"]}
            assert "gender" not in server.read("Patient", first.resource["id"])

    def test_ambiguous_key(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.conditional_create):
            key = Key("https://calcinosis-pathway.example/contract", str(uuid4()))
            create(server, patient(key))
            assert not server.transact([Create(patient(key), key)])[0].created
            create(server, patient(key, gender="male"))
            with pytest.raises(MultipleMatches):
                server.transact([Create(patient(key), key)])

    def test_several_changes_at_once(self, server: FhirServer) -> None:
        subject = create(server, patient(unique_key()))
        key = unique_key()
        written = server.transact(
            [Create(task(subject.reference, key), key), Update(subject.resource | {"gender": "male"})]
        )
        assert [one.created for one in written] == [True, False]
        assert [one.resource["resourceType"] for one in written] == ["Task", "Patient"]

    def test_all_or_nothing(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.transaction_atomic and abilities.if_match):
            subject = create(server, patient(unique_key()))
            key = unique_key()
            stale = Update(subject.resource | {"gender": "male"}, "4711")
            with pytest.raises(Conflict):
                server.transact([Create(task(subject.reference, key), key), stale])
            assert found(server, "Task", ("identifier", key.token())) == set()
            assert server.transact([Create(task(subject.reference, key), key)])[0].created


class RepositoryContract(ReadAndWrite, Keys, Searching, Paging):
    """All of it."""

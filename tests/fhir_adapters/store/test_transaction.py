"""What a transaction does besides the FHIR interactions, in SQL and in memory."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from fhir_adapters.r4.admission import parse, render
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.sql import SqlStore
from pathway.codes import KEY_SYSTEM
from pathway.errors import Conflict, Gone, InvalidResource, NotFound, Refused
from pathway.ports import Alert, Create, Delete, Key, Quarantined, Resource, Update
from tests.fhir_adapters.store.conftest import BASE
from tests.fhir_adapters.store.ticking import START, Clock

Stores = SqlStore | MemoryStore
KEY = Key(KEY_SYSTEM, "demo:plan:visit")


def procedure(**more: Any) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": "op-1",
        "meta": {"versionId": "7", "lastUpdated": "2026-03-01T08:00:00+01:00", "profile": ["https://x.example/p"]},
        "status": "completed",
        "subject": {"reference": f"{BASE}/Patient/p1"},
        **more,
    }


def visit(**more: Any) -> Resource:
    subject = {"reference": "Patient/p1"}
    return {"resourceType": "Task", "identifier": [KEY.identifier()], "status": "draft", "for": subject, **more}


def test_received_resource_is_kept_as_it_came(store: Stores) -> None:
    body = (
        b'{"resourceType":"Procedure","status":"completed","id":"op-1","extension":[{"url":"https://x.example/e",'
        b'"valueDecimal":1.10}],"subject":{"reference":"Patient/p1"},"performedDateTime":"2026-03-01T10:00:00+01:00"}'
    )
    with store.transaction("demo") as tx:
        written = tx.receive(parse(body), "pull")
    assert written is not None
    read = store.repository("demo").read("Procedure", "op-1")
    assert (written.created, read["meta"]) == (True, {"versionId": "1", "lastUpdated": "2026-03-02T09:00:00.000Z"})
    del read["meta"]
    assert list(read) == ["resourceType", "id", "status", "extension", "subject", "performedDateTime"]
    assert parse(render(read)) == parse(body)
    assert str(read["extension"][0]["valueDecimal"]) == "1.10"


def test_received_meta_is_kept_but_for_version_and_time(store: Stores) -> None:
    with store.transaction("demo") as tx:
        tx.receive(procedure(), "pull")
        meta = tx.read("Procedure", "op-1")["meta"]
    expected = {"versionId": "1", "lastUpdated": "2026-03-02T09:00:00.000Z", "profile": ["https://x.example/p"]}
    assert meta == expected


def test_same_version_or_content_is_received_once(store: Stores) -> None:
    with store.transaction("demo") as tx:
        assert tx.receive(procedure(), "pull") is not None
        assert tx.receive(procedure(), "pull") is None
        assert tx.receive(procedure(meta={"versionId": "8", "profile": ["https://x.example/p"]}), "pull") is None
        changed = tx.receive(procedure(status="stopped"), "pull")
        assert changed is not None
        assert not changed.created
        assert tx.receive(procedure(), "pull") is not None
        assert len(tx.history("Procedure", "op-1")) == 3


def test_deleted_here_and_sent_again(store: Stores) -> None:
    with store.transaction("demo") as tx:
        tx.receive(procedure(), "pull")
        tx.transact([Delete("Procedure", "op-1")])
        assert tx.receive(procedure(), "pull") is not None
        assert tx.read("Procedure", "op-1")["status"] == "completed"


def test_what_is_received_must_be_indexable(store: Stores) -> None:
    with store.transaction("demo") as tx:
        for broken in (
            procedure(id="a b"),
            procedure(performedDateTime="soon"),
            {"resourceType": "Nonsense", "id": "1"},
        ):
            with pytest.raises(InvalidResource), tx.savepoint():
                tx.receive(broken, "pull")
        assert tx.receive(procedure(), "pull") is not None


def test_references_into_the_hospitals_base_are_found_both_ways(store: Stores) -> None:
    with store.transaction("demo") as tx:
        tx.receive(procedure(), "pull")
        for reference in ("Patient/p1", f"{BASE}/Patient/p1", "p1"):
            assert len(tx.search("Procedure", [("subject", reference)]).resources) == 1, reference
        assert tx.search("Procedure", [("subject", "https://other.example/fhir/Patient/p1")]).resources == []


def test_authored(store: Stores) -> None:
    provenance = {"resourceType": "Provenance", "id": "pv", "target": [{"reference": "Task/1"}]}
    with store.transaction("demo") as tx:
        ours = tx.transact([Create(visit(), KEY), Create(provenance), Create({"resourceType": "Patient", "id": "p1"})])
        tx.receive(procedure(identifier=[Key(KEY_SYSTEM, "demo:op").identifier()]), "pull")
        tx.receive(provenance | {"id": "theirs"}, "pull")
        assert [tx.authored(one.reference) for one in ours] == [True, True, False]
        assert tx.authored(f"{BASE}/{ours[0].reference}/_history/1")
        assert not any(map(tx.authored, ("Procedure/op-1", "Provenance/theirs", "Task/nothing", "urn:uuid:1", "#a")))
        tx.transact([Delete("Task", ours[0].resource["id"])])
        assert tx.authored(ours[0].reference)


def test_create_with_key_of_a_resource_without_identifier(store: Stores) -> None:
    provenance = {"resourceType": "Provenance", "id": "pv", "target": [{"reference": "Task/1"}]}
    with store.transaction("demo") as tx:
        first, second = tx.transact([Create(provenance, KEY), Create(provenance, KEY)])
        assert (first.created, second.created, second.resource) == (True, False, first.resource)


def test_key_belongs_to_one_resource_until_it_is_deleted(store: Stores) -> None:
    with store.transaction("demo") as tx:
        first = tx.transact([Create(visit(), KEY)])[0]
        with pytest.raises(Conflict):
            tx.transact([Create(visit(status="requested"))])
        with pytest.raises(Conflict):
            tx.transact([Update(visit(id="another"))])
        tx.transact([Delete("Task", first.resource["id"])])
        assert tx.transact([Create(visit(), KEY)])[0].created


def test_existing_id_is_a_conflict(store: Stores) -> None:
    with store.transaction("demo") as tx:
        tx.transact([Create({"resourceType": "Patient", "id": "p1"})])
        with pytest.raises(Conflict):
            tx.transact([Create({"resourceType": "Patient", "id": "p1"})])
        with pytest.raises(Conflict):
            tx.transact([Update({"resourceType": "Patient", "id": "p2"}, "1")])


def test_update_that_differs_in_digits_is_a_change(store: Stores) -> None:
    def sized(value: str) -> Resource:
        extension = [{"url": "https://x.example/e", "valueDecimal": Decimal(value)}]
        return {"resourceType": "Patient", "id": "p1", "extension": extension}

    with store.transaction("demo") as tx:
        tx.transact([Create(sized("1.1"))])
        assert tx.transact([Update(sized("1.1"))])[0].resource["meta"]["versionId"] == "1"
        assert tx.transact([Update(sized("1.10"))])[0].resource["meta"]["versionId"] == "2"


def test_deletion_is_a_version(store: Stores) -> None:
    with store.transaction("demo") as tx:
        id = tx.transact([Create(visit(), KEY)])[0].resource["id"]
        tx.transact([Delete("Task", id)])
        with pytest.raises(Gone):
            tx.vread("Task", id, "2")
        assert tx.vread("Task", id, "1")["status"] == "draft"
        assert [(one.version, one.deleted) for one in tx.versions("Task", id)] == [(2, True), (1, False)]
        with pytest.raises(NotFound):
            tx.vread("Task", id, "one")
        assert tx.transact([Update(visit(id=id))])[0].created
        assert tx.read("Task", id)["meta"]["versionId"] == "3"


def test_last_updated_never_goes_back(store: Stores, clock: Clock) -> None:
    store.repository("demo").transact([Create({"resourceType": "Patient", "id": "p1"})])
    clock.now = START - timedelta(hours=1)
    written = store.repository("demo").transact([Create({"resourceType": "Patient", "id": "p2"})])[0]
    assert written.resource["meta"]["lastUpdated"] == "2026-03-02T09:00:00.000Z"


def test_rollback_leaves_nothing(store: Stores) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction("demo") as tx:
        written = tx.transact([Create(visit(), KEY)])[0]
        tx.receive(procedure(), "pull")
        tx.send(written.reference)
        tx.quarantine(Quarantined("surgery", "Which one?", "Procedure/op-1", "1"))
        tx.alert(Alert("overdue", "stat", "Task/1"))
        raise ZeroDivisionError
    with store.transaction("demo") as tx:
        assert not tx.sent(written.reference)
        with pytest.raises(NotFound):
            tx.read("Procedure", "op-1")
        assert tx.search("Task").resources == []
        assert tx.receive(procedure(), "pull") is not None
        assert tx.transact([Create(visit(), KEY)])[0].created


def test_a_transaction_that_may_only_read_cannot_write(store: Stores) -> None:
    with (
        pytest.raises((OperationalError, RuntimeError), match="read"),
        store.transaction("demo", read_only=True) as tx,
    ):
        assert tx.search("Task").resources == []
        tx.transact([Create(visit(), KEY)])
    assert store.repository("demo").search("Task").resources == []
    with store.transaction("demo") as tx:
        assert tx.transact([Create(visit(), KEY)])[0].created


def test_savepoint_is_undone_alone(store: Stores) -> None:
    with store.transaction("demo") as tx:
        tx.transact([Create({"resourceType": "Patient", "id": "p1"})])
        with pytest.raises(ZeroDivisionError), tx.savepoint():
            tx.transact([Create(visit(), KEY)])
            raise ZeroDivisionError
        with tx.savepoint():
            tx.transact([Create({"resourceType": "Patient", "id": "p2"})])
    repository = store.repository("demo")
    assert repository.search("Task").resources == []
    assert [one["id"] for one in repository.search("Patient").resources] == ["p1", "p2"]


def test_failed_transact_leaves_nothing_though_the_transaction_goes_on(store: Stores) -> None:
    with store.transaction("demo") as tx:
        with pytest.raises(Conflict):
            tx.transact([Create(visit(), KEY), Update({"resourceType": "Patient", "id": "p1"}, "3")])
        tx.transact([Create({"resourceType": "Patient", "id": "p1"})])
    assert store.repository("demo").search("Task").resources == []
    assert store.repository("demo").read("Patient", "p1")


def test_hospitals_share_nothing(store: Stores) -> None:
    store.register("other", "test", "https://other.example/fhir")
    store.repository("demo").transact([Create(visit(id="same"), KEY)])
    other = store.repository("other")
    with pytest.raises(NotFound):
        other.read("Task", "same")
    assert other.transact([Create(visit(id="same"), KEY)])[0].created
    with pytest.raises(NotFound), store.transaction("third"):
        pass
    with pytest.raises(Conflict):
        store.register("demo", "real", BASE)


def test_what_callers_hold_is_theirs(store: Stores) -> None:
    resource = visit(id="t1")
    store.repository("demo").transact([Create(resource)])
    resource["status"] = "failed"
    store.repository("demo").read("Task", "t1")["status"] = "failed"
    assert store.repository("demo").read("Task", "t1")["status"] == "draft"


def test_clinical_clock(store: Stores) -> None:
    store.register("real", "real", "https://real.example/fhir")
    assert store.advance("demo", timedelta(days=9)) == START + timedelta(days=9)
    assert store.clinical_now("demo") == START + timedelta(days=9)
    with pytest.raises(Refused):
        store.advance("real", timedelta(days=1))
    with pytest.raises(Refused):
        store.advance("demo", timedelta(days=-1))
    assert store.clinical_now("real") == START


def test_bad_page_token(store: Stores) -> None:
    for token in ("nonsense", "", "WzFd", "ÿ"):
        with pytest.raises(InvalidResource):
            store.repository("demo").search("Task", page=token)


@pytest.mark.parametrize(
    "parameter",
    [
        ("_count", "many"),
        ("_count", "-1"),
        ("_sort", "status"),
        ("_total", "exact"),
        ("_summary", "text"),
        ("_lastUpdated", ""),
        ("status", ""),
        ("status:missing", "maybe"),
        ("status:text", "draft"),
        ("subject:below", "Patient/1"),
        ("subject.name", "x"),
        ("_include", "Task:subject"),
    ],
)
def test_what_a_search_cannot_honour_is_refused_by_name(store: Stores, parameter: tuple[str, str]) -> None:
    with pytest.raises(InvalidResource) as error:
        store.repository("demo").search("Task", [parameter])
    assert parameter[0].partition(":")[0].partition(".")[0] in str(error.value)


def test_escaped_separators_and_wildcards_are_letters(store: Stores) -> None:
    odd = [{"system": "https://x.example/a|b", "value": "1,2"}]
    patients: list[Resource] = [{"resourceType": "Patient", "id": "odd", "identifier": odd}]
    patients.append({"resourceType": "Patient", "id": "percent", "name": [{"family": "100%_er"}]})
    patients.append({"resourceType": "Patient", "id": "plain", "name": [{"family": "100 mer"}]})
    repository = store.repository("demo")
    repository.transact([Create(one) for one in patients])
    cases = {("identifier", r"https://x.example/a\|b|1\,2"): ["odd"], ("family", "100%"): ["percent"]}
    cases |= {("identifier", r"|1\,2"): [], ("identifier", r"https://x.example/a\|b|"): ["odd"]}
    cases |= {("family:contains", "_"): ["percent"], ("identifier:not", r"1\,2"): ["percent", "plain"]}
    for query, ids in cases.items():
        assert [one["id"] for one in repository.search("Patient", [query]).resources] == ids, query


def test_what_is_known_of_a_patient_is_what_a_search_of_each_type_finds(store: Stores) -> None:
    types = ("Task", "Appointment", "Procedure", "Goal")
    both = [{"actor": {"reference": f"{base}Patient/p1"}, "status": "accepted"} for base in ("", f"{BASE}/")]
    appointment = {"resourceType": "Appointment", "id": "a1", "status": "booked", "participant": both}
    with store.transaction("demo") as tx:
        tx.receive(procedure(), "demo")
        other = {"reference": "Patient/p2"}
        tx.transact(
            [Create(visit()), Create(appointment), Update({**visit(), "id": "t9", "identifier": [], "for": other})]
        )
        gone = tx.transact([Create({**visit(), "identifier": []})])[0].resource
        tx.transact([Delete("Task", gone["id"])])
        found = tx.of_patient("Patient/p1", types)
        searched = [r for type in types for r in tx.search(type, [("patient", "Patient/p1")]).resources]
        assert found == searched
        assert [r["resourceType"] for r in found] == ["Task", "Appointment", "Procedure"]
        assert tx.of_patient("Patient/nobody", types) == []

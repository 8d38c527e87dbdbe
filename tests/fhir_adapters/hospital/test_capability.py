"""From what a server says of itself to how each type is written and read there."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapters.hospital.capability import TypePlan, WritePlan, write_plan
from pathway.ports import Resource


def offered(type: str, interactions: str, parameters: str = "", **more: Any) -> Resource:
    codes = {"interaction": [{"code": code} for code in interactions.split()]} if interactions else {}
    names = {"searchParam": [{"name": name, "type": "token"} for name in parameters.split()]} if parameters else {}
    return {"type": type, **codes, **names, **more}


def statement(*resources: Resource, system: str = "", **software: str) -> Resource:
    rest = {"mode": "server", "interaction": [{"code": code} for code in system.split()], "resource": list(resources)}
    return {"resourceType": "CapabilityStatement", "software": software, "rest": [rest]}


EPIC = write_plan(
    statement(
        offered("ServiceRequest", "create read search-type update", "patient identifier _id", conditionalCreate=False),
        offered("Task", "read search-type update", "patient status _id", conditionalCreate=False),
        offered("CarePlan", "read search-type", "patient status _id", conditionalCreate=False),
        offered("Goal", "read search-type", "patient lifecycle-status _id", conditionalCreate=False),
        offered("Provenance", "read"),
        name="Epic",
        version="May 2026",
    )
)
ORACLE = write_plan(
    statement(
        offered("Appointment", "read search-type create patch", "_id date patient"),
        offered("Procedure", "read search-type create", "_id patient date _lastUpdated"),
        offered("CarePlan", "read search-type", "_id patient"),
        offered("Goal", "read search-type", "_id patient target-date"),
        system="batch",
    )
)
HAPI = write_plan(
    statement(
        offered("Task", "create read update search-type", "_id _lastUpdated identifier", conditionalCreate=True),
        offered("Provenance", "create read update search-type", "_id _lastUpdated target", conditionalCreate=True),
        offered("RiskAssessment", "create read update search-type", "_id _lastUpdated probability"),
        system="transaction history-system",
        name="HAPI FHIR Server",
        version="8.8.0",
    )
)
SCHEDULER = write_plan(
    statement(
        offered("Appointment", "search-type create", "patient", operation=[{"name": "find"}, {"name": "book"}]),
    )
)
TYPES_ONLY = write_plan(statement(offered("Task", ""), offered("Provenance", ""), system="batch transaction"))


@pytest.mark.parametrize(
    ("plan", "type", "expected"),
    [
        (EPIC, "ServiceRequest", TypePlan("search", update=True, by_time=False)),
        (EPIC, "Task", TypePlan("nothing", update=True, by_time=False)),
        (EPIC, "CarePlan", TypePlan("nothing", update=False, by_time=False)),
        (EPIC, "Provenance", TypePlan("nothing", update=False, by_time=False, search=False)),
        (EPIC, "CommunicationRequest", TypePlan("search", update=True, by_time=True, listed=False)),
        (ORACLE, "Appointment", TypePlan("search", update=False, by_time=False)),
        (ORACLE, "Procedure", TypePlan("search", update=False, by_time=True)),
        (ORACLE, "Task", TypePlan("search", update=True, by_time=True, listed=False)),
        (HAPI, "Task", TypePlan("condition", update=True, by_time=True)),
        (HAPI, "Provenance", TypePlan("own-id", update=True, by_time=True)),
        (HAPI, "RiskAssessment", TypePlan("nothing", update=True, by_time=True)),
        (EPIC, "Goal", TypePlan("nothing", update=False, by_time=False)),
        (ORACLE, "Goal", TypePlan("nothing", update=False, by_time=False)),
        (TYPES_ONLY, "Task", TypePlan("search", update=True, by_time=True)),
        (TYPES_ONLY, "Provenance", TypePlan("own-id", update=True, by_time=True)),
    ],
)
def test_each_type_is_written_and_read_as_the_server_allows(plan: WritePlan, type: str, expected: TypePlan) -> None:
    assert plan.of(type) == expected


def test_visits_are_booked_where_find_book_and_a_search_are_offered() -> None:
    def books(interactions: str, *operations: str, type: str = "Appointment") -> bool:
        named = [{"name": name, "definition": f"https://profiles.ihe.net/{name}"} for name in operations]
        return write_plan(statement(offered(type, interactions, operation=named))).of(type).book

    assert books("search-type", "find", "hold", "book")
    assert books("search-type", "$find", "$book")
    assert not books("search-type", "find")
    assert not books("read create", "find", "book")
    assert not books("search-type", "find", "book", type="Task")
    assert not any(plan.of("Appointment").book for plan in (EPIC, ORACLE, HAPI))


def test_a_statement_without_any_type_is_tried_the_careful_way() -> None:
    silent = write_plan({"resourceType": "CapabilityStatement"})
    assert silent.of("Task") == TypePlan("search", update=True, by_time=True, listed=False)
    assert silent.of("Provenance") == TypePlan("own-id", update=True, by_time=True, listed=False)
    assert (silent.software, silent.transaction) == ("unnamed server", False)


def test_a_client_mode_says_nothing_about_the_server() -> None:
    told = statement(offered("Task", "create", conditionalCreate=True))
    told["rest"].insert(0, {"mode": "client", "resource": [offered("CarePlan", "create")]})
    assert set(write_plan(told).types) == {"Task"}


def test_transactions_are_sent_only_where_they_are_offered() -> None:
    assert [plan.transaction for plan in (EPIC, ORACLE, HAPI, TYPES_ONLY)] == [False, False, True, True]


def test_the_software_is_named() -> None:
    assert [plan.software for plan in (EPIC, ORACLE, HAPI)] == [
        "Epic May 2026",
        "unnamed server",
        "HAPI FHIR Server 8.8.0",
    ]


@pytest.mark.parametrize(
    ("plan", "type", "sentence"),
    [
        (
            HAPI,
            "Task",
            "created once by If-None-Exist on our identifier; updated with If-Match; read by _lastUpdated",
        ),
        (
            EPIC,
            "ServiceRequest",
            "created after a search for our identifier found nothing; updated with If-Match; read patient by patient",
        ),
        (
            EPIC,
            "CarePlan",
            "kept here: the server does not let us create it; never updated; read patient by patient",
        ),
        (HAPI, "Provenance", "written by PUT under our own id; updated with If-Match; read by _lastUpdated"),
        (EPIC, "Provenance", "kept here: the server does not let us create it; never updated; never searched"),
        (
            ORACLE,
            "Task",
            "not listed by the server, tried all the same: "
            "created after a search for our identifier found nothing; updated with If-Match; read by _lastUpdated",
        ),
        (
            SCHEDULER,
            "Appointment",
            "created after a search for our identifier found nothing; never updated; read patient by patient; "
            "booked by $find and $book where the site asks for it",
        ),
    ],
)
def test_the_plan_is_explained_in_a_sentence(plan: WritePlan, type: str, sentence: str) -> None:
    assert plan.of(type).explain() == sentence

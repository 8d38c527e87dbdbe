"""The searching part of the repository contract."""

from __future__ import annotations

import pytest

from pathway.errors import InvalidResource, PathwayError
from pathway.ports import FhirServer, Query, Update, search_all
from tests.fhir_adapters.contract_resources import (
    Abilities,
    appointment,
    care_plan,
    create,
    found,
    needs,
    patient,
    task,
    unique_key,
)


class Searching:
    """https://hl7.org/fhir/R4/search.html"""

    def test_token(self, server: FhirServer) -> None:
        key = unique_key()
        id = create(server, patient(key, active=True)).resource["id"]
        create(server, patient(unique_key()))
        assert found(server, "Patient", ("identifier", key.token())) == {id}
        assert found(server, "Patient", ("identifier", key.value)) == {id}
        assert found(server, "Patient", ("identifier", f"https://elsewhere.example|{key.value}")) == set()
        assert found(server, "Patient", ("identifier", f"{unique_key().token()},{key.token()}")) == {id}
        assert found(server, "Patient", ("identifier", key.token()), ("active", "true")) == {id}
        assert found(server, "Patient", ("identifier", key.token()), ("active", "false")) == set()

    def test_id(self, server: FhirServer) -> None:
        ids = {create(server, patient(unique_key())).resource["id"] for _ in range(3)}
        assert found(server, "Patient", ("_id", ",".join(sorted(ids)[:2]))) == set(sorted(ids)[:2])

    def test_reference(self, server: FhirServer) -> None:
        subject = create(server, patient(unique_key()))
        other = create(server, patient(unique_key()))
        id = create(server, task(subject.reference, unique_key())).resource["id"]
        create(server, task(other.reference, unique_key()))
        bare = subject.resource["id"]
        for query in (("subject", subject.reference), ("patient", bare), ("subject:Patient", bare)):
            assert found(server, "Task", query) == {id}, query

    def test_two_parameters_are_and(self, server: FhirServer) -> None:
        subject = create(server, patient(unique_key())).reference
        urgent = create(server, task(subject, unique_key(), priority="urgent")).resource["id"]
        create(server, task(subject, unique_key(), priority="routine"))
        assert found(server, "Task", ("subject", subject), ("priority", "urgent"), ("status", "requested")) == {urgent}

    def test_search_finds_the_current_version_only(self, server: FhirServer) -> None:
        subject = create(server, patient(unique_key())).reference
        written = create(server, task(subject, unique_key())).resource
        server.transact([Update(written | {"status": "accepted"})])
        assert found(server, "Task", ("subject", subject), ("status", "requested")) == set()
        assert found(server, "Task", ("subject", subject), ("status", "accepted")) == {written["id"]}

    @pytest.mark.parametrize(
        ("wanted", "matches"),
        [
            ("2026-03-10", True),
            ("eq2026-03", True),
            ("2026-03-11", False),
            ("ge2026-03-10", True),
            ("ge2026-03-11", False),
            ("gt2026-03-10", False),
            ("gt2026-03-09", True),
            ("lt2026-03-10", False),
            ("lt2026-03-11", True),
            ("le2026-03-10", True),
            ("le2026-03-09", False),
            ("ge2026-03-10T09:00:00Z", True),
            ("lt2026-03-10T09:00:00+02:00", False),
        ],
    )
    def test_date(self, server: FhirServer, wanted: str, matches: bool) -> None:
        subject = create(server, patient(unique_key())).reference
        times = {"start": "2026-03-10T10:00:00+01:00", "end": "2026-03-10T10:30:00+01:00"}
        written = create(server, appointment(subject, unique_key(), **times, status="pending")).resource
        result = found(server, "Appointment", ("patient", subject), ("date", wanted))
        assert result == ({written["id"]} if matches else set())

    def test_period_without_end_goes_on(self, server: FhirServer) -> None:
        subject = create(server, patient(unique_key())).reference
        id = create(server, care_plan(subject, unique_key(), period={"start": "2026-03-10"})).resource["id"]
        assert found(server, "CarePlan", ("subject", subject), ("date", "ge2030-01-01")) == {id}
        assert found(server, "CarePlan", ("subject", subject), ("date", "lt2026-03-10")) == set()

    def test_two_dates_are_a_window(self, server: FhirServer) -> None:
        subject = create(server, patient(unique_key())).reference
        tasks = {
            day: create(server, task(subject, unique_key(), authoredOn=f"{day}T12:00:00Z")).resource["id"]
            for day in ("2026-03-01", "2026-03-05", "2026-03-09")
        }
        window = [("authored-on", "ge2026-03-02"), ("authored-on", "lt2026-03-09")]
        assert found(server, "Task", ("subject", subject), *window) == {tasks["2026-03-05"]}

    def test_string(self, server: FhirServer, abilities: Abilities) -> None:
        key = unique_key()
        id = create(server, patient(key, name=[{"family": "Müller-Lüdenscheidt"}])).resource["id"]
        own = ("identifier", key.token())
        assert found(server, "Patient", own, ("family", "müller")) == {id}
        assert found(server, "Patient", own, ("family", "scheidt")) == set()
        with needs(abilities.modifiers):
            assert found(server, "Patient", own, ("family:contains", "lüden")) == {id}
            assert found(server, "Patient", own, ("family:exact", "Müller")) == set()
            assert found(server, "Patient", own, ("family:exact", "Müller-Lüdenscheidt")) == {id}

    def test_modifiers(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.modifiers):
            subject = create(server, patient(unique_key())).reference
            urgent = create(server, task(subject, unique_key(), priority="urgent")).resource["id"]
            plain = create(server, task(subject, unique_key())).resource["id"]
            own = ("subject", subject)
            assert found(server, "Task", own, ("priority:not", "urgent")) == {plain}
            assert found(server, "Task", own, ("priority:missing", "true")) == {plain}
            assert found(server, "Task", own, ("priority:missing", "false")) == {urgent}

    def test_reference_by_identifier(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.reference_identifier):
            subject, owner = create(server, patient(unique_key())).reference, unique_key()
            by_identifier = {"type": "Organization", "identifier": owner.identifier()}
            id = create(server, task(subject, unique_key(), owner=by_identifier)).resource["id"]
            assert found(server, "Task", ("owner:identifier", owner.token())) == {id}

    def test_last_updated(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.last_updated_search):
            key = unique_key()
            written = create(server, patient(key)).resource
            own, at = ("identifier", key.token()), written["meta"]["lastUpdated"]
            assert found(server, "Patient", own, ("_lastUpdated", f"ge{at}")) == {written["id"]}
            assert found(server, "Patient", own, ("_lastUpdated", "lt2020-01-01")) == set()
            assert found(server, "Patient", own, ("_lastUpdated", "ge2020-01-01")) == {written["id"]}

    @pytest.mark.parametrize("name", ["colour-of-hair", "identifier:colour"])
    def test_unknown_parameter_is_refused(self, server: FhirServer, abilities: Abilities, name: str) -> None:
        with needs(abilities.strict_search), pytest.raises(PathwayError) as error:
            server.search("Patient", [(name, "brown")])
        assert "colour" in str(error.value)

    def test_date_that_is_none_is_refused(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.strict_search), pytest.raises(InvalidResource):
            server.search("Task", [("authored-on", "yesterday")])


class Paging:
    """Pages, their order and totals."""

    def test_pages_hold_everything_once(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.paging):
            subject, ids = _tasks(server, 5)
            query: Query = [("subject", subject), ("_count", "2")]
            first = server.search("Task", query)
            assert len(first.resources) == 2
            assert first.next is not None
            assert found(server, "Task", *query) == set(ids)

    def test_exact_page_has_no_next(self, server: FhirServer) -> None:
        subject, _ = _tasks(server, 2)
        assert server.search("Task", [("subject", subject), ("_count", "10")]).next is None

    def test_pages_stay_in_place_while_others_write(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.paging and abilities.sort):
            subject, ids = _tasks(server, 4)
            query: Query = [("subject", subject), ("_count", "2"), ("_sort", "_lastUpdated")]
            first = server.search("Task", query)
            create(server, task(subject, unique_key()))
            second = server.search("Task", query, page=first.next)
            assert [one["id"] for one in (*first.resources, *second.resources)] == ids

    def test_sort_by_last_update(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.sort):
            subject, ids = _tasks(server, 3)
            oldest = server.read("Task", ids[0])
            server.transact([Update(oldest | {"status": "accepted"})])
            expected = [*ids[1:], ids[0]]
            for sort, order in (("_lastUpdated", expected), ("-_lastUpdated", expected[::-1])):
                resources = search_all(server, "Task", [("subject", subject), ("_sort", sort), ("_count", "2")])
                assert [one["id"] for one in resources] == order

    def test_total(self, server: FhirServer, abilities: Abilities) -> None:
        with needs(abilities.total):
            subject, _ = _tasks(server, 3)
            page = server.search("Task", [("subject", subject), ("_count", "2"), ("_total", "accurate")])
            assert (page.total, len(page.resources)) == (3, 2)
            counted = server.search("Task", [("subject", subject), ("_summary", "count")])
            assert (counted.total, list(counted.resources)) == (3, [])


def _tasks(server: FhirServer, number: int) -> tuple[str, list[str]]:
    subject = create(server, patient(unique_key())).reference
    return subject, [create(server, task(subject, unique_key())).resource["id"] for _ in range(number)]

"""A date that something is timed from and that is not the date of a day: what rests on it stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.references import reference_to
from tests.pathway.conftest import SURGERY_DAY, Clinic, period, yes
from tests.pathway.test_bad_plans import aside, is_of, outcome, said, why


def placed(clinic: Clinic) -> dict[str, Any]:
    """The status and the days of each request."""
    found = [r for type in ("Task", "Appointment") for r in clinic.ours(type)]
    return {
        reference_to(r): (r["status"], r.get("requestedPeriod"), r.get("restriction", {}).get("period")) for r in found
    }


def the_rest_comes(clinic: Clinic) -> None:
    clinic.diary(yes("flag-redness"))
    assert len(clinic.ours("Task", "flag-redness")) == 1


@pytest.mark.parametrize("start", ["2026-03", "2026"])
def test_the_start_of_the_appointment_for_surgery(clinic: Clinic, start: str) -> None:
    clinic.booked()
    before, due = placed(clinic), clinic.due()
    assert any(days and days.get("start") == "2026-03-23" for _, _, days in before.values())
    clinic.book(start=start)
    assert placed(clinic) == before
    assert clinic.due() == due
    [issue] = outcome(clinic)
    assert issue.startswith("Action proc-excision (")
    assert issue.endswith(f": Appointment/a1.start is not the date of a day: {start}")
    assert aside(clinic) == [issue]
    assert why(clinic, "fu-first-visit").startswith("cannot be said: Appointment/a1.start")
    the_rest_comes(clinic)
    clinic.book("2026-03-18")
    assert clinic.one("Task", "fu-first-visit")["restriction"]["period"]["start"] == "2026-03-25"
    assert (outcome(clinic), aside(clinic)) == ([], [])


@pytest.mark.parametrize(
    ("elements", "expected"),
    [({"start": "2026-03"}, None), ({"start": "2026"}, None), ({"start": "2026-03-16"}, "2026-03-23")],
)
def test_the_occurrence_of_the_order(clinic: Clinic, elements: dict[str, Any], expected: str | None) -> None:
    clinic.decided()
    before = {task["id"]: task for task in clinic.ours("Task", "prep-transport")}
    request = clinic.one("ServiceRequest", "proc-excision")
    clinic.change(request, occurrencePeriod=elements)
    visits = clinic.ours("Task", "fu-first-visit")
    assert [task["restriction"]["period"]["start"] for task in visits] == ([expected] if expected else [])
    [visit] = [p["part"] for p in said(clinic)["parameter"] if p["name"] == "action" and is_of(p, "fu-first-visit")]
    waits = {"name": "why", "valueString": "waits for the date of proc-excision"}
    assert (waits in visit) is (expected is None)
    sentence = f"{reference_to(request)}.occurrencePeriod.start is not the date of a day: {elements['start']}"
    assert [issue.partition(": ")[2] for issue in outcome(clinic)] == ([] if expected else [sentence])
    assert before.keys() == {task["id"] for task in clinic.ours("Task", "prep-transport")}
    the_rest_comes(clinic)


@pytest.mark.parametrize(
    "performed",
    [
        {"performedDateTime": "2026-03"},
        {"performedPeriod": {"start": "2026-03", "end": "2026-03"}},
        {"performedString": "in March"},
        {},
    ],
)
def test_the_record_of_the_surgery_once_it_was_readable(clinic: Clinic, performed: dict[str, Any]) -> None:
    clinic.booked()
    clinic.at("2026-03-18T18:00")
    based_on = [clinic.excision()]
    clinic.record(performedPeriod=period("2026-03-18"), basedOn=based_on)
    before, due = placed(clinic), clinic.due()
    clinic.record(basedOn=based_on, **performed)
    assert {reference: placed(clinic)[reference] for reference in before} == before
    assert clinic.due() == due
    visit = clinic.one("Task", "fu-first-visit")
    assert (visit["status"], visit["restriction"]["period"]["start"]) == ("requested", "2026-03-25")
    [issue] = outcome(clinic)
    assert issue.startswith("Action proc-excision (")
    assert len(clinic.reviews()) == 1
    the_rest_comes(clinic)
    clinic.record(basedOn=based_on, performedPeriod=period(SURGERY_DAY))
    assert clinic.one("Task", "fu-first-visit")["restriction"]["period"]["start"] == "2026-03-23"
    assert outcome(clinic) == []


def test_the_start_of_the_visit(clinic: Clinic) -> None:
    clinic.operated()
    visit = clinic.book_visit()
    due = clinic.due("fu-attend-all-3d", "fu-attend-all-1d")
    assert [state for _, state, _, _ in due] == ["scheduled", "scheduled"]
    clinic.change(visit, start="2026-03")
    assert clinic.due("fu-attend-all-3d", "fu-attend-all-1d") == due
    [issue] = outcome(clinic)
    assert issue.startswith("Action fu-first-visit-appointment (")
    assert issue.endswith(f": {reference_to(visit)}.start is not the date of a day: 2026-03")
    the_rest_comes(clinic)
    clinic.book_visit("2026-03-27")
    assert outcome(clinic) == []
    assert [wall_time for _, _, wall_time, _ in clinic.due("fu-attend-all-3d")] == ["2026-03-24T09:00:00"]


def test_without_any_date_what_comes_before_is_asked_for_and_the_rest_waits(clinic: Clinic) -> None:
    clinic.decided()
    assert "restriction" not in clinic.one("Task", "prep-transport")
    assert clinic.ours("Task", "fu-first-visit") == []
    assert why(clinic, "fu-first-visit") == "waits for the date of proc-excision"
    assert outcome(clinic) == []


def test_a_date_that_is_taken_back_takes_nothing_away(clinic: Clinic) -> None:
    clinic.booked()
    before = placed(clinic)
    clinic.book(status="cancelled")
    assert placed(clinic) == before
    assert outcome(clinic) == []

"""Open days: weekdays, public holidays of the subdivision, closures."""

from __future__ import annotations

from datetime import date

import pytest

from pathway.errors import Refused
from pathway.site import ClinicCalendar, Closure
from schedules.calendar import OpenDays

BAVARIA = OpenDays(ClinicCalendar(country="DE", subdivision="BY"))


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 3, 26), None),
        (date(2026, 3, 28), "no clinic on Saturdays"),
        (date(2026, 3, 29), "no clinic on Sundays"),
        (date(2026, 4, 3), "public holiday (Good Friday)"),
        (date(2026, 4, 6), "public holiday (Easter Monday)"),
        (date(2026, 6, 4), "public holiday (Corpus Christi)"),
        (date(2027, 1, 6), "public holiday (Epiphany)"),
    ],
)
def test_why_a_day_is_closed(day: date, reason: str | None) -> None:
    assert BAVARIA.closed(day) == reason


def test_holidays_are_those_of_the_subdivision() -> None:
    corpus_christi = date(2026, 6, 4)
    assert OpenDays(ClinicCalendar(country="DE", subdivision="BE")).closed(corpus_christi) is None
    assert OpenDays(ClinicCalendar(country="DE")).closed(corpus_christi) is None


def test_without_a_country_there_are_no_holidays() -> None:
    assert OpenDays(ClinicCalendar()).closed(date(2026, 4, 3)) is None


@pytest.mark.parametrize(("country", "subdivision", "place"), [("XX", None, "XX"), ("DE", "ATLANTIS", "DE-ATLANTIS")])
def test_an_unknown_place_is_refused_by_name(country: str, subdivision: str | None, place: str) -> None:
    days = OpenDays(ClinicCalendar(country=country, subdivision=subdivision))
    with pytest.raises(Refused, match=f"The public holidays of {place} are not known"):
        days.closed(date(2026, 3, 26))


def test_a_closure_includes_both_of_its_days() -> None:
    move = Closure(first=date(2026, 3, 25), last=date(2026, 3, 26), reason="the clinic moves house")
    days = OpenDays(ClinicCalendar(closures=(move,)))
    assert [days.closed(date(2026, 3, n)) for n in (24, 25, 26, 27)] == [
        None,
        "the clinic moves house",
        "the clinic moves house",
        None,
    ]


def test_a_clinic_may_be_open_on_a_saturday() -> None:
    days = OpenDays(ClinicCalendar(weekdays=frozenset({5})))
    assert days.closed(date(2026, 3, 28)) is None
    assert days.closed(date(2026, 3, 27)) == "no clinic on Fridays"


def test_the_open_days_between_two_days_include_both() -> None:
    assert BAVARIA.between(date(2026, 4, 2), date(2026, 4, 7)) == [date(2026, 4, 2), date(2026, 4, 7)]
    assert BAVARIA.between(date(2026, 4, 3), date(2026, 4, 6)) == []
    assert BAVARIA.between(date(2026, 3, 27), date(2026, 3, 26)) == []


@pytest.mark.parametrize("language", ["de", "en_US", "C"])
def test_holidays_have_the_same_name_on_every_machine(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    days = OpenDays(ClinicCalendar(country="DE", subdivision="BY"))
    assert days.closed(date(2026, 4, 3)) == "public holiday (Good Friday)"

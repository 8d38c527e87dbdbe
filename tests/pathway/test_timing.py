"""Partial dates, zones, changes of daylight saving time, offsets and windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from pathway.errors import InvalidDefinition
from pathway.timing import (
    Moment,
    Timed,
    Window,
    ages,
    calendar_date,
    instant,
    instant_if_said,
    limit,
    offset_days,
    offsets,
    timed,
    wall,
    window,
)

BERLIN = "Europe/Berlin"
SURGERY = Moment(date(2026, 3, 16), date(2026, 3, 17), done=True)


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-03-16", BERLIN, date(2026, 3, 16)),
        ("2026-03-16T09:30:00+01:00", BERLIN, date(2026, 3, 16)),
        ("2026-03-16T23:30:00Z", BERLIN, date(2026, 3, 17)),
        ("2026-07-15T22:30:00.5Z", BERLIN, date(2026, 7, 16)),
        ("2026-03-16T00:30:00+01:00", "America/New_York", date(2026, 3, 15)),
        ("2026-03-16T09:30:00-10:00", "Pacific/Auckland", date(2026, 3, 17)),
        ("2026-03-16T23:59", BERLIN, date(2026, 3, 16)),
        ("2024-02-29", BERLIN, date(2024, 2, 29)),
    ],
)
def test_the_date_at_the_clinic(value: str, zone: str, expected: date) -> None:
    assert calendar_date(value, zone) == expected


@pytest.mark.parametrize("value", ["2026", "2026-03", "", "March 2026", "2026-3-16", "16.03.2026", "2026-03-16T"])
def test_a_partial_date_or_none_at_all_is_no_calendar_date(value: str) -> None:
    assert calendar_date(value, BERLIN) is None


@pytest.mark.parametrize("value", ["2026-02-30", "2026-13-01", "2026-03-16T25:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_day_that_does_not_exist_is_no_calendar_date(value: str) -> None:
    assert calendar_date(value, BERLIN) is None


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2008-03-16", [18]),
        ("2008-03-17", [17]),
        ("2008-02-29", [18]),
        ("2008-02", [18]),
        ("2008-03", [17, 18]),
        ("2008-04", [17]),
        ("2008", [17, 18]),
        ("2009", [16, 17]),
        ("2026-03-16", [0]),
        ("2026", [0]),
        ("2026-03-17", []),
        ("2027", []),
        ("", []),
        ("1960-02-30", []),
        ("1960-13", []),
        ("0000", []),
        ("unknown", []),
    ],
)
def test_whole_years_and_both_where_the_date_of_birth_leaves_it_open(born: str, expected: list[int]) -> None:
    assert ages(born, date(2026, 3, 16)) == expected


def test_who_was_born_on_29_february_is_older_on_1_march() -> None:
    assert [ages("2008-02-29", date(2026, *day)) for day in ((2, 28), (3, 1))] == [[17], [18]]


def test_an_instant_keeps_its_offset() -> None:
    assert instant("2026-03-16T09:30:00+01:00") == datetime(2026, 3, 16, 8, 30, tzinfo=UTC)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-03-16T09:30:00 has no time zone"):
        instant("2026-03-16T09:30:00")


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (date(2026, 3, 28), time(9), datetime(2026, 3, 28, 8, tzinfo=UTC)),
        (date(2026, 3, 30), time(9), datetime(2026, 3, 30, 7, tzinfo=UTC)),
        (date(2026, 3, 29), time(0), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 30), time(0), datetime(2026, 3, 29, 22, tzinfo=UTC)),
    ],
)
def test_wall_time_stays_wall_time_over_a_change_of_the_clocks(day: date, at: time, expected: datetime) -> None:
    assert wall(day, at, BERLIN) == expected


def test_a_time_that_the_clock_skips_moves_forward() -> None:
    assert wall(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 there


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    assert wall(date(2026, 10, 25), time(2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_midnight_where_the_clock_skips_it() -> None:
    assert wall(date(2026, 9, 6), time(), "America/Santiago") == datetime(2026, 9, 6, 4, tzinfo=UTC)  # 01:00 there


@pytest.mark.parametrize(
    ("quantity", "days"),
    [
        ({"value": 7, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}, 7),
        ({"value": 2, "unit": "weeks", "system": "http://unitsofmeasure.org", "code": "wk"}, 14),
        ({"value": Decimal("10.0"), "code": "d"}, 10),
        ({"value": 0, "unit": "d"}, 0),
    ],
)
def test_offsets_in_days_and_weeks(quantity: dict[str, Any], days: int) -> None:
    assert offset_days(quantity) == days


@pytest.mark.parametrize(
    "quantity",
    [
        {"value": 36, "code": "h"},
        {"value": 1, "code": "mo"},
        {"value": Decimal("1.5"), "code": "d"},
        {"value": 7},
        {"code": "d"},
        {"value": 7, "unit": "days"},
    ],
)
def test_any_other_offset_is_refused(quantity: dict[str, Any]) -> None:
    with pytest.raises(InvalidDefinition, match="An offset must be whole days or weeks"):
        offset_days(quantity)


def test_a_duration_is_a_range_of_one_length() -> None:
    assert offsets({"offsetDuration": {"value": 3, "code": "d"}}) == (3, 3)
    assert offsets({"offsetRange": {"low": {"value": 1, "code": "wk"}, "high": {"value": 14, "code": "d"}}}) == (7, 14)
    assert offsets({"relationship": "concurrent"}) is None


def test_day_7_and_day_14_after_the_end_are_both_included() -> None:
    days = window(SURGERY, "after-end", 7, 14)
    assert days == Window(date(2026, 3, 24), date(2026, 3, 31))
    assert days.period() == {"start": "2026-03-24", "end": "2026-03-31"}


@pytest.mark.parametrize(
    ("relationship", "expected"),
    [
        ("after-start", Window(date(2026, 3, 17), date(2026, 3, 18))),
        ("after-end", Window(date(2026, 3, 18), date(2026, 3, 19))),
        ("after", Window(date(2026, 3, 18), date(2026, 3, 19))),
        ("before-start", Window(date(2026, 3, 14), date(2026, 3, 15))),
        ("before", Window(date(2026, 3, 14), date(2026, 3, 15))),
        ("before-end", Window(date(2026, 3, 15), date(2026, 3, 16))),
    ],
)
def test_the_relationship_says_from_which_edge_it_counts(relationship: str, expected: Window) -> None:
    assert window(SURGERY, relationship, 1, 2) == expected


def test_an_open_end_of_a_window_is_left_out_of_its_period() -> None:
    assert Window(None, date(2026, 3, 6)).period() == {"end": "2026-03-06"}
    assert Window(None, None).period() == {}


def test_windows_cross_leap_days_and_years() -> None:
    assert window(Moment(date(2028, 2, 20), date(2028, 2, 20)), "after-end", 7, 14) == Window(
        date(2028, 2, 27), date(2028, 3, 5)
    )
    assert window(Moment(date(2026, 12, 24), date(2026, 12, 24)), "after-end", 7, 14) == Window(
        date(2026, 12, 31), date(2027, 1, 7)
    )


def test_what_comes_after_is_looked_at_from_the_start_of_its_first_day_and_never_expires() -> None:
    assert timed(SURGERY, "after-end", 15, 15, BERLIN, time(9)) == Timed(
        Window(date(2026, 4, 1), date(2026, 4, 1)), at=datetime(2026, 3, 31, 22, tzinfo=UTC)
    )


def test_what_comes_after_something_that_has_not_happened_is_provisional() -> None:
    planned = Moment(date(2026, 3, 16), date(2026, 3, 16))
    assert timed(planned, "after-end", 7, 14, BERLIN, time(9)).provisional is True
    assert timed(SURGERY, "after-end", 7, 14, BERLIN, time(9)).provisional is False


def test_what_comes_before_is_looked_at_on_its_last_day_and_expires_with_the_anchors_day() -> None:
    visit = Moment(date(2026, 3, 30), date(2026, 3, 30))
    assert timed(visit, "before-start", 3, 3, BERLIN, time(9)) == Timed(
        Window(None, date(2026, 3, 27)),
        at=datetime(2026, 3, 27, 8, tzinfo=UTC),
        expires=datetime(2026, 3, 29, 22, tzinfo=UTC),
    )


WEEKDAYS = frozenset(range(5))


def within(begun: str, value: int, code: str = "d") -> datetime:
    return limit(instant(begun), {"value": value, "code": code}, BERLIN, lambda day: day.weekday() in WEEKDAYS)


@pytest.mark.parametrize(
    ("begun", "value", "code", "over"),
    [
        ("2026-03-19T08:00:00+01:00", 60, "min", "2026-03-19T09:00:00+01:00"),
        ("2026-03-21T23:30:00+01:00", 2, "h", "2026-03-22T01:30:00+01:00"),
        ("2026-03-31T00:00:00+02:00", 1, "d", "2026-04-01T00:00:00+02:00"),
        ("2026-03-19T15:00:00+01:00", 2, "d", "2026-03-23T15:00:00+01:00"),
        ("2026-03-20T15:00:00+01:00", 1, "d", "2026-03-23T15:00:00+01:00"),
        ("2026-03-21T15:00:00+01:00", 1, "d", "2026-03-24T00:00:00+01:00"),
        ("2026-03-27T09:00:00+01:00", 1, "d", "2026-03-30T09:00:00+02:00"),
        ("2026-03-19T15:00:00+01:00", 1, "wk", "2026-03-30T15:00:00+02:00"),
    ],
)
def test_a_limit_passes_in_minutes_or_in_working_days(begun: str, value: int, code: str, over: str) -> None:
    assert within(begun, value, code) == instant(over)


def test_a_clinic_that_never_works_counts_every_day() -> None:
    begun = instant("2026-03-21T15:00:00+01:00")
    assert limit(begun, {"value": 2, "code": "d"}, BERLIN, lambda _: False) == instant("2026-03-23T15:00:00+01:00")


def test_a_limit_has_a_unit() -> None:
    with pytest.raises(InvalidDefinition):
        within("2026-03-19T08:00:00+01:00", 1, "mo")


def test_a_range_before_an_anchor_is_of_no_use_when_its_last_day_has_come() -> None:
    visit = Moment(date(2026, 3, 26), date(2026, 3, 26))
    assert timed(visit, "before-start", 1, 3, BERLIN, time(9)) == Timed(
        Window(date(2026, 3, 23), date(2026, 3, 25)),
        datetime(2026, 3, 23, 8, tzinfo=UTC),
        datetime(2026, 3, 25, 8, tzinfo=UTC),
    )


def test_what_is_timed_from_an_instant_is_looked_at_then() -> None:
    at = instant("2026-03-19T09:30:00+01:00")
    over = Moment(date(2026, 3, 19), date(2026, 3, 19), done=True, at=at)
    assert timed(over, "after-end", 0, 0, BERLIN, time(9)).at == at


@pytest.mark.parametrize(
    ("value", "said"), [("2026-03-19T09:30:00+01:00", True), ("2026-03-19T09:30:00", False), ("2026-03-19", False)]
)
def test_an_instant_has_a_zone(value: str, said: bool) -> None:
    assert (instant_if_said(value) is not None) is said

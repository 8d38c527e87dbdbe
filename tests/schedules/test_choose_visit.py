"""The day of a visit: the open day nearest to the target, never outside the window, with the reason."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathway.site import ClinicCalendar, Closure
from schedules.calendar import OpenDays
from schedules.choose_visit import choose_visit

BAVARIA = OpenDays(ClinicCalendar(country="DE", subdivision="BY"))


def choose(first: str, last: str, target: str, days: OpenDays = BAVARIA) -> tuple[date | None, str]:
    visit = choose_visit(days, *(date.fromisoformat(day) for day in (first, last, target)))
    return visit.day, visit.why


def test_the_target_day_when_it_is_open() -> None:
    assert choose("2026-03-23", "2026-03-30", "2026-03-26") == (
        date(2026, 3, 26),
        "Thu 26 Mar 2026 is the target day in the window Mon 23 Mar 2026 to Mon 30 Mar 2026, and the clinic is open.",
    )


def test_a_weekend() -> None:
    assert choose("2026-03-25", "2026-04-01", "2026-03-28") == (
        date(2026, 3, 27),
        "Fri 27 Mar 2026 is the open clinic day nearest to the target in the window Wed 25 Mar 2026 to "
        "Wed 1 Apr 2026 (Sat 28 Mar 2026, the target day, is closed: no clinic on Saturdays).",
    )


def test_a_sunday_is_nearer_to_monday() -> None:
    assert choose("2026-03-25", "2026-04-01", "2026-03-29")[0] == date(2026, 3, 30)


def test_a_public_holiday() -> None:
    assert choose("2026-03-31", "2026-04-07", "2026-04-03") == (
        date(2026, 4, 2),
        "Thu 2 Apr 2026 is the open clinic day nearest to the target in the window Tue 31 Mar 2026 to "
        "Tue 7 Apr 2026 (Fri 3 Apr 2026, the target day, is closed: public holiday (Good Friday)).",
    )


def test_a_closure() -> None:
    closed = Closure(first=date(2026, 3, 24), last=date(2026, 3, 27), reason="staff training")
    day, why = choose("2026-03-23", "2026-03-30", "2026-03-26", OpenDays(ClinicCalendar(closures=(closed,))))
    assert day == date(2026, 3, 23)
    assert "(Thu 26 Mar 2026, the target day, is closed: staff training)" in why


def test_of_two_equally_near_days_the_earlier() -> None:
    holiday_on_wednesday = OpenDays(ClinicCalendar(weekdays=frozenset({1, 3})))
    assert choose("2026-03-23", "2026-03-30", "2026-03-25", holiday_on_wednesday)[0] == date(2026, 3, 24)


def test_no_open_day() -> None:
    closed = Closure(first=date(2026, 3, 1), last=date(2026, 4, 30), reason="renovation")
    assert choose("2026-03-23", "2026-03-30", "2026-03-26", OpenDays(ClinicCalendar(closures=(closed,)))) == (
        None,
        "No open clinic day in the window Mon 23 Mar 2026 to Mon 30 Mar 2026: a person has to find one.",
    )


@pytest.mark.parametrize("day", ["2026-03-23", "2026-03-30"])
def test_the_first_and_the_last_day_can_be_chosen(day: str) -> None:
    only = OpenDays(ClinicCalendar(weekdays=frozenset({0})))
    assert choose(day, day, day, only)[0] == date.fromisoformat(day)


def test_a_target_outside_the_window_is_explained() -> None:
    day, why = choose("2026-03-24", "2026-03-26", "2026-03-23")
    assert day == date(2026, 3, 24)
    assert why.endswith("(the target is Mon 23 Mar 2026).")


dates = st.dates(date(2024, 1, 1), date(2030, 12, 31))
closures = st.lists(
    st.builds(
        lambda first, length: Closure(first=first, last=first + timedelta(days=length), reason="closed"),
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.integers(0, 40),
    ),
    max_size=4,
)


@given(
    first=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    length=st.integers(0, 30),
    target=dates,
    closed=closures,
    weekdays=st.frozensets(st.integers(0, 6)),
)
def test_the_day_is_inside_the_window_and_open_and_none_is_nearer_or_there_is_none(
    first: date, length: int, target: date, closed: list[Closure], weekdays: frozenset[int]
) -> None:
    days = OpenDays(ClinicCalendar(weekdays=weekdays, country="DE", subdivision="BY", closures=tuple(closed)))
    last = first + timedelta(days=length)
    visit = choose_visit(days, first, last, target)
    open_days = [d for n in range(length + 1) if days.closed(d := first + timedelta(days=n)) is None]
    if visit.day is None:
        assert open_days == []
    else:
        assert visit.day in open_days
        assert abs((visit.day - target).days) == min(abs((day - target).days) for day in open_days)
    assert visit.why
    assert visit == choose_visit(days, first, last, target)

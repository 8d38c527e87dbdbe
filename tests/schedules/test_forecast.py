"""How full the days will be: against capacity, holidays and the windows of surgeries ahead."""

from __future__ import annotations

from datetime import date, timedelta

from pathway.site import ClinicCalendar
from schedules.calendar import OpenDays
from schedules.forecast import Forecast, Placed, Wanted, forecast

TODAY = date(2026, 3, 2)  # a Monday


def after(surgery: date) -> Wanted:
    first, last, target = (surgery + timedelta(days=days) for days in (7, 14, 10))
    return Wanted(first, last, target)


def days(**calendar: object) -> OpenDays:
    return OpenDays(ClinicCalendar.model_validate(calendar))


def number(found: Forecast, day: date) -> tuple[int, int, int]:
    one = next(each for each in found.days if each.day == day)
    return one.booked, one.proposed, one.expected


def test_every_day_of_the_weeks_is_there_and_says_when_it_is_closed() -> None:
    found = forecast(days(country="DE", subdivision="BY"), [], [], TODAY, 6)
    assert [found.days[0].day, found.days[-1].day] == [TODAY, date(2026, 4, 12)]
    closed = {day.day: day.closed for day in found.days if day.closed}
    assert "Good Friday" in str(closed[date(2026, 4, 3)])
    assert "Saturdays" in str(closed[date(2026, 3, 7)])


def test_visits_count_where_they_stand_and_those_without_a_day_where_they_would_go() -> None:
    placed = [Placed(date(2026, 3, 5), True), Placed(date(2026, 3, 5), False), Placed(date(2026, 3, 6), False)]
    found = forecast(days(), placed, [after(date(2026, 3, 9))], TODAY, 4)
    assert number(found, date(2026, 3, 5)) == (1, 1, 0)
    assert number(found, date(2026, 3, 19)) == (0, 0, 1)
    assert found.no_place_from is None
    assert found.windows[0].places_left is None


def test_a_full_target_day_sends_the_next_one_beside_it() -> None:
    found = forecast(days(capacity=1), [Placed(date(2026, 3, 19), True)], [after(date(2026, 3, 9))] * 2, TODAY, 4)
    assert number(found, date(2026, 3, 19)) == (1, 0, 0)
    assert number(found, date(2026, 3, 18)) == (0, 0, 1)
    assert number(found, date(2026, 3, 20)) == (0, 0, 1)
    [window] = found.windows
    assert (window.visits, window.places_left, window.without_place) == (2, 5, 0)


def test_the_earliest_window_without_a_place_is_named() -> None:
    """Two places a week on Tuesdays: three surgeries of one day have two Tuesdays, so one of them finds none."""
    tight = days(weekdays=[1], capacity=1)
    found = forecast(tight, [], [after(date(2026, 3, 9))] * 3 + [after(date(2026, 3, 30))], TODAY, 8)
    first, second = found.windows
    assert (first.visits, first.places_left, first.without_place) == (3, 1, 2)
    assert (second.visits, second.without_place) == (1, 0)
    assert found.no_place_from == date(2026, 3, 16)


def test_a_window_with_no_open_day_has_no_place_whatever_the_capacity() -> None:
    closure = {"first": "2026-03-16", "last": "2026-03-23", "reason": "moving house"}
    found = forecast(days(closures=[closure]), [], [after(date(2026, 3, 9))], TODAY, 4)
    assert (found.windows[0].places_left, found.windows[0].without_place) == (0, 1)


def test_what_is_over_is_not_expected_any_more() -> None:
    found = forecast(days(), [], [after(date(2026, 2, 2))], TODAY, 4)
    assert found.windows == []
    assert sum(day.expected for day in found.days) == 0

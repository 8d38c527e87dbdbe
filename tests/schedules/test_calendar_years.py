"""Years of which no public holidays are known: said, never taken for working days in silence."""

from __future__ import annotations

from datetime import date

from pathway.site import ClinicCalendar
from pathway.visits import Visit
from schedules.calendar import OpenDays
from tests.schedules.test_choose_visit import BAVARIA, Rooms, choose_visit, visit_asked

CAVEAT = "The public holidays are known from 1991 to 2100 only: whether this day is one, a person has to say."


def test_known_years_need_no_word() -> None:
    assert BAVARIA.caveat(date(2100, 12, 31)) == ""
    visit = choose_visit(visit_asked("2100-12-27", "2101-01-03", "2100-12-30"), BAVARIA, Rooms())
    assert (visit.day, visit.standing) == (date(2100, 12, 30), None)


def test_a_day_in_an_unknown_year_says_so() -> None:
    visit = choose_visit(visit_asked("2101-01-03", "2101-01-10", "2101-01-06"), BAVARIA, Rooms())
    assert visit == Visit(
        date(2101, 1, 6),
        "Thu 6 Jan 2101 is the target day in the window Mon 3 Jan 2101 to Mon 10 Jan 2101, and the clinic is open. "
        f"{CAVEAT}",
        standing="holidays-unknown",
    )


def test_years_before_the_first_known_one_too() -> None:
    assert BAVARIA.caveat(date(1990, 12, 31)) == CAVEAT


def test_a_clinic_without_holidays_knows_every_year() -> None:
    assert OpenDays(ClinicCalendar()).caveat(date(2300, 1, 1)) == ""

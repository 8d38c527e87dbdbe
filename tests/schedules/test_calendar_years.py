"""Years of which no public holidays are known: said, never taken for working days in silence."""

from __future__ import annotations

from datetime import date

from pathway.site import ClinicCalendar
from schedules.calendar import OpenDays
from schedules.choose_visit import choose_visit

BAVARIA = OpenDays(ClinicCalendar(country="DE", subdivision="BY"))
CAVEAT = "The public holidays are known from 1991 to 2100 only: whether this day is one, a person has to say."


def test_known_years_need_no_word() -> None:
    assert BAVARIA.caveat(date(2100, 12, 20), date(2100, 12, 31)) == ""
    assert choose_visit(BAVARIA, date(2100, 6, 8), date(2100, 6, 15), date(2100, 6, 11)).caveat == ""


def test_a_window_that_reaches_into_an_unknown_year_says_so() -> None:
    visit = choose_visit(BAVARIA, date(2100, 12, 27), date(2101, 1, 3), date(2100, 12, 30))
    assert visit.day == date(2100, 12, 30)
    assert visit.caveat == CAVEAT
    assert visit.why.endswith(CAVEAT)


def test_years_before_the_first_known_one_too() -> None:
    assert BAVARIA.caveat(date(1990, 12, 27), date(1991, 1, 3)) == CAVEAT


def test_a_clinic_without_holidays_knows_every_year() -> None:
    assert OpenDays(ClinicCalendar()).caveat(date(2300, 1, 1), date(2300, 1, 8)) == ""

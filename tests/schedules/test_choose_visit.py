"""The day of a visit: the open day nearest to the target, never outside the window, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pathway.ports import Resource
from pathway.site import ClinicCalendar, Closure
from pathway.visits import Visit, VisitAsked
from schedules.calendar import OpenDays
from schedules.choose_visit import choose_visit as chosen

BAVARIA = OpenDays(ClinicCalendar(country="DE", subdivision="BY"))
LONG_BEFORE = date(2026, 1, 1)


@dataclass
class Rooms:
    """Places as they are said to be: `taken` visits by day of at most `capacity`, Slots by day."""

    capacity: int = 1
    taken: dict[date, int] = field(default_factory=dict)
    slots: dict[date, Resource] | None = None
    until: date | None = None

    @property
    def slotted(self) -> bool:
        return self.slots is not None

    def full(self, day: date, key: str) -> str | None:
        assert key == "visit"
        if self.slots is not None and day not in self.slots:
            return "no Slot is free"
        taken = self.taken.get(day, 0)
        return f"{taken} of {self.capacity} visits" if taken >= self.capacity else None

    def slot(self, day: date, key: str) -> Resource | None:
        assert key == "visit"
        return (self.slots or {}).get(day)

    def still(self, slot: str, key: str) -> Resource | None:
        assert key == "visit"
        return next((s for s in (self.slots or {}).values() if f"Slot/{s['id']}" == slot), None)

    def bookable_until(self) -> date | None:
        return self.until


def choose_visit(asked: VisitAsked, days: OpenDays, rooms: Rooms) -> Visit:
    return chosen(asked, days, rooms, "Europe/Berlin")


def visit_asked(first: str, last: str, target: str, **more: Any) -> VisitAsked:
    days = (date.fromisoformat(day) for day in (first, last, target))
    return VisitAsked("visit", *days, **{"today": LONG_BEFORE, **more})


def choose(first: str, last: str, target: str, days: OpenDays = BAVARIA) -> tuple[date | None, str]:
    visit = choose_visit(visit_asked(first, last, target), days, Rooms())
    return visit.day, visit.why


def week(**more: Any) -> VisitAsked:
    """Monday 23 to Monday 30 March 2026, best on Thursday 26."""
    return visit_asked("2026-03-23", "2026-03-30", "2026-03-26", **more)


def slot(id: str, day: date) -> Resource:
    return {"resourceType": "Slot", "id": id, "start": f"{day}T09:00:00+01:00", "end": f"{day}T09:20:00+01:00"}


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


class TestPlaces:
    def test_a_full_day_is_passed_over_and_said(self) -> None:
        visit = choose_visit(week(), BAVARIA, Rooms(capacity=8, taken={date(2026, 3, 26): 8, date(2026, 3, 25): 7}))
        assert visit == Visit(
            date(2026, 3, 25),
            "Wed 25 Mar 2026 is the open clinic day nearest to the target in the window Mon 23 Mar 2026 to "
            "Mon 30 Mar 2026 (Thu 26 Mar 2026, the target day, is full: 8 of 8 visits).",
        )

    def test_every_day_full(self) -> None:
        full = {date(2026, 3, day): 1 for day in range(23, 31)}
        visit = choose_visit(week(), BAVARIA, Rooms(taken=full))
        assert visit == Visit(
            None,
            "No free place in the window Mon 23 Mar 2026 to Mon 30 Mar 2026, all 6 open days are full: a person has to "
            "find one.",
            standing="no-day-free",
        )

    def test_a_day_that_was_chosen_stays_when_a_nearer_one_becomes_free(self) -> None:
        kept = week(kept=date(2026, 3, 24), why="because")
        assert choose_visit(kept, BAVARIA, Rooms()) == Visit(date(2026, 3, 24), "because")

    def test_a_day_that_was_chosen_goes_when_the_clinic_closes_on_it(self) -> None:
        closed = Closure(first=date(2026, 3, 24), last=date(2026, 3, 24), reason="staff training")
        days = OpenDays(ClinicCalendar(closures=(closed,)))
        assert choose_visit(week(kept=date(2026, 3, 24)), days, Rooms()).day == date(2026, 3, 26)
        assert choose_visit(week(kept=date(2026, 3, 24), settled=True), days, Rooms()).day == date(2026, 3, 24)


class TestHoursAndAbsences:
    def test_the_visit_is_sought_in_the_hours_of_the_day(self) -> None:
        morning = {"weekdays": [3], "opens": "08:30", "closes": "12:00"}
        afternoon = {"weekdays": [3, 4], "opens": "14:00", "closes": "17:00"}
        days = OpenDays(ClinicCalendar.model_validate({"hours": [morning, afternoon]}))
        times = choose_visit(week(), days, Rooms()).times
        assert times == ("2026-03-26T08:30:00+01:00", "2026-03-26T17:00:00+01:00")
        summer = choose_visit(visit_asked("2026-04-03", "2026-04-03", "2026-04-03"), days, Rooms()).times
        assert summer == ("2026-04-03T14:00:00+02:00", "2026-04-03T17:00:00+02:00")
        assert choose_visit(visit_asked("2026-03-23", "2026-03-23", "2026-03-23"), days, Rooms()).times is None

    def test_somebody_who_is_away_has_no_visits(self) -> None:
        away = Closure(first=date(2026, 3, 26), last=date(2026, 3, 26), reason="at a congress", absent="Practitioner/a")
        days = OpenDays(ClinicCalendar(closures=(away,)))
        with_a, with_b = (week(actors=frozenset({f"Practitioner/{who}"})) for who in "ab")
        assert choose_visit(with_a, days, Rooms()).day == date(2026, 3, 25)
        assert choose_visit(with_a, days, Rooms()).why.endswith(
            "the target day, is closed: who is needed is away (at a congress))."
        )
        assert choose_visit(with_b, days, Rooms()).day == date(2026, 3, 26)
        assert choose_visit(week(kept=date(2026, 3, 26), actors=with_a.actors), days, Rooms()).day == date(2026, 3, 25)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"hours": [{"weekdays": [1], "opens": "12:00", "closes": "08:00"}]},
            {"hours": [{"weekdays": [], "opens": "08:00", "closes": "12:00"}]},
            {"closures": [{"first": "2026-03-26", "last": "2026-03-25", "reason": "x"}]},
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            ClinicCalendar.model_validate(wrong)


class TestToday:
    def test_neither_today_nor_a_day_that_has_passed_is_proposed(self) -> None:
        visit = choose_visit(week(today=date(2026, 3, 26)), BAVARIA, Rooms())
        assert (visit.day, visit.standing) == (date(2026, 3, 27), None)
        assert visit.why.endswith("(Thu 26 Mar 2026, the target day, has passed).")

    def test_a_day_that_was_proposed_before_may_be_today(self) -> None:
        assert choose_visit(week(kept=date(2026, 3, 26), today=date(2026, 3, 26)), BAVARIA, Rooms()).day == date(
            2026, 3, 26
        )

    def test_nobody_booked_in_time(self) -> None:
        visit = choose_visit(week(kept=date(2026, 3, 26), today=date(2026, 3, 27)), BAVARIA, Rooms())
        assert visit.day == date(2026, 3, 30)
        assert visit.why.endswith("(Thu 26 Mar 2026, the target day, has passed).")

    def test_on_the_last_day_it_is_the_day_after(self) -> None:
        visit = choose_visit(week(today=date(2026, 3, 30)), BAVARIA, Rooms())
        assert (visit.day, visit.standing) == (date(2026, 3, 31), "outside-window")

    def test_full_days_ahead_may_become_free_closed_ones_do_not_open(self) -> None:
        asked = week(today=date(2026, 3, 27))
        assert choose_visit(asked, BAVARIA, Rooms(taken={date(2026, 3, 30): 1})).standing == "no-day-free"
        closed = Closure(first=date(2026, 3, 30), last=date(2026, 3, 30), reason="staff training")
        visit = choose_visit(asked, OpenDays(ClinicCalendar(closures=(closed,))), Rooms())
        assert (visit.day, visit.standing) == (date(2026, 3, 31), "outside-window")

    def test_a_booked_day_that_has_passed_is_not_chosen_again(self) -> None:
        booked = week(kept=date(2026, 3, 26), today=date(2026, 4, 2), settled=True)
        assert choose_visit(booked, BAVARIA, Rooms()).day == date(2026, 3, 26)

    @pytest.mark.parametrize("today", [LONG_BEFORE, date(2026, 3, 26), date(2026, 3, 30), date(2027, 3, 30)])
    def test_the_day_that_a_booked_one_is_compared_with_does_not_go_on_with_today(self, today: date) -> None:
        visit = choose_visit(week(today=today, settled=True), BAVARIA, Rooms(taken={date(2026, 3, 26): 1}))
        assert (visit.day, visit.standing) == (date(2026, 3, 26), None)
        assert visit.why.startswith("Thu 26 Mar 2026 is the target day")

    def test_a_window_that_has_passed_is_left_and_that_is_said(self) -> None:
        visit = choose_visit(week(today=date(2026, 4, 2)), BAVARIA, Rooms(taken={date(2026, 4, 7): 1}))
        assert visit == Visit(
            date(2026, 4, 8),
            "Wed 8 Apr 2026 is OUTSIDE the window Mon 23 Mar 2026 to Mon 30 Mar 2026, in which no day is left: "
            "it is the earliest with a place.",
            standing="outside-window",
        )

    def test_a_clinic_that_does_not_open_again(self) -> None:
        closed = Closure(first=date(2026, 3, 1), last=date(2027, 3, 1), reason="moved away")
        days = OpenDays(ClinicCalendar(closures=(closed,)))
        visit = choose_visit(week(today=date(2026, 4, 2)), days, Rooms())
        assert (visit.day, visit.standing) == (None, "no-day-free")


class TestSlots:
    THURSDAY, FRIDAY = date(2026, 3, 26), date(2026, 3, 27)

    def test_the_first_free_one_of_the_nearest_day(self) -> None:
        friday = slot("f1", self.FRIDAY)
        visit = choose_visit(week(), BAVARIA, Rooms(slots={self.FRIDAY: friday}))
        assert (visit.day, visit.slot) == (self.FRIDAY, friday)
        assert visit.why.endswith("(Thu 26 Mar 2026, the target day, is full: no Slot is free).")

    def test_it_is_kept_while_it_is_there(self) -> None:
        both = {self.THURSDAY: slot("t1", self.THURSDAY), self.FRIDAY: slot("f1", self.FRIDAY)}
        kept = week(kept=self.FRIDAY, slot="Slot/f1")
        assert choose_visit(kept, BAVARIA, Rooms(slots=both)).slot == both[self.FRIDAY]
        del both[self.FRIDAY]
        assert choose_visit(kept, BAVARIA, Rooms(slots=both)).slot == both[self.THURSDAY]

    def test_too_early_to_book(self) -> None:
        visit = choose_visit(week(), BAVARIA, Rooms(slots={}, until=date(2026, 3, 22)))
        assert (visit.day, visit.slot, visit.standing) == (self.THURSDAY, None, "too-early-to-book")
        assert visit.why.endswith("It is too early to book: the clinic takes appointments until Sun 22 Mar 2026.")

    def test_once_it_can_be_booked_it_gets_its_slot(self) -> None:
        rooms = Rooms(slots={self.FRIDAY: slot("f1", self.FRIDAY)}, until=date(2026, 4, 30))
        visit = choose_visit(week(kept=self.THURSDAY), BAVARIA, rooms)
        assert (visit.day, visit.standing) == (self.FRIDAY, None)

    def test_the_nearest_day_counts_more_than_being_bookable_already(self) -> None:
        rooms = Rooms(slots={date(2026, 3, 24): slot("d1", date(2026, 3, 24))}, until=date(2026, 3, 25))
        assert choose_visit(week(), BAVARIA, rooms).standing == "too-early-to-book"


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
    asked = VisitAsked("visit", first, last, target, LONG_BEFORE)
    visit = choose_visit(asked, days, Rooms())
    open_days = [d for n in range(length + 1) if days.closed(d := first + timedelta(days=n)) is None]
    if visit.day is None:
        assert open_days == []
    else:
        assert visit.day in open_days
        assert abs((visit.day - target).days) == min(abs((day - target).days) for day in open_days)
    assert visit.why
    assert visit == choose_visit(asked, days, Rooms())

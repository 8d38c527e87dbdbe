"""Open days of a clinic: weekdays, hours, public holidays of its subdivision, closures and absences."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cached_property

import holidays

from pathway.errors import Refused
from pathway.site import ClinicCalendar


@dataclass(frozen=True)
class OpenDays:
    """Answers for one calendar whether a day is open and, if not, why."""

    calendar: ClinicCalendar

    @cached_property
    def _holidays(self) -> holidays.HolidayBase | None:
        if self.calendar.country is None:
            return None
        try:
            # Otherwise the machine's locale decides how a holiday is called.
            return holidays.country_holidays(self.calendar.country, subdiv=self.calendar.subdivision, language="en_US")
        except NotImplementedError as error:
            place = "-".join(filter(None, (self.calendar.country, self.calendar.subdivision)))
            raise Refused(f"The public holidays of {place} are not known") from error

    def closed(self, day: date, actors: Collection[str] = ()) -> str | None:
        """Why the clinic is closed on `day`, or one of `actors` (references) is not there; None when it is open."""
        for closure in self.calendar.closures:
            if closure.first <= day <= closure.last and (closure.absent is None or closure.absent in actors):
                return f"who is needed is away ({closure.reason})" if closure.absent else closure.reason
        if day.weekday() not in self.calendar.weekdays:
            return f"no clinic on {day:%A}s"
        if self._holidays is not None and day in self._holidays:
            return f"public holiday ({self._holidays[day]})"
        return None

    def hours(self, day: date) -> tuple[time, time] | None:
        """From when to when the clinic is open on an open day, breaks included; None for the whole day."""
        of_the_day = [hours for hours in self.calendar.hours if day.weekday() in hours.weekdays]
        if not of_the_day:
            return None
        return min(hours.opens for hours in of_the_day), max(hours.closes for hours in of_the_day)

    def caveat(self, day: date) -> str:
        """What is not known about a day: the public holidays of a year that the library lacks."""
        known = self._holidays
        if known is None or known.start_year <= day.year <= known.end_year:
            return ""
        return (
            f"The public holidays are known from {known.start_year} to {known.end_year} only: "
            "whether this day is one, a person has to say."
        )

    def between(self, first: date, last: date) -> list[date]:
        """The open days from `first` to `last`, both included."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [day for day in days if self.closed(day) is None]

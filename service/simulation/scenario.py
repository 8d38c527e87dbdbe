"""What is simulated: how many patients over how long, and how people behave."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_MONDAY = date(2026, 3, 2)  # the same for everybody, so that the same seed means the same; Easter lies in it
Share = Annotated[float, Field(ge=0, le=1)]
Weekdays = Annotated[frozenset[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Habits(_Part):
    """How often what happens, as shares from 0 to 1: assumptions, not measurements of any hospital."""

    no_show: Annotated[Share, Field(description="visits to which the patient does not come")] = 0.08
    visit_cancelled: Annotated[Share, Field(description="booked visits called off and booked anew")] = 0.05
    surgery_moved: Annotated[Share, Field(description="surgeries moved to a later surgery day")] = 0.1
    surgery_cancelled: Annotated[Share, Field(description="booked surgeries that do not take place")] = 0.04
    never_recorded: Annotated[Share, Field(description="surgeries that nobody ever records")] = 0.01
    recorded_late: Annotated[Share, Field(description="surgeries recorded 1 to 16 days after they ended")] = 0.2
    booked_late: Annotated[Share, Field(description="proposed visits that nobody books for 8 to 12 days")] = 0.05


class Scenario(_Part):
    """`patients` have one surgery each, spread evenly over the surgery days of `weeks`; `seed` decides everything else.

    `whole`: the whole plan runs, not only what the follow-up visit rests on.
    """

    patients: Annotated[int, Field(ge=1, le=100_000)] = 2000
    weeks: Annotated[int, Field(ge=1, le=104)] = 12
    seed: int = 7
    start: Annotated[date, Field(description="the first day; the weeks are counted from it")] = _MONDAY
    surgery_days: Annotated[Weekdays, Field(description="weekdays on which there is surgery, Monday = 0")] = frozenset(
        range(5)
    )
    habits: Habits = Habits()
    whole: bool = False

    @property
    def last(self) -> date:
        """The last day."""
        return self.start + timedelta(days=7 * self.weeks - 1)

"""What the admin REST answers to people who plan."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from fastapi import Response
from pydantic import Field

from schedules.downtime import Fate
from service.admin.models import Answer
from service.simulation.scenario import Scenario


class Svg(Response):
    """A picture."""

    media_type = "image/svg+xml"


class Simulation(Answer):
    """A simulation and how far it is; `began` and `ended` are on the wire clock."""

    id: str
    state: Literal["running", "done", "failed"]
    scenario: Scenario
    changes: list[str]
    began: datetime
    ended: datetime | None
    problem: str | None = Field(None, description="why it failed")
    result: dict[str, Any] | None = Field(
        None, description="as `calcinosis-pathway simulate --json` prints it; ends with the six totals"
    )


class Simulations(Answer):
    simulations: list[Simulation]


class AffectedWork(Answer):
    """Due work whose time lay in an outage; `due_at` and `released_at` are clinical time."""

    care_plan: str
    action: str
    fate: Fate
    due_at: datetime
    released_at: datetime | None
    why: str


class Call(Answer):
    """A patient to call: until when it matters and why; `link` is the timeline of the CarePlan."""

    care_plan: str
    task: str | None
    by: date
    why: list[str]
    link: str


class Downtime(Answer):
    """An outage, `began` and `ended` on the wire clock, and what it did; `calls`: the most urgent first."""

    duties: list[str]
    began: datetime
    ended: datetime
    late: int
    suppressed: int
    waiting: int
    affected: list[AffectedWork]
    calls: list[Call]


class Downtimes(Answer):
    downtimes: list[Downtime]

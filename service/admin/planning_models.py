"""What the admin REST answers to people who plan."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from service.admin.models import Answer
from service.simulation.scenario import Scenario


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

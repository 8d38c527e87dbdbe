"""What the admin REST answers about alerts. Times are aware and real."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.admin.models import Answer


class Alert(Answer):
    id: str
    code: str
    priority: Literal["urgent", "stat"]
    task: str
    state: Literal["waiting", "sent", "acknowledged"]
    attempt: int
    raised_at: datetime
    next_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class Alerts(Answer):
    alerts: list[Alert]


class AlertCall(Answer):
    """One attempt to call somebody: by which step and route, and whether it was taken."""

    step: str
    route: str
    at: datetime
    delivered: bool
    outcome: str


class CalledAlert(Alert):
    calls: list[AlertCall] = Field(description="oldest first")


class AlertRoute(Answer):
    """An address of the ladder. `confirmed_at`: when a person gave back the code of a test; null until then."""

    route: str = Field(description="stays as long as the address stays")
    step: str
    address: str
    confirmed_at: datetime | None
    last_at: datetime | None = Field(description="the newest call, test or alert")
    last_outcome: str | None


class AlertRoutes(Answer):
    alert_routes: list[AlertRoute] = Field(description="in the order of the ladder")

"""Alerts: calls to people, and who answered them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from pathway.errors import NotFound
from service.admin import alert_models as models
from service.admin.access import Id, Registered, TheServices
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.strict import Asked, StrictRoute

router = APIRouter(prefix="/hospitals/{name}/alerts", tags=["alerts"], route_class=StrictRoute)


class AlertsAsked(Asked):
    unanswered: Annotated[bool, Field(description="leave out what is acknowledged")] = False


class Acknowledgement(Asked):
    """Who has seen it and takes care of it."""

    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


@router.get("", responses=documented(NotFound), summary="Alerts, in the order of their next attempt")
def alerts(name: Registered, services: TheServices, asked: Annotated[AlertsAsked, Query()]) -> models.Alerts:
    with services.store.transaction(name, read_only=True) as tx:
        entries = tx.alerts.entries(unanswered_only=asked.unanswered)
    return models.Alerts(alerts=[models.Alert.model_validate(entry) for entry in entries])


@router.get("/{id}", responses=documented(NotFound), summary="One alert, and who was called about it")
def alert(id: Id, name: Registered, services: TheServices) -> models.CalledAlert:
    with services.store.transaction(name, read_only=True) as tx:
        return models.CalledAlert.model_validate({**vars(tx.alerts.entry(id)), "calls": tx.alert_routes.calls(id)})


@router.post(
    "/{id}/acknowledge",
    responses=documented(NotFound, Malformed, TooLarge),
    summary="Answer an alert: it stops repeating and escalating",
)
def acknowledge(asked: Acknowledgement, id: Id, name: Registered, services: TheServices) -> models.Alert:
    """The first answer counts; a later one changes nothing and shows who was first."""
    return models.Alert.model_validate(services.store.acknowledge(name, id, asked.by))

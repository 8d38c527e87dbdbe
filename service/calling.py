"""Calls people about alerts, step by step of the hospital's ladder, until somebody acknowledges.

A call is recorded after it was made: a process that dies in between calls again. Twice is possible, never is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from fhir_adapters.store.alert_routes import AlertCall
from fhir_adapters.store.alerts import AlertEntry
from fhir_adapters.store.sql import SqlStore
from pathway.errors import HospitalError
from pathway.escalation import Call, Ladder, Priority, Step, Tried, calls, calls_due, ladder
from pathway.site import Site
from service.alerts import Message, Routes
from service.settings import Settings

DELIVERED = "delivered"
_BATCH = 50
_LEASE = timedelta(seconds=60)
_log = structlog.get_logger(__name__)


def route_id(address: str) -> str:
    """What a route is called in paths and records; it does not tell the address."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def ladder_of(site: Site, settings: Settings, priority: Priority = "urgent") -> Ladder:
    """The site's own, else one step to the webhook of the settings, else one without steps."""
    if site.alerts is not None:
        return ladder(site.alerts, priority)
    url = settings.alert_webhook_url
    steps = (Step("webhook", timedelta(), (url,)),) if url else ()
    return Ladder(steps, timedelta(seconds=settings.alert_repeat_seconds))


@dataclass(frozen=True)
class Calling:
    """`clock` is the wire clock."""

    store: SqlStore
    routes: Routes
    settings: Settings
    clock: Callable[[], datetime]

    def run(self, site: Site) -> int:
        """Make every call that is due for a hospital; how many were taken. Without a route, alerts wait, visibly."""
        addresses = sum(len(step.to) for step in ladder_of(site, self.settings).steps)
        if not addresses:
            return 0
        slowest = max(self.settings.hospital_timeout_seconds, self.settings.alert_smtp_timeout_seconds)
        lease = max(_LEASE, timedelta(seconds=slowest * (addresses + 1)))
        taken = 0
        for _ in range(_BATCH):
            claimed = self.store.claim_alerts(site.hospital, 1, lease)
            if not claimed:
                break
            taken += self._climb(site, claimed[0])
        return taken

    def call(self, made: Call, alert: str, message: Message) -> str:
        """Deliver and record it; the outcome, DELIVERED or a sentence without an address."""
        try:
            self.routes.to(made.address).deliver(message)
        except HospitalError as error:
            outcome = str(error)
            _log.warning("alert.not_delivered", hospital=message.hospital, alert=alert, step=made.label, error=outcome)
        else:
            outcome = DELIVERED
            _log.info("alert.delivered", hospital=message.hospital, alert=alert, step=made.label)
        route, delivered = route_id(made.address), outcome == DELIVERED
        record = AlertCall(alert, route, made.label, self.clock(), delivered, outcome)
        self.store.record_call(message.hospital, record)
        return outcome

    def _climb(self, site: Site, entry: AlertEntry) -> int:
        steps = ladder_of(site, self.settings, entry.priority)
        link = f"{self.settings.public_url}/admin/v1/hospitals/{site.hospital}/alerts/{entry.id}"
        message, taken = Message(site.hospital, entry.code, entry.priority, link), 0
        _, made = self._state(site, entry)
        for call in calls_due(steps, entry.raised_at, _tried(steps, made), self.clock()):
            # A call may take seconds: somebody may have acknowledged during the one before.
            acknowledged, _ = self._state(site, entry)
            if acknowledged:
                return taken
            taken += self.call(call, entry.id, message) == DELIVERED
        _, made = self._state(site, entry)
        following = calls(steps, entry.raised_at, _tried(steps, made))
        self.store.alert_waits(site.hospital, entry.id, following[0].at)
        return taken

    def _state(self, site: Site, entry: AlertEntry) -> tuple[bool, Sequence[AlertCall]]:
        """Whether somebody acknowledged, and all calls so far."""
        with self.store.transaction(site.hospital, read_only=True) as tx:
            return tx.alerts.entry(entry.id).state == "acknowledged", tx.alert_routes.calls(entry.id)


def _tried(steps: Ladder, made: Sequence[AlertCall]) -> dict[str, Tried]:
    addresses = {route_id(address): address for step in steps.steps for address in step.to}
    tried: dict[str, Tried] = {}
    for call in made:
        if address := addresses.get(call.route):
            failures = 0 if call.delivered else (tried[address].failures if address in tried else 0) + 1
            tried[address] = Tried(call.at, failures)
    return tried

"""Alerts by signed webhook: a code, a priority and a link, no patient data."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol

import httpx
import msgspec

from pathway.errors import HospitalError, Unreachable
from pathway.ports import Alert


class AlertRoute(Protocol):
    """Reaches a person outside the FHIR world. The message holds no patient data."""

    def deliver(self, alert: Alert, link: str) -> None:
        """Raises HospitalError when the receiver did not take it."""


@dataclass(frozen=True)
class Webhook:
    """Posts JSON `{"code", "priority", "link"}`; header `X-Signature: sha256=<hex>` when a secret is set."""

    url: str
    secret: str | None
    http: httpx.Client

    def deliver(self, alert: Alert, link: str) -> None:
        body = msgspec.json.encode({"code": alert.code, "priority": alert.priority, "link": link})
        headers = {"Content-Type": "application/json"}
        if self.secret is not None:
            headers["X-Signature"] = "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        try:
            response = self.http.post(self.url, content=body, headers=headers)
        except httpx.TransportError as error:
            raise Unreachable(f"The alert webhook gave no answer: {type(error).__name__}") from error
        if not response.is_success:
            raise HospitalError(f"The alert webhook answered {response.status_code}", status=response.status_code)

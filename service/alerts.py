"""Messages to people, by mail or signed webhook: priority, a code and a link, no patient data."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal, Protocol

import httpx
import msgspec

from pathway.errors import HospitalError, Unreachable
from pathway.escalation import is_mail
from service.mail import Mail, MailServer

TEST_CODE = "alert-route-test"


@dataclass(frozen=True)
class Message:
    """What a person is told. `confirmation`: the one-time code of a test, which asks for nothing else."""

    hospital: str
    code: str
    priority: Literal["routine", "urgent", "stat"]
    link: str
    confirmation: str | None = None

    def subject(self) -> str:
        if self.confirmation is not None:
            return f"Test of an alert route, {self.hospital}"
        return f"{self.priority.upper()}: {_words(self.code)}, {self.hospital}"

    def text(self) -> str:
        """For a mail."""
        if self.confirmation is not None:
            what = [
                f"This is a test from the calcinosis pathway service of {self.hospital}. Nobody needs help.",
                f"Code: {self.confirmation}",
                f"Give this code back to confirm that alerts reach you: POST {self.link} with the code.",
                "If you do not run the service yourself, tell the code to whoever asked you to look out for it.",
            ]
        else:
            what = [
                f"{self.priority.upper()}: {_words(self.code)}",
                f"Hospital: {self.hospital}",
                f"Who it is about, and what was seen: {self.link}",
                f"To acknowledge, with your name: POST {self.link}/acknowledge, or tell whoever runs the service.",
                "You and others are called again until somebody acknowledges.",
            ]
        return "\n\n".join([*what, "This message holds no patient data on purpose."]) + "\n"


class AlertRoute(Protocol):
    """Reaches a person outside the FHIR world."""

    def deliver(self, message: Message) -> None:
        """Raises HospitalError when the receiver did not take it."""


@dataclass(frozen=True)
class Webhook:
    """Posts JSON `{"code", "priority", "link", "hospital"}`, in a test also `"confirmation"`.

    Header `X-Signature: sha256=<hex>` (HMAC of the body) when a secret is set.
    """

    url: str
    secret: str | None
    http: httpx.Client

    def deliver(self, message: Message) -> None:
        said = {"code": message.code, "priority": message.priority, "link": message.link, "hospital": message.hospital}
        if message.confirmation is not None:
            said["confirmation"] = message.confirmation
        body = msgspec.json.encode(said)
        headers = {"Content-Type": "application/json"}
        if self.secret is not None:
            headers["X-Signature"] = "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        try:
            response = self.http.post(self.url, content=body, headers=headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreachable(f"The alert webhook gave no answer: {type(error).__name__}") from error
        if not response.is_success:
            raise HospitalError(f"The alert webhook answered {response.status_code}", status=response.status_code)


@dataclass(frozen=True)
class Routes:
    """Makes the route to an address. `http` and `mail` carry the timeouts; without `mail` no mail is sent."""

    http: httpx.Client
    secret: str | None = None
    mail: MailServer | None = None

    def to(self, address: str) -> AlertRoute:
        """Raises HospitalError for a mail address when no mail server is set."""
        if not is_mail(address):
            return Webhook(address, self.secret, self.http)
        if self.mail is None:
            raise HospitalError("No mail server is set: CALCINOSIS_PATHWAY_ALERT_SMTP_URL and ..._ALERT_MAIL_FROM")
        return MailRoute(self.mail, address)


@dataclass(frozen=True)
class MailRoute:
    server: MailServer
    address: str

    def deliver(self, message: Message) -> None:
        headers = {"X-Priority": "3" if message.priority == "routine" else "1"}
        self.server.send(Mail(self.address, message.subject(), message.text(), headers))


def _words(code: str) -> str:
    """`flag-leg-clot-signs` as a person says it."""
    return code.removeprefix("flag-").replace("-", " ")

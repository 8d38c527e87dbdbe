"""Mail over SMTP (RFC 5321) with the standard library; STARTTLS (RFC 3207) unless it is switched off."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from pathway.errors import HospitalError, Refused, Unreachable
from pathway.escalation import is_mail

_NAME = "CALCINOSIS_PATHWAY_ALERT_SMTP_URL"
_FORM = f"{_NAME} must look like smtp://user:password@mail.hospital.example:587?starttls=required"
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. `tls`: from the first byte (smtps), by STARTTLS, or not at all; `timeout` in seconds."""

    host: str
    port: int
    sender: str
    tls: str = "starttls"
    user: str | None = None
    password: str = field(default="", repr=False)
    timeout: float = 10
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def send(self, mail: Mail) -> None:
        """Raises Unreachable when it may or may not have been taken, HospitalError when it was not.

        No message of an error names an address or repeats what the server said.
        """
        try:
            with self._connected() as smtp:
                smtp.send_message(self._written(mail))
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            raise HospitalError(f"The mail server refused the recipient ({', '.join(map(str, codes))})") from None
        except smtplib.SMTPNotSupportedError:
            raise HospitalError("The mail server offers no STARTTLS, or not the login that is set") from None
        except smtplib.SMTPAuthenticationError as error:
            raise HospitalError(f"The mail server refused the login ({error.smtp_code})") from None
        except smtplib.SMTPResponseException as error:
            raise HospitalError(f"The mail server answered {error.smtp_code}", status=error.smtp_code) from None
        except OSError as error:
            raise Unreachable(f"The mail server gave no answer: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        # The name we greet with is given, because smtplib would look this machine's up in the DNS.
        us = self.sender.rpartition("@")[2]
        if self.tls == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, us, timeout=self.timeout, context=self.context)
        else:
            smtp = smtplib.SMTP(self.host, self.port, us, timeout=self.timeout)
        try:
            if self.tls == "starttls":
                smtp.starttls(context=self.context)
            if self.user is not None:
                smtp.login(self.user, self.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _written(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, mail.to, mail.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        for name, value in mail.headers.items():
            message[name] = value
        message.set_content(mail.text)
        return message


def mail_server(url: str, sender: str | None, timeout: float) -> MailServer:
    """From the settings: `smtp://user:password@host:587?starttls=required|off`, or `smtps://...`.

    Raises Refused with what is wrong, without the URL: it holds a password.
    """
    if sender is None or not is_mail(sender):
        raise Refused("CALCINOSIS_PATHWAY_ALERT_MAIL_FROM must be the mail address that alerts come from")
    try:
        parts = urlsplit(url)
        host, port, asked = parts.hostname, parts.port, parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise Refused(_FORM) from None
    starttls = asked.pop("starttls", ["required"])
    if parts.scheme not in _PORTS or not host or asked or starttls not in (["required"], ["off"]):
        raise Refused(_FORM)
    tls = "smtps" if parts.scheme == "smtps" else {"required": "starttls", "off": "none"}[starttls[0]]
    if parts.username is not None and tls == "none":
        raise Refused(f"{_NAME}: with starttls=off the password would be sent in the clear")
    user = None if parts.username is None else unquote(parts.username)
    port = port or _PORTS[parts.scheme]
    return MailServer(host, port, sender, tls, user, unquote(parts.password or ""), timeout)

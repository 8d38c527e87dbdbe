"""Settings by environment, prefix `CALCINOSIS_PATHWAY_`; every one has a default that is safe on one machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pathway.errors import Refused


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CALCINOSIS_PATHWAY_", extra="ignore")

    database_url: str = Field("sqlite:///var/calcinosis-pathway.db", description="SQLAlchemy URL of our database")
    engine: Literal["in-process", "procrastinate"] | None = Field(
        None, description="what does the due work; by default procrastinate on PostgreSQL, in-process on SQLite"
    )
    bearer_token: SecretStr | None = Field(None, description="asked for on /fhir, /admin and /metrics when set")
    public_url: str = Field("http://127.0.0.1:8000", description="how people and hospitals reach this service")
    alert_webhook_url: str | None = Field(None, description="where alerts are posted; without it they wait, visibly")
    alert_webhook_secret: SecretStr | None = Field(None, description="key of the HMAC-SHA256 signature of an alert")
    alert_smtp_url: SecretStr | None = Field(None, description="smtp://user:password@host:587?starttls=required")
    alert_mail_from: str | None = Field(None, description="the mail address that alerts come from")
    alert_smtp_timeout_seconds: Annotated[float, Field(gt=0)] = Field(10, description="how long it may take to answer")
    alert_repeat_seconds: Annotated[float, Field(gt=0)] = Field(300, description="an unanswered alert is sent again")
    pull_seconds: Annotated[float, Field(gt=0)] = Field(5, description="how often hospitals are read")
    push_seconds: Annotated[float, Field(gt=0)] = Field(1, description="how often the outbox is emptied")
    release_seconds: Annotated[float, Field(gt=0)] = Field(1, description="how often due work is looked for")
    slots_seconds: Annotated[float, Field(gt=0)] = Field(60, description="how often a clinic's Slots are read")
    sweep_seconds: Annotated[float, Field(gt=0)] = Field(3600, description="how often every plan is looked at again")
    downtime_seconds: Annotated[float, Field(gt=0)] = Field(300, description="silence that is kept as a downtime")
    overlap_seconds: Annotated[float, Field(ge=0)] = Field(600, description="how far back each reading starts again")
    feed_stale_seconds: Annotated[float, Field(gt=0)] = Field(900, description="after which calendars say they are old")
    hospital_timeout_seconds: Annotated[float, Field(gt=0)] = Field(30, description="how long a hospital may take")


def check_binding(host: str, settings: Settings) -> None:
    """Raises Refused when the service would listen beyond this machine without authentication."""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback and settings.bearer_token is None:
        raise Refused(
            f"Listening on {host} needs authentication: set CALCINOSIS_PATHWAY_BEARER_TOKEN, or bind to 127.0.0.1"
        )

"""Calendars of a hospital's visits: who may read which, by an address with a secret in it, and what they read.

Calendar programs send no header, so the secret is in the address. It is 256 random bits, which nobody guesses, so one
SHA-256 of it is kept and no slow hash; a look-up by that hash takes as long for a wrong token as for a revoked one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fhir_adapters.store.feed_tokens import CLINIC, COARSE, FeedToken
from fhir_adapters.store.sql import SqlStore
from pathway.site import Site
from pathway.situation import Now
from schedules.calendar_feed import CalendarFeed, Stale, calendar
from schedules.planned_visits import planned_visits
from service.settings import Settings

_IN_STEP = ("pull", "release")  # the duties without which a visit may have moved unseen
_TOKEN_BYTES = 32
_ACTORS = "Practitioner|PractitionerRole|HealthcareService"


class FeedAsked(BaseModel):
    """A feed to be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")
    ] = Field(description="who subscribes; the calendar's name, so no patient's")
    scope: Annotated[str, StringConstraints(pattern=rf"^({CLINIC}|({_ACTORS})/[A-Za-z0-9.\-]{{1,64}})$")] = Field(
        CLINIC, description=f"{CLINIC} for all visits, or the reference of who takes part in them"
    )


@dataclass(frozen=True)
class MadeFeed:
    """A new feed and its address, which is shown once and kept nowhere."""

    feed: FeedToken
    url: str


@dataclass(frozen=True)
class CalendarFeeds:
    """The feeds of all hospitals."""

    store: SqlStore
    settings: Settings
    site: Callable[[str], Site]
    now: Callable[[str], Now]

    def create(self, hospital: str, asked: FeedAsked, actor: str) -> MadeFeed:
        """Raises NotFound for an unknown hospital."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self.store.transaction(hospital, actor=actor) as tx:
            feed = tx.feed_tokens.add(asked.label, asked.scope, _hash(token), actor)
            tx.audit(actor, "create", f"feed/{feed.id}")
        return MadeFeed(feed, f"{self._public}/feeds/{token}.ics")

    def all(self, hospital: str) -> Sequence[FeedToken]:
        """Revoked ones too, oldest first. Raises NotFound for an unknown hospital."""
        with self.store.transaction(hospital, read_only=True) as tx:
            return tx.feed_tokens.all()

    def revoke(self, hospital: str, id: str, actor: str) -> FeedToken:
        """From now on the address leads nowhere; again changes nothing. Raises NotFound."""
        with self.store.transaction(hospital, actor=actor) as tx:
            if tx.feed_tokens.revoke(id, actor):
                tx.audit(actor, "revoke", f"feed/{id}")
            return tx.feed_tokens.one(id)

    def read(self, token: str) -> bytes:
        """The calendar that a token opens. Raises NotFound, the same for one that is wrong and one that was revoked."""
        feed = self.store.feed_of(_hash(token))
        now = self.now(feed.hospital)
        actor = None if feed.scope == CLINIC else feed.scope
        place = f"{self._public}/admin/v1/hospitals/{feed.hospital}/patients"
        whole = CalendarFeed(feed.label, self.site(feed.hospital).zone, place)
        with self.store.transaction(feed.hospital, read_only=True) as tx:
            visits = planned_visits(tx, now, actor)
        if feed.last_used_at is None or now.wire - feed.last_used_at >= COARSE:
            with self.store.transaction(feed.hospital) as tx:
                tx.feed_tokens.used(feed.id)
        return calendar(whole, visits, now, self._stale(feed.hospital, now))

    def _stale(self, hospital: str, now: Now) -> Stale | None:
        """A hospital that is not read, or is not active, may have moved any visit."""
        well = {beat.name: beat.well_at for beat in self.store.heartbeats()}
        last = [well.get(f"{hospital}.{duty}") for duty in _IN_STEP]
        known = [at for at in last if at is not None]
        if len(known) < len(last):
            return Stale(None)
        limit = timedelta(seconds=self.settings.feed_stale_seconds)
        return Stale(min(known)) if now.wire - min(known) > limit else None

    @property
    def _public(self) -> str:
        return self.settings.public_url.rstrip("/")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()

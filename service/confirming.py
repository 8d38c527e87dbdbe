"""A route is confirmed when a person gives back the one-time code of a test that went there."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_adapters.store.alert_routes import Confirmation
from pathway.errors import HospitalError, NotFound, Refused
from pathway.escalation import Call
from pathway.site import Site
from service.alerts import TEST_CODE, Message
from service.calling import DELIVERED, Calling, ladder_of, route_id

CODE_LASTS = timedelta(hours=24)
_TRIES = 5
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is read for another
_LENGTH = 10


@dataclass(frozen=True)
class RouteState:
    """An address of a hospital's ladder, whether it is confirmed, and its newest call (test or alert)."""

    route: str
    step: str
    address: str
    confirmed_at: datetime | None
    last_at: datetime | None
    last_outcome: str | None


@dataclass(frozen=True)
class Confirming:
    calling: Calling

    def routes(self, site: Site) -> Sequence[RouteState]:
        """In the order of the ladder."""
        found = []
        with self.calling.store.transaction(site.hospital, read_only=True) as tx:
            for step, address in self._addresses(site):
                route = route_id(address)
                confirmed_at, last = (
                    tx.alert_routes.confirmation(route).confirmed_at,
                    tx.alert_routes.newest_call(route),
                )
                at, outcome = (last.at, last.outcome) if last else (None, None)
                found.append(RouteState(route, step, address, confirmed_at, at, outcome))
        return found

    def test(self, site: Site, route: str, actor: str) -> RouteState:
        """Send a new code there. Raises NotFound, HospitalError when the receiver did not take it."""
        step, address = self._named(site, route)
        calling, now = self.calling, self.calling.clock()
        code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        with calling.store.transaction(site.hospital, actor=actor) as tx:
            tx.alert_routes.tested(route, _hash(site, route, code), now + CODE_LASTS)
            tx.audit(actor, "test", f"alert-route/{route}")
        link = f"{calling.settings.public_url}/admin/v1/hospitals/{site.hospital}/alert-routes/{route}/confirm"
        message = Message(site.hospital, TEST_CODE, "routine", link, code)
        outcome = calling.call(Call(step, address, now), "", message)
        if outcome != DELIVERED:
            raise HospitalError(f"The test did not get through. {outcome}")
        return self._state(site, route)

    def confirm(self, site: Site, route: str, code: str, actor: str) -> RouteState:
        """Raises NotFound, Refused for a code that is wrong, old or used up."""
        self._named(site, route)
        now = self.calling.clock()
        with self.calling.store.transaction(site.hospital, actor=actor) as tx:
            right = _fits(tx.alert_routes.confirmation(route), _hash(site, route, code), now)
            if right:
                tx.alert_routes.confirm(route, now)
                tx.audit(actor, "confirm", f"alert-route/{route}")
            else:
                tx.alert_routes.wrong_code(route)
        if not right:
            raise Refused(
                "This is not the code of the newest test, or that test is over: a code can be used once, within "
                f"{CODE_LASTS // timedelta(hours=1)} hours, and {_TRIES} wrong ones end it. Send another test."
            )
        return self._state(site, route)

    def lacking(self, site: Site) -> str | None:
        """What keeps a real hospital's alerts from being relied on, as a sentence that says what to do."""
        steps = ladder_of(site, self.calling.settings).steps
        if not steps:
            return (
                "No alert route is set, nobody could be called: name addresses in the site's alerts, or set "
                "CALCINOSIS_PATHWAY_ALERT_WEBHOOK_URL."
            )
        with self.calling.store.transaction(site.hospital, read_only=True) as tx:
            confirmed = tx.alert_routes.confirmed()
        if confirmed.isdisjoint(route_id(address) for address in steps[0].to):
            place = f"/admin/v1/hospitals/{site.hospital}/alert-routes"
            return (
                f"No alert route of the first step ({steps[0].label}) is confirmed: see GET {place}, send a test by "
                f"POST {place}/[route]/test, and give back the code that arrives by POST {place}/[route]/confirm."
            )
        return None

    def changed(self, site: Site) -> None:
        """After a change of the ladder: other addresses are not confirmed, and open alerts climb the new one."""
        with self.calling.store.transaction(site.hospital) as tx:
            tx.alert_routes.keep_only([route_id(address) for _, address in self._addresses(site)])
            tx.alerts.look_again()

    def _addresses(self, site: Site) -> list[tuple[str, str]]:
        steps = ladder_of(site, self.calling.settings).steps
        return [(step.label, address) for step in steps for address in step.to]

    def _named(self, site: Site, route: str) -> tuple[str, str]:
        for step, address in self._addresses(site):
            if route_id(address) == route:
                return step, address
        raise NotFound(f"{site.hospital} has no alert route {route}: see GET alert-routes")

    def _state(self, site: Site, route: str) -> RouteState:
        return next(state for state in self.routes(site) if state.route == route)


def _hash(site: Site, route: str, code: str) -> str:
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(f"{site.hospital}|{route}|{typed}".encode()).hexdigest()


def _fits(kept: Confirmation, offered: str, now: datetime) -> bool:
    if kept.code_hash is None or kept.code_expires_at is None:
        return False
    return kept.wrong_codes < _TRIES and now < kept.code_expires_at and hmac.compare_digest(kept.code_hash, offered)

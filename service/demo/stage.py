"""Where a story is played: the hospital's FHIR server, our service's admin REST, and the days it happens on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx

from fhir_adapters.hospital.client import HospitalClient
from pathway.codes import KEY_SYSTEM
from pathway.errors import Conflict, HospitalError, NotFound, PathwayError
from pathway.ports import Create, Query, Resource, Update, search_all
from service.demo.records import Clinic

T = TypeVar("T")
_POLL = 0.1


class StoryFailed(PathwayError):
    """The story did not go on as it should."""


@dataclass(frozen=True)
class Days:
    """The calendar of a story; all days are the clinic's."""

    referral: date = date(2026, 3, 2)
    planned: date = date(2026, 3, 16)
    surgery: date = date(2026, 3, 18)

    def after(self, days: int) -> date:
        return self.surgery + timedelta(days=days)


@dataclass
class Stage:
    """Acts read and write the hospital through `hospital` and ask our service through `admin`."""

    hospital: HospitalClient
    admin: httpx.Client
    clinic: Clinic
    days: Days
    patience: float = 60.0
    owners: dict[str, str] = field(default_factory=dict)
    patient: str = ""
    conditions: list[str] = field(default_factory=list)
    now: datetime | None = None
    alerts: Callable[[], list[dict[str, Any]]] = list

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A wall-clock time at the clinic."""
        return datetime.combine(day, clock_time(hour, minute), ZoneInfo(self.clinic.zone))

    def clock(self, moment: datetime) -> None:
        """Set our service's clinical clock for this hospital forward; asked again, it may be past that already."""
        try:
            self.ask("POST", f"/hospitals/{self.clinic.name}/clock", {"until": moment.isoformat()})
        except StoryFailed:
            shown = self.ask("GET", f"/hospitals/{self.clinic.name}?reach=false")["clinical_time"]
            if datetime.fromisoformat(shown) < moment:
                raise
        self.now = moment

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the admin REST, repeated while the service is down. Raises StoryFailed when it says no."""

        def call() -> Any:
            try:
                answered = self.admin.request(method, path, json=body)
            except httpx.TransportError:
                return None
            if not answered.is_success:
                raise StoryFailed(f"{method} {path} was answered with {answered.status_code}: {answered.text[:500]}")
            return answered.json() if answered.content else {}

        return self.wait(call, f"the service answers {method} {path}")

    def record(self, resource: Resource) -> Resource:
        """The hospital records something new."""
        return self.hospital.transact([Create(resource)])[0].resource

    def change(self, reference: str, change: Callable[[Resource], Resource]) -> Resource:
        """Somebody at the hospital edits a resource, again if somebody else was faster."""
        for _ in range(20):
            current = self.hospital.read(*reference.split("/", 1))
            try:
                return self.hospital.transact([Update(change(current), current["meta"]["versionId"])])[0].resource
            except Conflict:
                time.sleep(_POLL)
        raise StoryFailed(f"{reference} is changed by somebody else all the time")

    def ours(self, type: str, action: str, query: Query = ()) -> list[Resource]:
        """The hospital's resources with a key of ours for this action of the pathway."""
        about = [("patient", self.patient), ("_count", "200"), *query]
        return [r for r in search_all(self.hospital, type, about) if action in _key(r).split(":")]

    def expect(self, what: str, find: Callable[[], T | None]) -> T:
        """Wait until the hospital shows it. Raises StoryFailed, naming what did not come."""

        def look() -> T | None:
            try:
                return find()
            except (HospitalError, NotFound):
                return None

        return self.wait(look, what)

    def wait(self, look: Callable[[], T | None], what: str) -> T:
        until = time.monotonic() + self.patience
        while True:
            found = look()
            if found is not None and found != []:
                return found
            if time.monotonic() > until:
                raise StoryFailed(f"After {self.patience:.0f} s this had still not happened: {what}")
            time.sleep(_POLL)

    def task(self, action: str, **wanted: str) -> Resource:
        """Wait for the one Task of an action, in the state that is wanted."""

        def find() -> Resource | None:
            fits = [t for t in self.ours("Task", action) if all(t.get(n) == v for n, v in wanted.items())]
            return fits[-1] if fits else None

        return self.expect(f"the Task {action} {wanted or ''} is at the hospital", find)


def _key(resource: Resource) -> str:
    for identifier in resource.get("identifier", []):
        if identifier.get("system") == KEY_SYSTEM:
            return str(identifier["value"])
    return ""

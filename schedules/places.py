"""How full the days of a clinic are, by the Appointments and Slots that the hospital's base holds in a transaction.

Every transaction that writes for a hospital waits for the one before: two visits cannot take one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from pathway.errors import Gone, NotFound
from pathway.keys import key_of
from pathway.ports import FhirRepository, Resource, search_all
from pathway.references import reference_to
from pathway.site import Site
from pathway.timing import calendar_date, instant
from pathway.visits import Visit, VisitAsked
from schedules.calendar import OpenDays
from schedules.choose_visit import choose_visit

_TAKE_A_PLACE = ("proposed", "pending", "booked", "arrived", "checked-in", "fulfilled")
_OFFERED = ("free",)
_HELD = ("free", "busy-tentative")


@dataclass
class ClinicPlaces:
    """Implements `Places` and, with the open days, `VisitChooser`; one for each transaction.

    `given`: the day and the Slot of each visit that was chosen in this transaction, which may not be stored yet.
    """

    site: Site
    days: OpenDays
    base: FhirRepository
    given: dict[str, Visit] = field(default_factory=dict)

    def __call__(self, asked: VisitAsked) -> Visit:
        visit = choose_visit(asked, self.days, self, self.site.zone)
        self.given[asked.key] = visit
        return visit

    @property
    def slotted(self) -> bool:
        return bool(self.site.calendar.schedules)

    def full(self, day: date, key: str) -> str | None:
        if self.slotted and self.slot(day, key) is None:
            return "no Slot is free"
        capacity = self.site.calendar.capacity
        if capacity is None:
            return None
        taken = len(self._visits_on(day) - {key})
        return f"{taken} of {capacity} visits" if taken >= capacity else None

    def slot(self, day: date, key: str) -> Resource | None:
        return next((slot for slot in self._slots_on(day) if self._is_ours_to_fill(slot, key, _OFFERED)), None)

    def still(self, slot: str, key: str) -> Resource | None:
        try:
            found = self.base.read(*slot.split("/", 1))
        except (NotFound, Gone):
            return None
        fits = _has_times(found) and self._is_ours_to_fill(found, key, _HELD)
        return self._local(found) if fits else None

    def bookable_until(self) -> date | None:
        return self._horizon

    @cached_property
    def _horizon(self) -> date | None:
        """The earliest end of all planningHorizons: until then each Schedule has its Slots."""
        ends = [schedule.get("planningHorizon", {}).get("end") for schedule in self._schedules]
        days = [calendar_date(str(end), self.site.zone) for end in ends if end]
        return min((day for day in days if day), default=None)

    @cached_property
    def _schedules(self) -> list[Resource]:
        ids = [reference.partition("/")[2] for reference in self.site.calendar.schedules]
        return list(search_all(self.base, "Schedule", [("_id", ",".join(ids))])) if ids else []

    def _visits_on(self, day: date) -> set[str]:
        """The keys of our visits that take a place on a day; the time that is booked counts, else the day proposed."""
        found = {}
        for when in ("requested-period", "date"):
            for visit in search_all(self.base, "Appointment", [(when, _around(day))]):
                if (key := key_of(visit)) is not None and visit.get("status") in _TAKE_A_PLACE:
                    found[key.value] = self._day(visit)
        found |= {key: visit.day for key, visit in self.given.items()}
        return {key for key, its_day in found.items() if its_day == day}

    def _day(self, visit: Resource) -> date | None:
        sought: Resource = next(iter(visit.get("requestedPeriod", [])), {})
        return calendar_date(str(visit.get("start") or sought.get("start", "")), self.site.zone)

    def _slots_on(self, day: date) -> Iterator[Resource]:
        """In the order of their start; the clinic's day may begin on another day in UTC."""
        if not self.slotted:
            return
        around = search_all(self.base, "Slot", [("start", _around(day))])
        found = [s for s in around if s["schedule"].get("reference") in self.site.calendar.schedules and _has_times(s)]
        of_the_day = [slot for slot in found if calendar_date(slot["start"], self.site.zone) == day]
        yield from map(self._local, sorted(of_the_day, key=lambda slot: (instant(slot["start"]), slot["id"])))

    def _is_ours_to_fill(self, slot: Resource, key: str, statuses: tuple[str, ...]) -> bool:
        if slot.get("status") not in statuses:
            return False
        reference = reference_to(slot)
        given = {k for k, visit in self.given.items() if visit.slot and reference_to(visit.slot) == reference}
        known = search_all(self.base, "Appointment", [("slot", reference)])
        filled = [visit for visit in known if visit.get("status") in _TAKE_A_PLACE]
        others = {reference_to(visit) if (k := key_of(visit)) is None else k.value for visit in filled}
        others = {k for k in others if k not in self.given} | given
        return not others - {key}

    def _local(self, slot: Resource) -> Resource:
        """With its times as the clinic's clock shows them."""
        times = {end: instant(slot[end]).astimezone(ZoneInfo(self.site.zone)).isoformat() for end in ("start", "end")}
        return {**slot, **times}


def _around(day: date) -> str:
    """As alternatives of a date search, by which an index is read for these days only: the clinic's day begins on
    another day in UTC. What else is asked is looked at here, because it would be asked of everything there is."""
    return ",".join((day + timedelta(days=n)).isoformat() for n in (-1, 0, 1))


def _has_times(slot: Resource) -> bool:
    """Both as instants; a hospital's record may lack one or hold something else."""
    try:
        return instant(str(slot.get("start"))) < instant(str(slot.get("end")))
    except ValueError:
        return False

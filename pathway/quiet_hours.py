"""When a message may reach a patient: on the patient's own clock, and not in the quiet hours of the site.

A message whose time lies in quiet hours goes when they end, if it is still of use then; else in the minute before they
begin. One that is late is held back in the same way, and is not sent at all once it is of no use any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pathway.ports import Resource
from pathway.timing import wall

TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
_MINUTE = timedelta(minutes=1)


def zone_of(patient: Resource, clinic: str) -> str:
    """The patient's IANA zone, as the record or one of its addresses says it; the clinic's where none is known."""
    return next((zone for zone in _zones(patient) if _is_known(zone)), clinic)


@dataclass(frozen=True)
class QuietHours:
    """From `begin` to before `end` of the patient's day, mostly over midnight; none when both are the same."""

    begin: time
    end: time
    zone: str

    def until(self, at: datetime) -> datetime:
        """`at` itself, or when the quiet hours that it lies in end."""
        day = self._evening(at)
        return at if day is None else wall(self._morning(day), self.end, self.zone)

    def allowed(self, at: datetime, expires: datetime | None) -> datetime:
        """The moment for a message meant for `at` that is of no use from `expires` on."""
        day, later = self._evening(at), self.until(at)
        return (
            later if day is None or expires is None or later < expires else wall(day, self.begin, self.zone) - _MINUTE
        )

    def _evening(self, at: datetime) -> date | None:
        """The day on which the quiet hours began that `at` lies in; None outside of them."""
        local = at.astimezone(ZoneInfo(self.zone))
        for day in (local.date(), local.date() - timedelta(days=1)):
            begins, ends = (wall(d, t, self.zone) for d, t in ((day, self.begin), (self._morning(day), self.end)))
            if begins <= at < ends:
                return day
        return None

    def _morning(self, day: date) -> date:
        return day if self.begin <= self.end else day + timedelta(days=1)


def _zones(patient: Resource) -> Iterator[str]:
    for part in (patient, *patient.get("address", [])):
        for extension in part.get("extension", []):
            if extension.get("url") == TIMEZONE:
                yield str(extension.get("valueCode") or extension.get("valueString"))


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True

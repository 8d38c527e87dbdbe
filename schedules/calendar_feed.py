"""Visits -> a calendar that schedulers subscribe to (iCalendar, RFC 5545, 7986). Pure: the same state, the same bytes.

Nothing of a patient stands in it. Every text is one of ours; what people write (description, comment, notes) is never
taken over. UID is the Appointment's id; SEQUENCE its generation, its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vDuration

from pathway import codes
from pathway.ports import Resource
from pathway.redating import period_of
from pathway.site import coding_of
from pathway.situation import Now
from pathway.tasks import is_movable
from pathway.timing import Window, calendar_date, instant
from pathway.version import VERSION
from pathway.visits import proposed_days
from schedules.planned_visits import KEPT

REFRESH = timedelta(hours=1)  # how often subscribers are asked to look again
_YEARS_AHEAD = 6
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CalendarFeed:
    """What a calendar is beside its visits: its `name`, the clinic's zone, and the `place` (URL) below which the admin
    REST tells authorised people of a CarePlan."""

    name: str
    zone: str
    place: str


@dataclass(frozen=True)
class Stale:
    """The service is not in step with the hospital, `since` this wire time; None: it never was."""

    since: datetime | None


@dataclass(frozen=True)
class _Standing:
    """How far a visit is: for the calendar program, in two words, and as a sentence that says what follows from it."""

    status: str
    words: str
    sentence: str


_BOOKED = _Standing("CONFIRMED", "booked", "It is booked at the hospital.")
_CONFIRMED_LATER = _Standing("TENTATIVE", "not confirmed", "The hospital has not confirmed it yet.")
_NO_DAY = _Standing("TENTATIVE", "no day yet", "No day has been named yet: a person has to find one.")
_STANDINGS: Mapping[str, _Standing] = {
    "proposed": _Standing("TENTATIVE", "proposed", "Nobody has booked it yet: until then its day may move."),
    "pending": _CONFIRMED_LATER,
    "waitlist": _Standing("TENTATIVE", "no day yet", "No day is free in this time: a person has to find one."),
    "booked": _BOOKED,
    "arrived": _BOOKED,
    "checked-in": _BOOKED,
    "fulfilled": _Standing("CONFIRMED", "took place", "It took place."),
    "cancelled": _Standing("CANCELLED", "cancelled", "It was cancelled."),
    "noshow": _Standing("CANCELLED", "nobody came", "Nobody came. The follow-up is still looked after."),
    "entered-in-error": _Standing("CANCELLED", "entered in error", "It was entered in error."),
}


@dataclass(frozen=True)
class _When:
    """Whole days (`end` excluded), or times in the clinic's zone. `known`: somebody or something has named them."""

    start: date | datetime
    end: date | datetime | None
    known: bool = True

    @property
    def last_day(self) -> date:
        end = self.end if self.end is not None else self.start
        return end.date() if isinstance(end, datetime) else end - _DAY


def calendar(feed: CalendarFeed, visits: Iterable[Resource], now: Now, stale: Stale | None = None) -> bytes:
    """Every visit that is still to be booked, or whose day is not longer than `KEPT` ago, cancelled ones too.

    A calendar that is `stale` says so in an event of today.
    """
    whole = Calendar()
    whole.add("version", "2.0")
    whole.add("prodid", f"-//{codes.BASE.split('/')[2]}//Visits {VERSION}//EN")
    whole.calendar_name = " ".join(feed.name.split())
    whole.add("refresh-interval", vDuration(REFRESH), {"VALUE": "DURATION"})
    whole.add("x-published-ttl", vDuration(REFRESH))
    today = now.clinical.astimezone(ZoneInfo(feed.zone)).date()
    days = [(_when(visit, feed.zone), visit) for visit in visits]
    shown = [(when, v) for when, v in days if is_movable(v) or when.last_day >= today - KEPT]
    whole.add_component(_timezone(feed.zone, today.year))
    if stale is not None:
        whole.add_component(_stale_event(feed, stale, now))
    for when, visit in sorted(shown, key=lambda pair: (pair[0].last_day, str(pair[1]["id"]))):
        whole.add_component(_event(feed, visit, when))
    text: bytes = whole.to_ical()
    return text


def _timezone(zone: str, year: int) -> Timezone:
    """Its changes around this year: what a program needs that does not know the zone by name."""
    first, last = date(year - 1, 1, 1), date(year + _YEARS_AHEAD, 1, 1)
    return Timezone.from_tzid(zone, first_date=first, last_date=last)


def _event(feed: CalendarFeed, appointment: Resource, when: _When) -> Event:
    standing = _standing(appointment, when)
    link = _link(feed, appointment)
    told = f"Who it is for, and why on this day, is told to authorised people at {link}" if link else ""
    event = Event()
    event.add("uid", str(appointment["id"]))
    event.add("sequence", int(appointment["meta"]["versionId"]))
    _dated(event, instant(appointment["meta"]["lastUpdated"]), when)
    event.add("summary", f"{_kind(appointment)}, {standing.words}")
    event.add("description", "\n".join(filter(None, (standing.sentence, told))))
    event.add("status", standing.status)
    event.add("transp", "OPAQUE" if standing is _BOOKED else "TRANSPARENT")
    if link:
        event.add("url", link)
    return event


def _stale_event(feed: CalendarFeed, stale: Stale, now: Now) -> Event:
    """Of today by the real clock, because that is the day people look at."""
    zone = ZoneInfo(feed.zone)
    today = now.wire.astimezone(zone).date()
    began = f"since {stale.since.astimezone(zone):%Y-%m-%d %H:%M}" if stale.since else "and never was up to date"
    event = Event()
    event.add("uid", str(uuid5(NAMESPACE_URL, f"{feed.place}#stale")))
    event.add("sequence", today.toordinal())
    _dated(event, stale.since or datetime(today.year, today.month, today.day, tzinfo=UTC), _When(today, today + _DAY))
    event.add("summary", f"This calendar is stale {began}")
    event.add("description", "The service is not in step with the hospital: visits may have moved. Ask the clinic.")
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event


def _dated(event: Event, revised: datetime, when: _When) -> None:
    event.add("dtstamp", revised)
    event.add("last-modified", revised)
    event.add("dtstart", when.start)
    if when.end is not None:
        event.add("dtend", when.end)
    event.add("class", "PRIVATE")


def _standing(appointment: Resource, when: _When) -> _Standing:
    standing = _STANDINGS.get(str(appointment.get("status")), _CONFIRMED_LATER)
    return _NO_DAY if standing.status != "CANCELLED" and not when.known else standing


def _kind(appointment: Resource) -> str:
    type = coding_of(appointment.get("appointmentType"), codes.APPOINTMENT_TYPE)
    return "Follow-up visit" if type == "FOLLOWUP" else "Visit"


def _link(feed: CalendarFeed, appointment: Resource) -> str | None:
    references = [str(r.get("reference", "")) for r in appointment.get("supportingInformation", [])]
    plans = [reference.removeprefix("CarePlan/") for reference in references if reference.startswith("CarePlan/")]
    return f"{feed.place}/{plans[0]}" if plans else None


def _when(appointment: Resource, zone: str) -> _When:
    """The booked time, else the days it is asked for, else those of its window, else when it was asked for."""
    start, end = (_moment(appointment.get(name), zone) for name in ("start", "end"))
    if start is not None:
        return _When(start, end if end is not None and end > start else None)
    asked_for = (period_of(period, zone) for period in appointment.get("requestedPeriod", []))
    noted = proposed_days(appointment)
    days = next(filter(None, asked_for), Window(*noted.window) if noted else None)
    if days is not None:
        return _whole_days(days)
    asked = str(appointment.get("created") or appointment["meta"]["lastUpdated"])
    day = calendar_date(asked, zone) or instant(appointment["meta"]["lastUpdated"]).date()
    return _When(day, day + _DAY, known=False)


def _whole_days(days: Window) -> _When:
    """The last day that there is stands for "open": nothing comes after it."""
    named = [day for day in (days.first, days.last) if day is not None]
    last = min(max(named), date.max - _DAY)
    return _When(min(*named, last), last + _DAY)


def _moment(value: object, zone: str) -> datetime | None:
    """None for what is no instant: such a visit is shown on the days it is asked for."""
    try:
        return instant(str(value)).astimezone(ZoneInfo(zone)) if value else None
    except (ValueError, OverflowError):
        return None

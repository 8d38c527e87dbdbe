"""Visits as a calendar: read back by two parsers, and never anything of a patient."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from fhir_adapters.store.memory import MemoryStore
from pathway.codes import APPOINTMENT_TYPE, KEY_SYSTEM, PROPOSED_DATES
from pathway.ports import Create, Resource, Update
from pathway.situation import Now
from schedules.calendar_feed import CalendarFeed, Stale, calendar
from schedules.planned_visits import planned_visits

WIRE = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
NOW = Now(WIRE, WIRE)
PLACE = "https://pathway.example/admin/v1/hospitals/north/patients"
BERLIN = CalendarFeed("Follow-up visits", "Europe/Berlin", PLACE)
ID = "7d9f5c1e-0000-5000-8000-000000000001"


def visit(status: str = "proposed", *, version: int = 1, window: str = "", **more: Any) -> Resource:
    """A follow-up of ours as a hospital's people may have left it: with a patient in every text."""
    tags = {"tag": [{"system": PROPOSED_DATES, "code": window}]} if window else {}
    return {
        "resourceType": "Appointment",
        "id": ID,
        "meta": {"versionId": str(version), "lastUpdated": "2026-03-18T12:00:00.000Z", **tags},
        "identifier": [{"system": KEY_SYSTEM, "value": "north:mrn-00471:plan:fu-first-visit-appointment"}],
        "status": status,
        "appointmentType": {"coding": [{"system": APPOINTMENT_TYPE, "code": "FOLLOWUP"}], "text": "Erna Weiß-Ångström"},
        "description": "Erna Weiß-Ångström\r\nBEGIN:VEVENT",
        "comment": "born 1961-05-17, calcinosis of the left hand",
        "created": "2026-03-18T13:00:00+01:00",
        "supportingInformation": [{"reference": "CarePlan/c0ffee00", "display": "Erna Weiß-Ångström"}],
        "participant": [{"actor": {"reference": "Patient/mrn-00471", "display": "Erna Weiß-Ångström"}}],
        **more,
    }


def on(first: str, last: str | None = None) -> list[Resource]:
    return [{"start": first, "end": last or first}]


def events(shown: bytes) -> list[Event]:
    return Calendar.from_ical(shown).events


def only(*visits: Resource, feed: CalendarFeed = BERLIN, now: Now = NOW) -> Event:
    [event] = events(calendar(feed, visits, now))
    return event


def test_a_proposed_visit_is_a_tentative_day() -> None:
    event = only(visit(requestedPeriod=on("2026-03-27")))
    assert (event.start, event.end) == (date(2026, 3, 27), date(2026, 3, 28))
    said = {name: str(event[name]) for name in ("UID", "STATUS", "SUMMARY", "CLASS", "TRANSP", "URL")}
    assert said == {
        "UID": ID,
        "STATUS": "TENTATIVE",
        "SUMMARY": "Follow-up visit, proposed",
        "CLASS": "PRIVATE",
        "TRANSP": "TRANSPARENT",
        "URL": f"{PLACE}/c0ffee00",
    }
    assert f"{PLACE}/c0ffee00" in event["DESCRIPTION"]
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "UTC"])
@pytest.mark.parametrize("day", ["2026-03-27", "2026-03-30", "2026-07-27", "2026-11-02", "2027-01-11"])
def test_ten_at_the_clinic_is_ten_at_the_clinic_in_winter_and_in_summer(zone: str, day: str) -> None:
    ten = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=ZoneInfo(zone))
    start, end = ten.astimezone(UTC).isoformat(), (ten + timedelta(minutes=30)).astimezone(UTC).isoformat()
    shown = calendar(CalendarFeed("Visits", zone, PLACE), [visit("booked", start=start, end=end)], NOW)
    [event] = events(shown)
    assert (event.start, event.end, event["STATUS"]) == (ten, ten + timedelta(minutes=30), "CONFIRMED")
    if zone != "UTC":
        assert f"DTSTART;TZID={zone}:{day.replace('-', '')}T100000\r\n".encode() in shown
    assert [timezone.tz_name for timezone in Calendar.from_ical(shown).timezones] == [zone]
    unknown = shown.decode().replace(zone, zone.replace("/", "-"))  # so that the VTIMEZONE has to tell
    other = vobject.readOne(unknown)
    assert other.vevent.dtstart.value.astimezone(UTC) == ten.astimezone(UTC)
    assert other.vevent.dtend.value - other.vevent.dtstart.value == timedelta(minutes=30)


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error"])
def test_what_is_cancelled_stays_for_ninety_days(status: str) -> None:
    day = date(2026, 3, 20)
    old = visit(status, version=3, requestedPeriod=on(str(day - timedelta(days=90))))
    assert (only(old)["STATUS"], only(old)["SEQUENCE"], only(old)["UID"]) == ("CANCELLED", 3, ID)
    older = visit(status, requestedPeriod=on(str(day - timedelta(days=91))))
    assert events(calendar(BERLIN, [older], NOW)) == []


def test_a_visit_that_nobody_has_booked_stays_until_somebody_does() -> None:
    assert only(visit(requestedPeriod=on("2025-06-02")))["STATUS"] == "TENTATIVE"
    took_place = visit("fulfilled", start="2025-06-02T08:00:00Z", end="2025-06-02T08:30:00Z")
    assert events(calendar(BERLIN, [took_place], NOW)) == []


def test_a_visit_without_a_free_day_spans_its_window() -> None:
    event = only(visit("waitlist", version=2, window="2026-03-25/2026-04-01/2026-03-28/"))
    assert (event.start, event.end) == (date(2026, 3, 25), date(2026, 4, 2))
    assert (event["STATUS"], event["SUMMARY"]) == ("TENTATIVE", "Follow-up visit, no day yet")
    assert "No day is free" in event["DESCRIPTION"]
    assert (event["SEQUENCE"], event["LAST-MODIFIED"].dt) == (2, datetime(2026, 3, 18, 12, 0, tzinfo=UTC))


def test_a_visit_without_any_day_stands_where_it_was_asked_for() -> None:
    event = only(visit("waitlist"))
    assert event.start == date(2026, 3, 18)
    assert "No day has been named yet" in event["DESCRIPTION"]


@pytest.mark.parametrize(
    "elements",
    [
        {"start": "tomorrow", "end": "2026-03-27T10:00:00Z"},
        {"start": "2026-03-27T10:00:00", "end": "2026-03-27T10:00:00"},
        {"start": "9999-12-31T23:59:59Z", "end": "0001-01-01T00:00:00+14:00"},
        {"requestedPeriod": [{}], "created": "2026"},
        {"requestedPeriod": on("9999-12-31"), "supportingInformation": [{"display": "none"}]},
        {"requestedPeriod": on("2026-03-30", "2026-03-27"), "appointmentType": {"text": "?"}},
        {"start": "2026-03-27T10:00:00Z", "end": "2026-03-27T09:00:00Z"},
        {"start": "2026-03-27T10:00:00Z"},
    ],
)
def test_a_record_that_cannot_be_understood_is_shown_and_hides_no_other(elements: dict[str, Any]) -> None:
    good = visit(requestedPeriod=on("2026-03-27"))
    shown = calendar(BERLIN, [visit("booked", **elements), good], NOW)
    assert len(events(shown)) == 2
    assert all(event.end >= event.start for event in events(shown))
    vobject.readOne(shown.decode())


def test_nothing_of_a_patient_stands_in_it() -> None:
    every = [visit(status, requestedPeriod=on("2026-03-27")) for status in ("proposed", "waitlist", "cancelled")]
    every.append(visit("booked", start="2026-03-27T08:00:00Z", end="2026-03-27T08:30:00Z"))
    shown = calendar(BERLIN, every, NOW, Stale(WIRE)).decode().replace("\r\n ", "")
    for secret in ("Erna", "Weiß", "ngstr", "1961", "mrn-00471", "Patient", "calcinosis of", "left hand", "fu-first"):
        assert secret not in shown


def test_a_name_cannot_bring_lines_of_its_own() -> None:
    feed = CalendarFeed("Kim; Visits, all\r\nBEGIN:VEVENT\nX-EVIL:1\u2028", "Europe/Berlin", PLACE)
    shown = calendar(feed, [visit(requestedPeriod=on("2026-03-27"))], NOW)
    lines = shown.decode().split("\r\n")
    assert "\n" not in "".join(lines)
    assert [line for line in lines if line.startswith(("BEGIN:VEVENT", "X-EVIL"))] == ["BEGIN:VEVENT"]
    assert Calendar.from_ical(shown).calendar_name == "Kim; Visits, all BEGIN:VEVENT X-EVIL:1"
    assert all(len(line.encode()) <= 75 for line in lines)


def test_the_same_state_gives_the_same_bytes() -> None:
    visits = [visit(requestedPeriod=on("2026-03-27")), visit("booked", id="b", start="2026-03-27T08:00:00Z")]
    later = Now(WIRE + timedelta(hours=3), WIRE + timedelta(hours=3))
    assert calendar(BERLIN, visits, NOW) == calendar(BERLIN, visits[::-1], later)
    stale = Stale(WIRE - timedelta(hours=1))
    assert calendar(BERLIN, visits, NOW, stale) == calendar(BERLIN, visits, later, stale)


def test_a_stale_calendar_says_since_when_on_the_day_people_look_at() -> None:
    for hours in (1, 30):
        now = Now(WIRE, WIRE + timedelta(hours=hours))
        [event] = events(calendar(BERLIN, [], now, Stale(WIRE)))
        assert event["SUMMARY"] == "This calendar is stale since 2026-03-20 10:00"
        assert event.start == now.wire.date()
    assert "never was" in events(calendar(BERLIN, [], NOW, Stale(None)))[0]["SUMMARY"]


def test_an_empty_calendar_is_one_that_programs_accept() -> None:
    shown = calendar(BERLIN, [], NOW)
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\n" in shown
    assert [c.name for c in Calendar.from_ical(shown).subcomponents] == ["VTIMEZONE"]
    assert vobject.readOne(shown.decode()).version.value == "2.0"


# Over a store: every change is one more generation


def booked(at: datetime) -> Resource:
    return {"status": "booked", "start": at.isoformat(), "end": (at + timedelta(minutes=30)).isoformat()}


moves = st.one_of(
    st.dates(date(2026, 3, 1), date(2026, 5, 30)).map(
        lambda day: {"status": "proposed", "requestedPeriod": on(str(day))}
    ),
    st.integers(0, 90 * 24).map(lambda hours: booked(WIRE + timedelta(hours=hours))),
    st.sampled_from([{"status": status} for status in ("waitlist", "cancelled", "noshow")]),
)


@given(st.lists(moves, min_size=1, max_size=12))
def test_every_change_of_a_visit_is_a_higher_generation_of_the_same_event(history: list[Resource]) -> None:
    ticks = iter(WIRE + timedelta(seconds=n) for n in range(10_000))
    store = MemoryStore(lambda: next(ticks))
    store.register("north", "demo", "https://north.example/fhir")
    repository = store.repository("north")
    start = {name: value for name, value in visit().items() if name != "meta"}
    repository.transact([Create(start | {"status": "waitlist"})])
    shown = [only(*planned_visits(repository, NOW))]
    for change in history:
        before = repository.read("Appointment", ID)
        repository.transact([Update({n: v for n, v in before.items() if n not in ("requestedPeriod",)} | change)])
        event = only(*planned_visits(repository, NOW))
        if repository.read("Appointment", ID)["meta"]["versionId"] == before["meta"]["versionId"]:
            assert event.to_ical() == shown[-1].to_ical()
        else:
            shown.append(event)
    sequences = [event["SEQUENCE"] for event in shown]
    assert sequences == sorted(set(sequences))
    assert {str(event["UID"]) for event in shown} == {ID}

"""The window-pressure forecast of a registered hospital: counts only, no patient data."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.table import Table

from schedules.calendar import OpenDays
from schedules.forecast import Forecast, Placed, Wanted, forecast
from service.bootstrap import Services
from service.pictures.bars import Kind, Panel, bars
from service.pictures.picture import BLUE, GREY, SKY, Picture
from service.standing_visits import standing_visits

WEEKS = 6


def forecast_of(services: Services, hospital: str, weeks: int = WEEKS) -> Forecast:
    """From today's clinic date on, by what is in the store now. Raises NotFound."""
    pathway = services.pathway(hospital)
    today = services.now(hospital).clinical.astimezone(ZoneInfo(pathway.site.zone)).date()
    with services.store.transaction(hospital, read_only=True) as tx:
        visits = list(standing_visits(tx, pathway))
    placed = [Placed(visit.day, visit.booked) for visit in visits if visit.day is not None]
    wanted = [Wanted(visit.first, visit.last, visit.target) for visit in visits if visit.day is None]
    return forecast(OpenDays(pathway.site.calendar), placed, wanted, today, weeks)


def as_json(found: Forecast) -> dict[str, Any]:
    """With dates as text."""

    def plain(values: dict[str, Any]) -> dict[str, Any]:
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}

    whole = asdict(found)
    return plain({**whole, **{name: [plain(one) for one in whole[name]] for name in ("days", "windows")}})


def sentence(found: Forecast) -> str:
    """What it comes to."""
    lacking = sum(window.without_place for window in found.windows)
    if found.no_place_from is None:
        return "Every visit that is to come will find a place in its window."
    return f"{lacking} visits will find no place in their window, the first from {found.no_place_from:%a %d %b %Y} on."


def shown(found: Forecast) -> Group:
    """For the terminal."""
    days = Table("day", title="Clinic days", title_justify="left")
    windows = Table("window", title="Windows of visits without a day", title_justify="left")
    for name in ("booked", "proposed", "expected", "places"):
        days.add_column(name, justify="right")
    for name in ("visits", "places left", "without place"):
        windows.add_column(name, justify="right")
    for day in found.days:
        busy = day.booked or day.proposed or day.expected
        if day.closed and not busy:
            continue
        places = "closed" if day.closed else "no limit" if day.places is None else str(day.places)
        days.add_row(f"{day.day:%a %d %b}", str(day.booked), str(day.proposed), str(day.expected), places)
    for window in found.windows:
        left = "no limit" if window.places_left is None else str(window.places_left)
        span = f"{window.first:%d %b} to {window.last:%d %b}"
        windows.add_row(span, str(window.visits), left, str(window.without_place))
    return Group(days, windows, sentence(found))


def drawn(found: Forecast, hospital: str) -> Picture:
    """A bar for each clinic day."""
    kinds = (Kind("booked", BLUE), Kind("proposed", SKY), Kind("expected of surgeries ahead", GREY))
    load = {day.day: (day.booked, day.proposed, day.expected) for day in found.days}
    limit = next((day.places for day in found.days if day.places is not None), None)
    title = f"Follow-up visits to come at {hospital}"
    return bars(title, sentence(found), kinds, [Panel("Visits per clinic day", load, limit)])

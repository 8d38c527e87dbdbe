"""A rule as a planner would change it (`target_day=12`), and what that would move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from pydantic import ValidationError

from pathway.errors import Refused
from pathway.library import Library
from pathway.parameters import effective
from pathway.site import Site

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Moved:
    """Visits of the same patients under the present rules and the changed ones.

    `moved` have another day: `earlier` or `later`, by `days` on average; `gained` have a day only with the change,
    `lost` only without it.
    """

    visits: int
    moved: int
    earlier: int
    later: int
    days: float
    gained: int
    lost: int


def changed(site: Site, library: Library, changes: Sequence[str]) -> Site:
    """The site with changes `name=value`: a parameter, `calendar.<element>`, `pathway.<parameter>`. Raises Refused."""
    found = site.model_dump(mode="json")
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise Refused(f"{change!r} is no change of a rule: write name=value, such as target_day=12")
        place, last = _place(found, name.strip())
        place[last] = _value(name.strip(), value.strip())
    try:
        new = Site.model_validate(found)
    except ValidationError as error:
        raise Refused(f"The changed rules cannot be used: {_said(error)}") from error
    effective(library, new.parameters.pathway)
    return new


def usable(site: Site, library: Library) -> None:
    """Raises Refused for a site that is not complete enough for a patient to go through it."""
    lacking = site.missing_roles(library.roles())
    if lacking or not site.referral_codes or not site.surgery_codes:
        what = [
            *lacking,
            *(["a referral code"] * (not site.referral_codes)),
            *(["a surgery code"] * (not site.surgery_codes)),
        ]
        raise Refused(f"{site.hospital} cannot be simulated: it has nobody or nothing for {', '.join(what)}")


def weekdays(text: str) -> frozenset[int]:
    """`mon,wed` as numbers, Monday = 0. Raises Refused."""
    known = {name: number for number, day in enumerate(_WEEKDAYS) for name in (day, day[:3])}
    names = [name.strip().lower() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise Refused(f"{', '.join(map(repr, unknown))} is no weekday; write mon,wed or monday,wednesday")
    return frozenset(known[name] for name in names)


def moved(before: Mapping[str, date], after: Mapping[str, date]) -> Moved:
    """What has another day, by whatever names the visits."""
    both = [(after[name] - before[name]).days for name in before if name in after]
    differing = [days for days in both if days]
    return Moved(
        visits=len(before),
        moved=len(differing),
        earlier=sum(days < 0 for days in differing),
        later=sum(days > 0 for days in differing),
        days=round(sum(differing) / len(differing), 1) if differing else 0.0,
        gained=len(after.keys() - before.keys()),
        lost=len(before.keys() - after.keys()),
    )


def _place(found: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    group, dot, inner = name.partition(".")
    parameters = found["parameters"]
    if dot and group in ("calendar", "pathway"):
        return (found["calendar"] if group == "calendar" else parameters["pathway"]), inner
    if name in parameters and name != "pathway":
        return parameters, name
    known = [*(one for one in parameters if one != "pathway"), *(f"calendar.{one}" for one in found["calendar"])]
    raise Refused(f"There is no rule {name!r}; there are {', '.join(known)} and pathway.<parameter>")


def _value(name: str, text: str) -> Any:
    if name == "calendar.weekdays":
        return sorted(weekdays(text))
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _said(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())

"""Where a simulation takes place: a registered hospital as it is, or the clinic of the demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from pathway.errors import Refused
from pathway.library import Library
from pathway.site import Site
from service.bootstrap import bootstrap
from service.demo.records import Clinic, practitioners
from service.settings import Settings


def setting(
    hospital: str | None,
    capacity: int | None,
    country: str | None,
    subdivision: str | None,
    closures: Sequence[str],
) -> tuple[Library, Site]:
    """Content and site; the given parts of the calendar take the place of the site's. Raises NotFound, Refused."""
    if hospital is not None:
        services = bootstrap(Settings())
        library, site = services.content.library(hospital), services.site(hospital)
    else:
        library, site = Library.load(), Clinic().site({role: f"Practitioner/{role}" for role in practitioners()})
    calendar: dict[str, Any] = site.calendar.model_dump()
    if country is not None:
        calendar |= {"country": country, "subdivision": None}
    calendar |= {"capacity": capacity} if capacity is not None else {}
    calendar |= {"subdivision": subdivision} if subdivision is not None else {}
    calendar["closures"] = [*calendar["closures"], *map(_closure, closures)]
    try:
        return library, Site.model_validate({**site.model_dump(), "calendar": calendar})
    except ValidationError as error:
        raise Refused("; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())) from error


def _closure(text: str) -> dict[str, str]:
    first, _, last = text.partition("/")
    return {"first": first, "last": last or first, "reason": "closed"}

"""The visits of ours that a calendar shows, read from a hospital's base: what was lately, is planned, or waits."""

from __future__ import annotations

from datetime import UTC, timedelta

from pathway.keys import key_of
from pathway.ports import FhirRepository, Query, Resource, search_all
from pathway.situation import Now

KEPT = timedelta(days=90)  # how long a visit is shown after its day
_PAGE = ("_count", "500")


def planned_visits(repository: FhirRepository, now: Now, actor: str | None = None) -> list[Resource]:
    """All of the hospital, or those in which `actor` (a reference) takes part; by id.

    A few searches by what is indexed, and no history: visits with a day since `KEPT` ago, those that nobody has booked,
    and what changed since. The day before is read too, because a clinic's day begins earlier or later than UTC's.
    """
    since = (now.clinical - KEPT - timedelta(days=1)).astimezone(UTC).date()
    changed = (now.wire - KEPT).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    searches = [
        ("date", f"ge{since}"),
        ("requested-period", f"ge{since}"),
        ("status", "proposed,waitlist"),
        ("_lastUpdated", f"ge{changed}"),
    ]
    found: dict[str, Resource] = {}
    for search in searches:
        query: Query = [*([("actor", actor)] if actor else []), search, _PAGE]
        found.update((r["id"], r) for r in search_all(repository, "Appointment", query) if key_of(r))
    return [found[id] for id in sorted(found)]

"""The visits of ours that a calendar shows, read from a hospital's base: what was lately, is planned, or waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from pathway.keys import key_of
from pathway.ports import FhirRepository, Query, Resource, search_all
from pathway.references import reference_to
from pathway.situation import Now

KEPT = timedelta(days=90)  # how long a visit is shown after its day
_PAGE = ("_count", "500")
_AT_ONCE = 100


@dataclass(frozen=True)
class PlannedVisit:
    """An Appointment of ours and our Tasks that work on it (`Task.focus`)."""

    appointment: Resource
    tasks: Sequence[Resource] = ()


def planned_visits(repository: FhirRepository, now: Now, actor: str | None = None) -> list[PlannedVisit]:
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
    appointments = [found[id] for id in sorted(found)]
    tasks = _tasks(repository, [reference_to(appointment) for appointment in appointments])
    return [PlannedVisit(each, tasks[reference_to(each)]) for each in appointments]


def _tasks(repository: FhirRepository, focuses: Sequence[str]) -> dict[str, list[Resource]]:
    by_focus: defaultdict[str, list[Resource]] = defaultdict(list)
    for first in range(0, len(focuses), _AT_ONCE):
        some = ",".join(focuses[first : first + _AT_ONCE])
        for task in search_all(repository, "Task", [("focus", some), ("_sort", "_id"), _PAGE]):
            if key_of(task):
                by_focus[task["focus"]["reference"]].append(task)
    return by_focus

"""A search in memory, answered from the same search values as in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_adapters.store.conditions import Range, in_range, meets
from fhir_adapters.store.indexing import Indexed
from fhir_adapters.store.memory_state import Name, State
from fhir_adapters.store.paging import page_start, page_token
from fhir_adapters.store.query import Filter, Search
from fhir_adapters.store.rows import Version
from fhir_adapters.store.times import to_text
from pathway.ports import Page


def run(state: State, search: Search, page: str | None) -> Page:
    """One page of the search."""
    found = {
        name: versions[-1]
        for name, versions in state.versions.items()
        if name[0] == search.type and _matches(state, name, versions[-1], search)
    }
    total = len(found) if search.total or search.count_only else None
    if search.count_only:
        return Page([], total=total)

    def position(name: Name) -> tuple[int, str]:
        return (state.order[name], "") if search.sort.by == "seq" else (0, name[1])

    names = sorted(found, key=position, reverse=search.sort.descending)
    if page is not None:
        start = page_start(search.sort, page)
        after = (start, "") if isinstance(start, int) else (0, start)
        names = [n for n in names if (position(n) < after if search.sort.descending else position(n) > after)]
    shown = names[: search.count]
    more = None
    if len(names) > len(shown):
        last = position(shown[-1])
        more = page_token(search.sort, last[0] if search.sort.by == "seq" else last[1])
    return Page([found[name].resource() for name in shown], more, total)


def _matches(state: State, name: Name, version: Version, search: Search) -> bool:
    return (
        not version.deleted
        and all(name[1] in ids for ids in search.ids)
        and all(any(_updated(version, wanted) for wanted in alternatives) for alternatives in search.updated)
        and all(_passes(state.found[name], filter) for filter in search.filters)
    )


def _updated(version: Version, wanted: Range) -> bool:
    """A last update is a point in time: it ends just after it starts."""
    at = to_text(version.last_updated)
    return in_range(at, at + "0", wanted)


def _passes(values: Sequence[Indexed], filter: Filter) -> bool:
    own = [value for value in values if value.param == filter.param]
    if filter.missing is not None:
        return filter.missing is not bool(own)
    return filter.negated is not any(
        meets(value, wanted) for value in own if value.kind == filter.kind for wanted in filter.alternatives
    )

"""A search in SQL: each filter is a set of ids from the search values, in the terms of `conditions.py`.

The statement of the commonest search is built once: building it costs more than running it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    String,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    type_coerce,
)

from fhir_adapters.store import columns as c
from fhir_adapters.store.conditions import Condition, Range, Reference, Text, Token, Uri
from fhir_adapters.store.content import decode
from fhir_adapters.store.indexing import LOGICAL
from fhir_adapters.store.paging import page_start, page_token
from fhir_adapters.store.query import Filter, Search
from pathway.ports import Page, Resource

_FOUND = c.search_value.c
# The plus keeps SQLite from walking all resources in this order when a few are found by id.
_FEW_BY_SEQ = literal_column("+resource.seq", Integer)
# Concatenated, so that SQLite looks at the values of one resource; by a partial index it walks those of all.
_ANY_KIND = _FOUND.kind.concat("")
# The same words as in the partial indexes, or they are not used.
_DATE: ColumnElement[bool] = literal_column("(search_value.kind = 'date')")
_NO_DATE: ColumnElement[bool] = literal_column("(search_value.kind <> 'date')")
_REFERRING_IDS = select(_FOUND.id).where(
    _FOUND.hospital == bindparam("its_hospital"),
    _FOUND.type == bindparam("its_type"),
    _FOUND.param == bindparam("its_param"),
    _FOUND.kind == "reference",
    _FOUND.value == bindparam("its_value"),
    _NO_DATE,
)
_REFERRING = (
    select(c.resource.c.content, _FEW_BY_SEQ)
    .where(
        c.resource.c.hospital == bindparam("its_hospital"),
        c.resource.c.type == bindparam("its_type"),
        not_(c.resource.c.deleted),
        c.resource.c.id.in_(_REFERRING_IDS),
    )
    .order_by(_FEW_BY_SEQ)
    .limit(bindparam("its_limit"))
)

_OF_TYPES = (
    select(c.resource.c.type, c.resource.c.content, _FEW_BY_SEQ)
    .join(
        c.search_value,
        and_(
            _FOUND.hospital == c.resource.c.hospital,
            _FOUND.type == c.resource.c.type,
            _FOUND.id == c.resource.c.id,
        ),
    )
    .where(
        _FOUND.hospital == bindparam("its_hospital"),
        _FOUND.type.in_(bindparam("its_types", expanding=True)),
        _FOUND.param == bindparam("its_param"),
        _FOUND.kind == "reference",
        _FOUND.value == bindparam("its_value"),
        _NO_DATE,
        not_(c.resource.c.deleted),
    )
    .order_by(_FEW_BY_SEQ)
    .distinct()
)


def referring(
    connection: Connection, hospital: str, types: Sequence[str], param: str, reference: str
) -> list[Resource]:
    """Everything of these types that refers to one resource by a search parameter: by type, then as it was written."""
    its = {"its_hospital": hospital, "its_types": list(types), "its_param": param, "its_value": reference}
    rows = connection.execute(_OF_TYPES, its).all()
    return [decode(content) for type in types for its_type, content, _ in rows if its_type == type]


def run(connection: Connection, hospital: str, search: Search, page: str | None) -> Page:
    """One page of the search."""
    only = _only_reference(search)
    if only is not None and page is None:
        its = {"hospital": hospital, "type": search.type, "param": only[0], "value": only[1], "limit": search.count + 1}
        rows = connection.execute(_REFERRING, {f"its_{name}": value for name, value in its.items()}).all()
        return _page(search, rows)
    table = c.resource.c
    where = _where(hospital, search)
    total = None
    if search.total or search.count_only:
        total = connection.scalar(select(func.count()).select_from(c.resource).where(where)) or 0
    if search.count_only:
        return Page([], total=total)
    order = _order(search)
    if page is not None:
        start = page_start(search.sort, page)
        where = and_(where, order < start if search.sort.descending else order > start)
    query = select(table.content, order).where(where)
    query = query.order_by(order.desc() if search.sort.descending else order).limit(search.count + 1)
    return _page(search, connection.execute(query).all(), total)


def _page(search: Search, rows: Sequence[Row[Any, Any]], total: int | None = None) -> Page:
    shown = rows[: search.count]
    more = page_token(search.sort, shown[-1][1]) if len(rows) > len(shown) else None
    return Page([decode(row[0]) for row in shown], more, total)


def _where(hospital: str, search: Search) -> ColumnElement[bool]:
    table = c.resource.c
    parts = [table.hospital == hospital, table.type == search.type, not_(table.deleted)]
    parts += [table.id.in_(sorted(ids)) for ids in search.ids]
    parts += [or_(*(_updated(wanted) for wanted in alternatives)) for alternatives in search.updated]
    few = _finds_few(search)
    parts += [_filtered(hospital, search.type, one, probe=few and not _is_selective(one)) for one in search.filters]
    return and_(*parts)


def _order(search: Search) -> ColumnElement[Any]:
    if search.sort.by == "id":
        return c.resource.c.id
    return _FEW_BY_SEQ if _finds_few(search) else c.resource.c.seq


def _only_reference(search: Search) -> tuple[str, str] | None:
    """The parameter and the reference, where a search asks for nothing but what refers to one resource."""
    plain = Search(search.type, search.filters, count=search.count)
    match search.filters:
        case (Filter(param, "reference", (Reference(value, bare=False),), negated=False, missing=None),):
            return (param, value) if search == plain else None
    return None


def _finds_few(search: Search) -> bool:
    return bool(search.ids) or any(_is_selective(filter) for filter in search.filters)


def _is_selective(filter: Filter) -> bool:
    asks = filter.missing is None and not filter.negated
    return asks and (filter.param == "identifier" or filter.kind in ("reference", LOGICAL))


def _filtered(hospital: str, type: str, filter: Filter, *, probe: bool) -> ColumnElement[bool]:
    """A condition on a resource's id: in the set of all matches, or, as a `probe`, by a look at its own values."""
    where = [_FOUND.hospital == hospital, _FOUND.type == type, _FOUND.param == filter.param]
    if filter.missing is None:
        kind = _ANY_KIND if probe else _FOUND.kind
        where += [kind == filter.kind, or_(false(), *(_condition(one) for one in filter.alternatives))]
        if not probe:
            where.append(_DATE if filter.kind == "date" else _NO_DATE)
    within: ColumnElement[bool]
    if probe:
        within = exists(select(1).where(_FOUND.id == c.resource.c.id, *where).correlate(c.resource))
    else:
        within = c.resource.c.id.in_(select(_FOUND.id).where(*where))
    return not_(within) if filter.negated or filter.missing else within


def _condition(condition: Condition) -> ColumnElement[bool]:
    match condition:
        case Token(system, code):
            wanted = [(_FOUND.system, system), (_FOUND.value, code)]
            return and_(*(column == value for column, value in wanted if value is not None))
        case Reference(value, bare):
            return (_FOUND.system if bare else _FOUND.value) == value
        case Range():
            return _in_range(condition)
        case Text(value, "starts"):
            return _FOUND.value.startswith(value, autoescape=True)
        case Text(value, "contains"):
            return _FOUND.value.contains(value, autoescape=True)
        case Text(value) | Uri(value):
            return _FOUND.value == value


def _updated(wanted: Range) -> ColumnElement[bool]:
    at = type_coerce(c.resource.c.last_updated, String)
    moments = {"gt": at >= wanted.high, "sa": at >= wanted.high, "ge": at >= wanted.low}
    moments |= {"lt": at < wanted.low, "eb": at < wanted.low, "le": at < wanted.high}
    within = and_(at >= wanted.low, at < wanted.high)
    return moments.get(wanted.prefix, not_(within) if wanted.prefix == "ne" else within)


def _in_range(wanted: Range) -> ColumnElement[bool]:
    starts, ends = _FOUND.low, _FOUND.high
    within = and_(starts >= wanted.low, ends <= wanted.high)
    return {
        "eq": and_(starts < wanted.high, within),  # says nothing new, and keeps the index from being read to its end
        "ne": not_(within),
        "gt": ends > wanted.high,
        "lt": starts < wanted.low,
        "ge": ends > wanted.low,
        "le": starts < wanted.high,
        "sa": starts >= wanted.high,
        "eb": ends <= wanted.low,
        "ap": and_(starts < wanted.high, ends > wanted.low),
    }[wanted.prefix]

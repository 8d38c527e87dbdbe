"""Everything the view of one CarePlan is built from, read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fhir_adapters.store.links import Link
from fhir_adapters.store.outbox import OutboxEntry
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.apply import Explanation, apply
from pathway.codes import KEY_SYSTEM
from pathway.context import Context
from pathway.due_work import DueWork
from pathway.errors import PathwayError
from pathway.intake import Pathway
from pathway.keys import key_of
from pathway.occurrences import surgeries
from pathway.ports import Resource, search_all
from pathway.references import reference_to
from pathway.situation import Now, Situation, gather
from pathway.surgery import Surgery


@dataclass(frozen=True)
class Reading:
    """A CarePlan's situation and operations; `problem` says why the pathway could not be worked out for it."""

    situation: Situation
    now: Now
    surgeries: Sequence[Surgery] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Post:
    """How far the hospital is with a resource of ours: neither means it is kept here."""

    entry: OutboxEntry | None
    link: Link | None


@dataclass(frozen=True)
class FullReading(Reading):
    """Also why things are as they are. `actions`: the plan's, by id. `posts` by reference, for our resources only."""

    explanations: Sequence[Explanation] = ()
    actions: Mapping[str, Resource] = field(default_factory=dict)
    provenance: Sequence[Resource] = ()
    due: Sequence[DueWork] = ()
    posts: Mapping[str, Post] = field(default_factory=dict)


def read(tx: SqlTransaction, pathway: Pathway, care_plan: Resource, now: Now) -> Reading:
    """For a list: what can be had without applying the plan."""
    situation = gather(tx, pathway.site, care_plan)
    try:
        return Reading(situation, now, surgeries(Context.of(pathway.library, situation, now)))
    except PathwayError as error:
        return Reading(situation, now, problem=str(error))


def read_fully(tx: SqlTransaction, pathway: Pathway, care_plan: Resource, now: Now) -> FullReading:
    """For a timeline. Applies the plan without writing anything."""
    found = read(tx, pathway, care_plan, now)
    explanations, actions, problem = _explained(tx, pathway, found)
    reference = reference_to(care_plan)
    ours = [reference, *(reference_to(r) for r in found.situation.data if key_of(r))]
    provenance = _provenance(tx, ours)
    sendable = [*ours, *(reference_to(p) for p in provenance)]
    return FullReading(
        found.situation,
        now,
        found.surgeries,
        problem,
        explanations,
        actions,
        provenance,
        tx.due.of_plan(reference),
        {each: _post(tx, each) for each in sendable},
    )


def _explained(
    tx: SqlTransaction, pathway: Pathway, found: Reading
) -> tuple[Sequence[Explanation], Mapping[str, Resource], str | None]:
    if found.problem:
        return (), {}, found.problem
    context = Context.of(pathway.library, found.situation, found.now)
    try:
        return apply(context, pathway.choosing(tx)).explanations, context.actions, None
    except PathwayError as error:
        return (), {}, str(error)


def _provenance(tx: SqlTransaction, targets: Sequence[str]) -> list[Resource]:
    """Our own only: others may name people."""
    found = {p["id"]: p for target in targets for p in search_all(tx, "Provenance", [("target", target)])}
    return [p for p in found.values() if _is_ours(p)]


def _is_ours(provenance: Resource) -> bool:
    what = [entity.get("what", {}) for entity in provenance.get("entity", [])]
    return any(w.get("identifier", {}).get("system") == KEY_SYSTEM for w in what)


def _post(tx: SqlTransaction, reference: str) -> Post:
    type, _, id = reference.partition("/")
    return Post(tx.outbox.entry(type, id), tx.links.of(type, id))

"""A difference, written inside one transaction: resources, what may be sent, alerts, due rows, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pathway.due_work import OPEN, DueWork
from pathway.errors import NotFound
from pathway.explain import explained
from pathway.ports import Create, Kept, Resource, Transaction, Written
from pathway.progress import Changes
from pathway.provenance import provenance
from pathway.references import reference_to
from pathway.site import Site
from pathway.situation import Now

UNDECIDED = "plan-undecided"  # the reason in quarantine of what of a plan cannot be worked out


@dataclass(frozen=True)
class Effect:
    """What a difference came to when it was written: what was really new, as opposed to changed.

    `created` and `released` are references (`released`: there already, and sent for the first time); `opened` are keys
    of due work that is open and was not.
    """

    changes: Changes = field(default_factory=Changes)
    created: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()


def write(
    tx: Transaction,
    site: Site,
    changes: Changes,
    care_plan: str,
    now: Now,
    cause: str,
    author: Resource | None = None,
) -> Effect:
    """Write the difference of a CarePlan. `cause` is what set it off, `author` who did.

    Why each action is in the plan or not is kept with it, also when nothing else changed.
    """
    written = _changed(tx, changes)
    for reference in [w.reference for w in written]:
        if reference in changes.release or tx.sent(reference):
            tx.send(reference)
    released = [r for r in changes.release if not tx.sent(r)]
    for reference in released:
        tx.send(reference)
    for alert in changes.alerts:
        tx.alert(alert)
    opened = _plan_due(tx, changes, care_plan, now)
    _report(tx, changes, care_plan)
    _record(tx, changes)
    if written:
        versions = [f"{w.reference}/{w.resource['meta']['versionId']}" for w in written]
        record = provenance(site, changes.reasons, versions, cause, now, author)
        tx.transact([Create(record)])
        if any(tx.sent(reference) for reference, _ in changes.reasons):
            tx.send(reference_to(record))
    plan = tx.read(*care_plan.split("/", 1))
    body = explained(plan, changes.explanations, changes.actions, changes.issues, [w.resource for w in written])
    who = (author or {}).get("reference", "")
    tx.explanations.keep(care_plan, Kept(int(plan["meta"]["versionId"]), now.wire, now.clinical, cause, body, who))
    created = tuple(w.reference for w in written if w.created)
    return Effect(changes, created, tuple(released), opened)


def close(tx: Transaction, care_plan: str) -> None:
    """A clinician closed the plan: nothing more falls due."""
    for work in tx.due.of_plan(care_plan):
        if work.state == "scheduled":
            tx.due.cancel(work.key, "the plan was closed")


def _changed(tx: Transaction, changes: Changes) -> Sequence[Written]:
    """What was really written: something of the same key may have been there although nothing is decided on it."""
    written = tx.transact(changes.resources)
    return [
        w for change, w in zip(changes.resources, written, strict=True) if w.created or not isinstance(change, Create)
    ]


def _plan_due(tx: Transaction, changes: Changes, care_plan: str, now: Now) -> tuple[str, ...]:
    before = _open(tx, care_plan)
    wanted = {work.key for work in changes.due}
    for work in changes.due:
        tx.due.plan(work)
    for work in tx.due.of_plan(care_plan):
        ahead = work.state == "scheduled" and work.due_at > now.clinical
        if ahead and work.key not in wanted and _place(work) not in changes.undecided:
            tx.due.cancel(work.key, "no longer asked for")
    return tuple(sorted(_open(tx, care_plan) - before))


def _place(work: DueWork) -> tuple[str, str]:
    """Its action, and the occurrence as its key has it."""
    return work.action, work.key.partition(f":{work.action}:")[2].partition(":")[0]


def _open(tx: Transaction, care_plan: str) -> set[str]:
    return {work.key for work in tx.due.of_plan(care_plan) if work.state in OPEN}


def _record(tx: Transaction, changes: Changes) -> None:
    for record in changes.records:
        try:
            tx.read("Provenance", record["id"])
        except NotFound:
            tx.transact([Create(record)])
            tx.send(reference_to(record))


def _report(tx: Transaction, changes: Changes, care_plan: str) -> None:
    """What cannot be worked out stands where people look for what went wrong, place by place and while it lasts."""
    problems: dict[str, str] = {}
    for issue in changes.issues:
        known = problems.get(issue.expression)
        if known is None or issue.diagnostics not in known:
            problems[issue.expression] = f"{known}; {issue.diagnostics}" if known else issue.diagnostics
    tx.report(care_plan, UNDECIDED, problems)

"""The sweep: every running plan is applied again and every recorded surgery looked for, so that what was lost comes
back and what is missing is known.

A round goes a step at a time, each in transactions of its own: one plan that fails stops no other, and nobody who
writes waits longer than for one plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from pathway.codes import KEY_SYSTEM, RUNNING
from pathway.context import Context
from pathway.due_work import OPEN
from pathway.errors import UNFORESEEN, NotFound, PathwayError
from pathway.follow_up import FollowUp, follow_ups
from pathway.intake import Pathway
from pathway.keys import id_of, key_of
from pathway.ports import Quarantined, Query, Resource, Store, Transaction, search_all
from pathway.references import patient_of, reference_to, rewritten
from pathway.review import review_key
from pathway.situation import Now, gather
from pathway.surgery import UNPLANNED
from pathway.writing import Effect

PAGE = 50
_CAUSE = "sweep"
_FAILED = "sweep-failed"
_log = structlog.get_logger(__name__)
Pathways = Callable[[], Pathway]
Clocks = Callable[[], Now]


@dataclass
class Report:
    """What a round over one hospital found; `began` and `ended` are on the wire clock, `ended` null until it has.

    `plans` that run and were looked at. `surgeries` of these that took place, and of them: `planned` (the follow-up
    is asked for or took place), `inside` (of the planned, on a day in the plan's window), `with_people` (ended, left
    out or in question at the hospital), `missing`. `unplanned`: recorded surgeries of patients without a plan;
    `unreviewed`: of these, those that nobody is asked about. `mended`: plans and records of which something was
    missing and was written; `failed`: those that could not be looked at.
    """

    hospital: str
    began: datetime
    ended: datetime | None = None
    plans: int = 0
    surgeries: int = 0
    planned: int = 0
    inside: int = 0
    with_people: int = 0
    missing: int = 0
    mended: int = 0
    failed: int = 0
    unplanned: int = 0
    unreviewed: int = 0

    @property
    def good(self) -> bool:
        """Whether every surgery we can see has its follow-up, or people who know."""
        return not (self.missing or self.failed or self.unreviewed)

    def sentence(self) -> str:
        """For people, without patient data."""
        return (
            f"{self.hospital}: {self.missing} missing. {self.plans} plans, {self.surgeries} surgeries: {self.planned} "
            f"with a follow-up, {self.inside} of them inside the window; {self.with_people} with people. "
            f"{self.unplanned} surgeries of patients without a plan, {self.unreviewed} of them unknown to anybody. "
            f"{self.mended} mended, {self.failed} failed."
        )


def run(store: Store, pathways: Pathways, clocks: Clocks) -> Report:
    """A whole round."""
    *_, report = steps(store, pathways, clocks)
    return report


def steps(store: Store, pathways: Pathways, clocks: Clocks) -> Iterator[Report]:
    """A round, which may be left after each step; the report as far as it is, `ended` in the last one."""
    hospital = pathways().site.hospital
    report = Report(hospital, clocks().wire)
    running = [("identifier", f"{KEY_SYSTEM}|"), ("status", ",".join(RUNNING))]
    for care_plan in _all(store, hospital, "CarePlan", running):
        _look(store, pathways(), care_plan, clocks(), report)
        yield report
    codes = ",".join(f"{_escaped(code.system)}|{_escaped(code.code)}" for code in pathways().site.surgery_codes)
    for procedure in _all(store, hospital, "Procedure", [("code", codes), ("status", "completed")]) if codes else ():
        _look_for_review(store, pathways(), procedure, clocks(), report)
        yield report
    report.ended = clocks().wire
    if not report.good:
        _log.error("sweep.missing", hospital=hospital, count=report.missing + report.failed + report.unreviewed)
    yield report


def _all(store: Store, hospital: str, type: str, query: Query) -> Iterator[Resource]:
    """Every match in the order of ids, no transaction being open between two of them."""
    query, page = [*query, ("_sort", "_id"), ("_count", str(PAGE))], None
    while True:
        with store.transaction(hospital, read_only=True) as tx:
            found = tx.search(type, query, page=page)
        yield from found.resources
        if found.next is None:
            return
        page = found.next


def _escaped(text: str) -> str:
    """As part of a FHIR search value (https://hl7.org/fhir/R4/search.html#escaping)."""
    return "".join(f"\\{character}" if character in "\\,|$" else character for character in text)


@contextmanager
def _put_aside_when_it_fails(store: Store, resource: Resource, report: Report) -> Iterator[None]:
    """Poison never blocks: it stands where people see it until it goes well, and the round goes on."""
    text = ""
    try:
        yield
    except PathwayError as error:
        text = str(error)
    except UNFORESEEN as error:
        text = f"{type(error).__name__}: a record could not be understood"
    report.failed += bool(text)
    with store.transaction(report.hospital) as tx:
        tx.report(reference_to(resource), _FAILED, {"": text} if text else {})


def _look(store: Store, pathway: Pathway, care_plan: Resource, now: Now, report: Report) -> None:
    report.plans += 1
    with _put_aside_when_it_fails(store, care_plan, report):
        with store.transaction(report.hospital) as tx:
            report.mended += _mend(tx, pathway, reference_to(care_plan), now)
        with store.transaction(report.hospital, read_only=True) as tx:
            found = _follow_ups(tx, pathway, care_plan["id"], now)
        report.surgeries += len(found)
        report.inside += sum(each.inside for each in found)
        standings = Counter(each.standing for each in found)
        report.planned += standings["planned"]
        report.with_people += standings["with-people"]
        report.missing += standings["missing"]
        text = "A surgery of this plan took place, there is no follow-up visit, and nobody is asked about it."
        missing = {each.occurrence: text for each in found if each.standing == "missing"}
        with store.transaction(report.hospital) as tx:
            tx.report(reference_to(care_plan), "sweep-missing", missing)


def _follow_ups(tx: Transaction, pathway: Pathway, id: str, now: Now) -> Sequence[FollowUp]:
    """What there is once it is written, read anew."""
    situation = gather(tx, pathway.site, tx.read("CarePlan", id))
    return follow_ups(Context.of(pathway.library, situation, now))


def _mend(tx: Transaction, pathway: Pathway, care_plan: str, now: Now) -> bool:
    """Apply a plan again; whether something of it had been missing. What falls due just now is not."""
    falling_due = any(w.state in OPEN and w.due_at <= now.clinical for w in tx.due.of_plan(care_plan))
    effect = pathway.advance(tx, care_plan, now, _CAUSE)
    lost = _lost(effect)
    if falling_due or not lost:
        return False
    _tell(tx, care_plan, lost, now)
    return True


def _lost(effect: Effect) -> str:
    """What was written anew, by type and number."""
    kinds = Counter(reference.split("/")[0] for reference in effect.created)
    kinds += Counter({"in the due table": len(effect.opened), "on its way out": len(effect.released)})
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items())


def _tell(tx: Transaction, reference: str, lost: str, now: Now) -> None:
    """Once a day for each plan: somebody has to find out how it was lost."""
    text = f"This was missing and has been written again: {lost}. Either it was lost, or what it rests on has changed."
    tx.quarantine(Quarantined("sweep-mended", text, reference, now.wire.date().isoformat()))
    _log.warning("sweep.mended", hospital=tx.hospital, kind=lost)


def _look_for_review(store: Store, pathway: Pathway, procedure: Resource, now: Now, report: Report) -> None:
    """A surgery of a patient who is on no pathway has a Task for a person to look at it."""
    review = id_of("Task", review_key(pathway.site, procedure, UNPLANNED))
    with _put_aside_when_it_fails(store, procedure, report):
        with store.transaction(report.hospital, read_only=True) as tx:
            if _has_plan(tx, procedure):
                return
            reviewed = _exists(tx, "Task", review)
        report.unplanned += 1
        if reviewed:
            return
        with store.transaction(report.hospital) as tx:
            pathway.react(tx, procedure, now)
            if _exists(tx, "Task", review):
                report.mended += 1
                _tell(tx, reference_to(procedure), "1 Task", now)
            else:
                report.unreviewed += 1


def _has_plan(tx: Transaction, procedure: Resource) -> bool:
    subject = patient_of(rewritten(procedure, tx.ours))
    plans = search_all(tx, "CarePlan", [("patient", subject)]) if subject else ()
    return any(key_of(plan) is not None for plan in plans)


def _exists(tx: Transaction, type: str, id: str) -> bool:
    try:
        tx.read(type, id)
    except NotFound:
        return False
    return True

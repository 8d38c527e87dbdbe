"""PlanDefinition/$apply, patients a second: ours computed, and computed and stored; HAPI's; and the store alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select

from benchmarks.clinic import Clinic, new_clinic
from benchmarks.course import Course
from benchmarks.hapi_apply import prepare
from benchmarks.load import load
from benchmarks.measure import Comparison, Sample, interleaved, run_of, timed
from benchmarks.servers import Server
from fhir_adapters.store import columns as c
from fhir_adapters.store.content import decode
from pathway.apply import apply
from pathway.context import Context
from pathway.library import Library
from pathway.ports import Change, Resource, Update
from pathway.situation import Situation, care_plans_of, gather

CONNECTIONS = 2


def compare(hapi: Server | None, rounds: int, seconds: float, warm_up: float, patients: int) -> Iterator[Comparison]:
    """`patients` are enrolled a round; everything else is repeated for about `seconds`."""
    library = Library.load()
    with new_clinic(library) as clinic:
        situation = decided(clinic)
        yield _computed(clinic, situation, hapi, rounds, seconds, warm_up)
    yield _stored(library, rounds, patients)


def decided(clinic: Clinic) -> Situation:
    """A patient whose decision for surgery has just been stored, and not been reacted to."""
    course = Course(clinic, 0)
    _enrol(course, react=False)
    with clinic.store.transaction(clinic.name) as tx:
        [care_plan] = care_plans_of(tx, course.patient)
        return gather(tx, clinic.site, care_plan)


def _enrol(course: Course, *, react: bool = True) -> None:
    course.clinic.put(*course.known(), course.referral(), course.indications())
    course.clinic.put(course.decision(), react=react)


def _computed(
    clinic: Clinic, situation: Situation, hapi: Server | None, rounds: int, seconds: float, warm_up: float
) -> Comparison:
    now = clinic.now()
    applied = apply(Context(clinic.library, situation, now), clinic.choosing(clinic.store.repository(clinic.name)))
    included = {proposal.action for proposal in applied.proposals}

    def many(times: int) -> int:
        for _ in range(times):
            apply(Context(clinic.library, situation, now), clinic.choosing(clinic.store.repository(clinic.name)))
        return times

    times = max(1, round(timed(partial(many, 5)).rate * seconds))
    runs = [run_of(partial(many, times))]
    what = f"$apply after the decision, computed: {len(applied.proposals)} requests"
    if hapi is None:
        [alone] = interleaved(rounds, *runs)
        return Comparison(what, "", alone)
    theirs = prepare(hapi, clinic.library, Context(clinic.library, situation, now).plan, included)
    load(hapi, theirs.ask, CONNECTIONS, warm_up)
    runs.append(partial(load, hapi, theirs.ask, CONNECTIONS, seconds))
    ours, other = interleaved(rounds, *runs)
    note = f"{theirs.note}; {theirs.requests} requests, over HTTP, {CONNECTIONS} connections; ours in process"
    return Comparison(what, "HAPI", ours, other, note)


def _stored(library: Library, rounds: int, patients: int) -> Comparison:
    rehearsal = _Enrolment(library, 2)
    interleaved(1, rehearsal.applied, rehearsal.only_stored)
    enrolment = _Enrolment(library, patients)
    ours, floor = interleaved(rounds, enrolment.applied, enrolment.only_stored)
    a_patient = sum(len(changes) for changes in enrolment.written) / patients
    note = f"{a_patient:.0f} versions of resources a patient in {len(enrolment.written) // patients} transactions"
    what = "Enrol up to the decision: $apply computed and stored"
    return Comparison(what, "floor: the same versions stored only", ours, floor, note)


@dataclass
class _Enrolment:
    """Enrols patients on an empty database, then writes what came out of it to another one as it is."""

    library: Library
    patients: int
    written: list[list[Change]] = field(default_factory=list)

    def applied(self) -> Sample:
        with new_clinic(self.library) as clinic:

            def work() -> int:
                for number in range(self.patients):
                    _enrol(Course(clinic, number))
                return self.patients

            sample = timed(work)
            self.written = list(transactions(clinic))
            return sample

    def only_stored(self) -> Sample:
        with new_clinic(self.library) as clinic:

            def work() -> int:
                for changes in self.written:
                    with clinic.store.transaction(clinic.name) as tx:
                        tx.transact(changes)
                return self.patients

            return timed(work)


def transactions(clinic: Clinic, after: int = 0) -> Iterator[list[Change]]:
    """The versions `after` a number in the order of writing; each resource of the hospital's own begins another."""
    version = c.resource_version.c
    with clinic.store.engine.connect() as connection:
        query = select(version.content, version.source).where(version.seq > after)
        rows = connection.execute(query.order_by(version.seq)).all()
    changes: list[Change] = []
    for content, source in rows:
        if source == clinic.name and changes:
            yield changes
            changes = []
        changes.append(Update(_without_meta(decode(content))))
    if changes:
        yield changes


def _without_meta(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name != "meta"}

"""What must hold in every world when it has come to rest, looked at from the outside: a sentence for all that does not.

Each function gives the sentences for what is violated; none where it holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from fhir_adapters.store.outbox import OUTBOX
from fhir_adapters.store.rows import Version
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway import codes
from pathway.due_work import OPEN
from pathway.keys import key_of
from pathway.ports import Key, Resource
from pathway.references import patient_of, reference_to, references_in, rewritten
from pathway.site import coding_of
from pathway.tags import tag_of
from pathway.timing import calendar_date
from service.demo import records
from tests.faults.hospital import PEOPLE
from tests.faults.people import ZONE
from tests.faults.worker import DUTIES, HERE

if TYPE_CHECKING:
    from tests.faults.world import World

_OURS = ("CarePlan", "ServiceRequest", "Task", "Appointment", "CommunicationRequest", "Flag", "Goal", "RiskAssessment")
_THEIRS = ("Patient", "Condition", "ServiceRequest", "Appointment", "Procedure", "QuestionnaireResponse", "Encounter")
_HELD = {
    "Task": ("accepted", "in-progress", "completed"),
    "Appointment": ("booked", "arrived", "fulfilled", "noshow", "cancelled"),
    "ServiceRequest": ("active", "completed"),
}
_OPEN_VISIT = ("proposed", "waitlist", "pending", "booked", "arrived", "checked-in")
_LISTS = ("activity", "goal", "supportingInfo", "extension", "target")
_UNEXPECTED = (
    "due-failed",
    "exception",
    "key-unknown",
    "not-stored",
    "plan-undecided",
    "sweep-failed",
    "sweep-missing",
)
_TABLES = ("due", "outbox", "quarantine", "link", "alert", "explanation")


def all_of(world: World) -> list[str]:
    """Every violation there is; also has everything run once more."""
    looked = [
        *_nothing_unexpected(world),
        *_one_of_each(world),
        *_follow_ups(world),
        *_held_by_people(world),
        *_one_effect(world),
        *_nothing_left_due(world),
        *_all_sent(world),
        *_swept(world),
        *_agree(world),
        *_quiet(world),
    ]
    return list(dict.fromkeys(looked))


def everything(world: World) -> tuple[Any, ...]:
    """All that a duty can change, here and at the hospital, to compare."""
    there = [(v[-1].reference, v[-1].version) for v in world.hospital.histories()]
    with world.operator.engine.connect() as connection:
        here = [tuple(r) for r in connection.execute(text("SELECT type, id, version FROM resource ORDER BY 1, 2"))]
        rows = {t: sorted(map(_row, connection.execute(text(f"SELECT * FROM {t}")).mappings())) for t in _TABLES}
    return there, here, rows


def _row(row: Any) -> str:
    """Without what only says when something was tried."""
    return str({name: value for name, value in row.items() if name not in ("next_at", "queued_at", "attempt", "token")})


def of_refusals(world: World) -> Iterator[str]:
    """What the hospital refused stands in quarantine with its reason; a person has it tried again, as all works now."""
    with world.operator.transaction(HERE, read_only=True) as tx:
        kept = {entry.reference for entry in tx.quarantined.entries() if entry.reason == OUTBOX and entry.explanation}
        aside = tx.outbox.entries("quarantined")
    for entry in aside:
        if entry.reference not in kept:
            yield f"{entry.reference} was put aside on its way out and nobody is told why"
    for refused in world.operator.quarantine_entries(HERE):
        if refused.reason == OUTBOX:
            world.operator.retry_quarantine(HERE, refused.id, PEOPLE)


def _nothing_unexpected(world: World) -> Iterator[str]:
    for worker in world.workers:
        yield from (f"a failure that nobody injected: {surprise}" for surprise in worker.surprises)
    for entry in world.operator.quarantine_entries(HERE, open_only=False):
        if entry.reason in _UNEXPECTED:
            yield f"quarantined as {entry.reason}: {entry.reference}, {entry.explanation}"


def _one_of_each(world: World) -> Iterator[str]:
    for type in _OURS:
        counted = Counter(_value(resource) for resource in world.hospital.ours(type))
        yield from (f"{number} {type} with the key {key}" for key, number in counted.items() if number > 1)
    for order in world.hospital.all("ServiceRequest"):
        if records.REFERRAL in order.get("code", {}).get("coding", []):
            plans = [p for p in world.hospital.ours("CarePlan") if _value(p).split(":")[1] == order["id"]]
            if len(plans) != 1:
                yield f"{len(plans)} CarePlans for the referral {order['id']}"


def _follow_ups(world: World) -> Iterator[str]:
    visits = world.hospital.ours("Appointment", "fu-first-visit-appointment")
    for order in world.hospital.ours("ServiceRequest", "proc-excision"):
        occurrence = _value(order).split(":")[4]
        mine = [v for v in visits if _value(v).split(":")[:3] == _value(order).split(":")[:3]]
        mine = [v for v in mine if _value(v).split(":")[4] == occurrence]
        standing = [visit for visit in mine if visit["status"] in _OPEN_VISIT]
        if len(standing) > 1:
            yield f"{len(standing)} open visits after {reference_to(order)}"
        done = [p for p in _named(world, order) if p["status"] == "completed" and not _of_another(world, order, p)]
        days = [day for p in done if (day := calendar_date(p["performedPeriod"]["end"], ZONE))]
        if days:
            yield from _visit(world, order, mine, standing, days)
    for procedure in world.hospital.all("Procedure"):
        if procedure["status"] == "completed" and "basedOn" not in procedure:
            yield from _known_to_people(world, procedure)


def _visit(
    world: World, order: Resource, visits: list[Resource], standing: list[Resource], days: list[date]
) -> Iterator[str]:
    """One operation that took place, on one of these days."""
    took_place = [v for v in visits if v["status"] in ("fulfilled", "noshow")]
    ended = [v for v in visits if v["status"] == "cancelled" and _last_by(world, v) == PEOPLE]
    if not standing and not took_place and not ended and not _asked(world, order):
        yield f"no visit after {reference_to(order)} of {days}, and nobody is asked"
    for visit in standing:
        day = _day(visit)
        inside = day is not None and any(timedelta(7) <= day - d <= timedelta(14) for d in days)
        said = tag_of(visit, codes.BUSINESS_STATUS) or visit["status"] != "proposed"
        if not inside and not said and not _asked(world, visit):
            yield f"{reference_to(visit)} on {day} is not 7 to 14 days after {days}, and nobody is told"


def _of_another(world: World, order: Resource, procedure: Resource) -> bool:
    """Whether another order has it as its record, which then has the visit."""
    others = [o for o in world.hospital.ours("ServiceRequest", "proc-excision") if o["id"] != order["id"]]
    return any({"reference": reference_to(procedure)} in other.get("supportingInfo", []) for other in others)


def _known_to_people(world: World, procedure: Resource) -> Iterator[str]:
    """A surgery that names no order of ours: recognised as one of ours, or somebody is asked."""
    reference = reference_to(procedure)
    orders = world.hospital.ours("ServiceRequest", "proc-excision")
    recognised = [o for o in orders if reference in references_in(o)]
    asked = [t for t in world.hospital.ours("Task") if t.get("focus", {}).get("reference") == reference]
    if not recognised and not asked:
        yield f"{reference} is a surgery that no order names and nobody is asked about"


def _asked(world: World, about: Resource) -> bool:
    """Whether a person has a Task about it."""
    named = {reference_to(about), *(reference_to(p) for p in _named(world, about))}
    tasks = [t for t in world.hospital.ours("Task") if coding_of(t.get("reasonCode"), codes.REVIEW_REASON)]
    return any(t.get("focus", {}).get("reference") in named for t in tasks)


def _held_by_people(world: World) -> Iterator[str]:
    """In the hospital's own history: nothing that somebody had taken on was moved or ended by us."""
    for versions in world.hospital.histories():
        for before, after in pairwise(versions):
            held = _HELD.get(before.type, ())
            if after.source != PEOPLE and not after.deleted and before.resource().get("status") in held:
                yield from _left_alone(before, after)


def _left_alone(before: Version, after: Version) -> Iterator[str]:
    was, now = before.resource(), after.resource()
    status = f"{after.reference} version {after.version}: {was['status']} became {now['status']}"
    if was["status"] != now["status"] and (now["status"] != "completed" or was["status"] != "accepted"):
        yield f"{status}, by us"
    for element in ("start", "end", "requestedPeriod", "restriction", "occurrencePeriod"):
        if was.get(element) != now.get(element):
            yield f"{status}, and its {element} {was.get(element)} became {now.get(element)}, by us"


def _one_effect(world: World) -> Iterator[str]:
    counted = Counter(row for worker in world.workers for row in worker.effects.committed)
    yield from (f"{number} effects of {row}" for row, number in counted.items() if number > 1)


def _nothing_left_due(world: World) -> Iterator[str]:
    for plan in world.hospital.ours("CarePlan"):
        with world.operator.transaction(HERE, read_only=True) as tx:
            for work in tx.due.of_plan(tx.ours(reference_to(plan))):
                if work.state in OPEN and work.due_at <= world.clinical:
                    yield f"{work.key} has been due since {work.due_at} and is {work.state}: {work.last_error}"


def _all_sent(world: World) -> Iterator[str]:
    with world.operator.transaction(HERE, read_only=True) as tx:
        for entry in tx.outbox.entries():
            if entry.state != "done":
                yield f"{entry.reference} is {entry.state} on its way out: {entry.last_error}"


def _swept(world: World) -> Iterator[str]:
    report = world.workers[0].sweep()
    if not report.good:
        yield report.sentence()


def _agree(world: World) -> Iterator[str]:
    """Our copy and the hospital's say the same; where it is read patient by patient, of everybody with a plan."""
    planned = {patient_of(plan) for plan in world.hospital.ours("CarePlan")}
    with world.operator.transaction(HERE, read_only=True) as tx:
        for type in (*_OURS, *_THEIRS):
            for theirs in world.hospital.all(type):
                if world.hospital.manners.by_time or patient_of(theirs) in planned:
                    yield from _same(tx, theirs)


def _same(tx: SqlTransaction, theirs: Resource) -> Iterator[str]:
    type, _, id = tx.ours(reference_to(theirs)).partition("/")
    found = tx.search(type, [("_id", id)]).resources
    if not found:
        yield f"{reference_to(theirs)} is not known here"
        return
    ours, read = (rewritten(resource, tx.ours) for resource in (found[0], theirs))
    apart = {"id", "meta", *(_LISTS if key_of(theirs) else ())}
    differ = sorted(n for n in (set(ours) | set(read)) - apart if ours.get(n) != read.get(n))
    if differ:
        both = {name: (ours.get(name), read.get(name)) for name in differ}
        yield f"{type}/{id} differs from the hospital's {theirs['id']}: {both}"


def _quiet(world: World) -> Iterator[str]:
    """Running everything once more changes nothing."""
    before = everything(world)
    world.true += timedelta(minutes=6)
    for worker in world.workers:
        for duty in DUTIES:
            worker.run(duty)
            if everything(world) != before:
                yield f"{duty} once more changed something"
                return


def _named(world: World, order: Resource) -> list[Resource]:
    reference = {"reference": reference_to(order)}
    return [p for p in world.hospital.all("Procedure") if reference in p.get("basedOn", [])]


def _last_by(world: World, resource: Resource) -> str:
    return next(v[-1].source for v in world.hospital.histories() if v[-1].reference == reference_to(resource))


def _day(visit: Resource) -> date | None:
    sought = visit.get("start") or next((p["start"] for p in visit.get("requestedPeriod", [])), None)
    return calendar_date(sought, ZONE) if sought else None


def _value(resource: Resource) -> str:
    key = key_of(resource)
    assert isinstance(key, Key)
    return key.value

"""What a simulation came to, counted at the simulated hospital: by what the records are, not by what we say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pathway.context import Context
from pathway.follow_up import follow_ups
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import patient_of
from pathway.situation import gather
from pathway.tasks import is_open
from pathway.timing import calendar_date
from schedules.duties.sweep import Report
from service.simulation.running import Course
from service.simulation.world import World

_COMING = ("proposed", "pending", "booked", "arrived", "checked-in")
_TOOK_PLACE = ("fulfilled", "completed")
_MISSED = "noshow"


@dataclass(frozen=True)
class Totals:
    """`surgeries` that took place and were recorded; each is in one of four states.

    `planned`: its follow-up visit is asked for, has a day or had one, or took place; `inside_window`: of these, on days
    of the plan's window. `waitlisted`: the visit is asked for, and no day is free. `with_people`: somebody at the
    hospital ended it or is asked about the surgery. `missing`: none of all this. `doubled`: visits that are open or
    took place, and open Tasks and messages of one kind, that there are once too often for one surgery.
    """

    surgeries: int = 0
    planned: int = 0
    inside_window: int = 0
    waitlisted: int = 0
    with_people: int = 0
    missing: int = 0
    doubled: int = 0


@dataclass(frozen=True)
class Day:
    """A day with visits, proposed, booked or past; `missed`: of these, those to which nobody came."""

    day: date
    visits: int
    missed: int = 0


@dataclass(frozen=True)
class Week:
    """What there is in a week from `first` on: surgeries done, visits and reminders by their day, Tasks made for
    people; `waitlisted`: visits without a day on its last morning."""

    first: date
    surgeries: int
    visits: int
    reminders: int
    tasks: int
    waitlisted: int


@dataclass(frozen=True)
class Counted:
    """`tasks` by title, all that were made; `visit_of`: by patient the day of the newest visit.

    `put_aside`: entries in quarantine, none of which should be there; `sweep`: what the last one found.
    """

    totals: Totals
    days: Sequence[Day]
    weeks: Sequence[Week]
    reminders: int
    tasks: Mapping[str, int]
    put_aside: int
    sweep: Report
    visit_of: Mapping[str, date]


def counted(course: Course) -> Counted:
    """Sweeps once, as the service does every hour, and counts what there is then."""
    world = course.world
    report = world.sweep()
    surgeries = [p for p in world.found("Procedure") if p["status"] == "completed"]
    visits, tasks, messages = (_ours(world, type) for type in ("Appointment", "Task", "CommunicationRequest"))
    tasks = [task for task in tasks if not _asks_for_a_form(task)]
    placed = [(visit, day) for visit in visits if (day := day_of(visit, world)) is not None]
    return Counted(
        totals=_totals(world, surgeries, [*visits, *tasks, *messages]),
        days=_days(placed),
        weeks=list(_weeks(course, surgeries, placed, tasks, messages)),
        reminders=len(messages),
        tasks=dict(sorted(Counter(str(task["code"]["text"]) for task in tasks).items())),
        put_aside=len(world.store.quarantine_entries(world.hospital)),
        sweep=report,
        visit_of={str(patient_of(visit)): day for visit, day in placed},
    )


def day_of(visit: Resource, world: World) -> date | None:
    """Where a visit of ours stands in the clinic's calendar; None for one that waits or was called off."""
    if visit["status"] not in (*_COMING, *_TOOK_PLACE, _MISSED):
        return None
    period: Resource = next(iter(visit.get("requestedPeriod", [])), {})
    start = visit.get("start") or period.get("start")
    return calendar_date(start, world.pathway.site.zone) if start else None


def _asks_for_a_form(task: Resource) -> bool:
    return any("valueCanonical" in given for given in task.get("input", []))


def _ours(world: World, type: str) -> list[Resource]:
    return sorted((r for r in world.found(type) if key_of(r)), key=lambda r: str(r["id"]))


def _totals(world: World, surgeries: Sequence[Resource], ours: Sequence[Resource]) -> Totals:
    """A recorded surgery that no plan knows of is missing too."""
    standings: Counter[str] = Counter(standing for plan in _ours(world, "CarePlan") for standing in _look(world, plan))
    seen = standings["planned"] + standings["waitlisted"] + standings["with-people"] + standings["missing"]
    return Totals(
        surgeries=len(surgeries),
        planned=standings["planned"],
        inside_window=standings["inside"],
        waitlisted=standings["waitlisted"],
        with_people=standings["with-people"],
        missing=standings["missing"] + len(surgeries) - seen,
        doubled=_doubled(ours),
    )


def _look(world: World, care_plan: Resource) -> Iterator[str]:
    """How the follow-up of each surgery of a plan stands, read as it is now."""
    with world.store.transaction(world.hospital, read_only=True) as tx:
        situation = gather(tx, world.pathway.site, care_plan)
    visits = [visit for visit in situation.of_type("Appointment") if key_of(visit)]
    waits = any(v["status"] == "waitlist" for v in visits) and not any(day_of(visit, world) for visit in visits)
    for follow_up in follow_ups(Context.of(world.pathway.library, situation, world.now())):
        if follow_up.standing == "planned" and waits:
            yield "waitlisted"
            continue
        yield follow_up.standing
        if follow_up.inside:
            yield "inside"


def _doubled(ours: Sequence[Resource]) -> int:
    """By patient (each has one surgery), kind and the day it is for; whatever keys or ids the copies carry."""
    kinds = Counter(_kind(resource) for resource in ours if _counts(resource))
    return sum(number - 1 for number in kinds.values())


def _counts(resource: Resource) -> bool:
    if resource["resourceType"] == "Appointment":
        return resource["status"] in (*_COMING, "waitlist", *_TOOK_PLACE)
    return is_open(resource) or resource["status"] in _TOOK_PLACE


def _kind(resource: Resource) -> tuple[str, str, str]:
    type, patient = resource["resourceType"], str(patient_of(resource))
    if type == "Appointment":
        return type, patient, str(resource["description"])
    if type == "Task":
        return type, patient, f"{resource['code']['text']} {resource.get('focus', {}).get('reference')}"
    return type, patient, f"{resource['payload'][0]['contentString']} {resource.get('occurrenceDateTime')}"


def _days(placed: Sequence[tuple[Resource, date]]) -> list[Day]:
    visits, missed = Counter(day for _, day in placed), Counter(day for v, day in placed if v["status"] == _MISSED)
    return [Day(day, visits[day], missed[day]) for day in sorted(visits)]


def _weeks(
    course: Course,
    surgeries: Sequence[Resource],
    placed: Sequence[tuple[Resource, date]],
    tasks: Sequence[Resource],
    messages: Sequence[Resource],
) -> Iterator[Week]:
    zone, first = course.world.pathway.site.zone, course.scenario.start
    done = [calendar_date(surgery["performedPeriod"]["end"], zone) for surgery in surgeries]
    told = [calendar_date(message["occurrenceDateTime"], zone) for message in messages]
    made = [calendar_date(task["authoredOn"], zone) for task in tasks]
    while first <= course.scenario.last:
        last = first + timedelta(days=6)
        yield Week(
            first=first,
            surgeries=_between(first, last, done),
            visits=_between(first, last, [day for _, day in placed]),
            reminders=_between(first, last, told),
            tasks=_between(first, last, made),
            waitlisted=course.waiting.get(last, 0),
        )
        first += timedelta(days=7)


def _between(first: date, last: date, days: Sequence[date | None]) -> int:
    return sum(day is not None and first <= day <= last for day in days)

"""What an outage did to due work and visits: done late, suppressed, still waiting, and whom to call. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pathway.due_work import OPEN, DueWork

LATE = timedelta(minutes=15)  # what comes within this of its time was not late
Fate = Literal["late", "suppressed", "waiting"]


@dataclass(frozen=True)
class Affected:
    """Due work whose time lay in the outage. `suppressed`: when it could be looked at, it was of no use any more."""

    work: DueWork
    fate: Fate

    @property
    def sentence(self) -> str:
        said = {"suppressed": "was not sent: its time had passed", "waiting": "has not been looked at yet"}
        became = said.get(self.fate) or f"came {_length(self.work)} late"
        return f"'{self.work.why}', due {self.work.wall_time[:16].replace('T', ' ')}, {became}"


@dataclass(frozen=True)
class StandingVisit:
    """A follow-up visit that is not over, by the reference of its CarePlan: its window, its day if it has one, whether
    that is booked, its Task, and whether it was asked for only after an outage in which it should have been."""

    care_plan: str
    task: str
    first: date
    last: date
    day: date | None = None
    booked: bool = False
    planned_late: bool = False


@dataclass(frozen=True)
class Call:
    """A patient to call, by reference only: until when it matters (a clinic date) and why, as sentences."""

    care_plan: str
    task: str | None
    by: date
    why: Sequence[str]


@dataclass(frozen=True)
class Consequences:
    """Of one outage."""

    affected: Sequence[Affected]
    calls: Sequence[Call]

    def number(self, fate: Fate) -> int:
        return sum(one.fate == fate for one in self.affected)


def consequences(due: Sequence[DueWork], visits: Sequence[StandingVisit], began: date, ended: date) -> Consequences:
    """`due`: what fell due between `began` and `ended`, which are the outage's first and last clinic date.

    To be called: whose visit was planned late, whose visit lay in the outage or whose window did while nothing is
    booked, and whose reminder or question was late or suppressed while the visit is not over. The most urgent first.
    """
    affected = [Affected(work, fate) for work in due if (fate := _fate(work)) is not None]
    by_plan = {visit.care_plan: visit for visit in visits}
    why: dict[str, list[str]] = {visit.care_plan: list(_reasons(visit, began, ended)) for visit in visits}
    for one in affected:
        if one.work.care_plan in by_plan:
            why[one.work.care_plan].append(one.sentence)
    calls = [Call(v.care_plan, v.task, v.day or v.last, why[v.care_plan]) for v in visits if why[v.care_plan]]
    return Consequences(affected, sorted(calls, key=lambda call: (call.by, call.care_plan)))


def _fate(work: DueWork) -> Fate | None:
    if work.state == "expired":
        return "suppressed"
    if work.state in OPEN:
        return "waiting"
    late = work.state == "done" and work.released_at is not None and work.released_at - work.due_at > LATE
    return "late" if late else None


def _reasons(visit: StandingVisit, began: date, ended: date) -> Iterator[str]:
    if visit.planned_late:
        yield "The visit was asked for only when the service caught up: fewer days of its window may be left"
    if visit.booked and visit.day and began <= visit.day <= ended:
        yield f"The visit was booked for {visit.day}, during the outage"
    if not visit.booked and visit.first <= ended and began <= visit.last:
        yield f"The visit is not booked, and days of its window ({visit.first} to {visit.last}) passed in the outage"


def _length(work: DueWork) -> str:
    assert work.released_at is not None
    minutes = int((work.released_at - work.due_at) / timedelta(minutes=1))
    return f"{minutes // 60} hours" if minutes >= 120 else f"{minutes} minutes"

"""The follow-up visits of a hospital that are not over, as the store has them now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pathway.codes import PLAN
from pathway.follow_up import tasks_of, visits_of
from pathway.intake import Pathway
from pathway.keys import key_of
from pathway.outline import Outline, outline
from pathway.ports import Resource, Transaction, search_all
from pathway.timing import calendar_date, offsets

_OPEN_TASKS = "draft,requested,received,accepted,ready,in-progress,on-hold"
_STANDING = ("proposed", "pending", "booked", "arrived", "checked-in")
_BOOKED = ("booked", "arrived", "checked-in")


@dataclass(frozen=True)
class Standing:
    """One visit: its open Task, its Appointment ({} while there is none), the plan's window and target day, and its day
    if it has one. A visit whose surgery lies ahead has a window already and no Appointment."""

    task: Resource
    appointment: Resource
    first: date
    last: date
    target: date
    day: date | None

    @property
    def booked(self) -> bool:
        return self.appointment.get("status") in _BOOKED


def standing_visits(tx: Transaction, pathway: Pathway) -> Iterator[Standing]:
    """Every one whose window is known."""
    plan = outline(pathway.library, PLAN, tuple(pathway.site.parameters.pathway.items()))
    begins = _begins(plan)
    for task in search_all(tx, "Task", [("status", _OPEN_TASKS), ("_count", "500")]):
        period = task.get("restriction", {}).get("period", {})
        action = next((id for id in begins if (key := key_of(task)) and id in key.value.split(":")), None)
        if action is None or not {"start", "end"} <= period.keys():
            continue
        first, last = date.fromisoformat(period["start"]), date.fromisoformat(period["end"])
        surgery = first - timedelta(days=begins[action])
        target = min(max(surgery + timedelta(days=pathway.site.parameters.target_day), first), last)
        appointment = _appointment(tx, task)
        yield Standing(task, appointment, first, last, target, _day(appointment, pathway.site.zone))


def _begins(plan: Outline) -> dict[str, int]:
    """The actions that make the visits' Tasks: on which day after the surgery their windows begin."""
    surgeries = [plan.actions[id] for id in plan.surgeries]
    tasks = [task for surgery in surgeries for task in tasks_of(plan, surgery, visits_of(plan, surgery))]
    days = {t["id"]: [found[0] for r in t["relatedAction"] if (found := offsets(r)) is not None] for t in tasks}
    return {id: first for id, (first, *_) in days.items()}


def _appointment(tx: Transaction, task: Resource) -> Resource:
    reference = str(task.get("focus", {}).get("reference", ""))
    return tx.read(*reference.split("/", 1)) if reference.startswith("Appointment/") else {}


def _day(appointment: Resource, zone: str) -> date | None:
    period: Resource = next(iter(appointment.get("requestedPeriod", [])), {})
    start = appointment.get("start") or period.get("start")
    return calendar_date(start, zone) if start and appointment.get("status") in _STANDING else None

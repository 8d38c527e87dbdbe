"""Downtimes of a hospital, with what they did to due work and visits; references only, no patient data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.table import Table

from fhir_adapters.store.health import Downtime
from pathway.intake import Pathway
from pathway.ports import Resource, Transaction
from pathway.references import reference_to
from pathway.timing import instant
from schedules.downtime import Consequences, StandingVisit, consequences
from service.bootstrap import Services
from service.standing_visits import standing_visits

_CATCHING_UP = timedelta(minutes=10)  # what is written this long after an outage is what was missed
_QUIET = timedelta(minutes=1)  # the last sign of life may be older than the last thing that was done


@dataclass(frozen=True)
class Report:
    """One downtime and its consequences."""

    downtime: Downtime
    consequences: Consequences


def reports(services: Services, hospital: str, since: datetime | None = None) -> list[Report]:
    """One for each outage that ended at `since` or later, newest first. Raises NotFound."""
    found = _outages(services.store.downtimes(hospital, since))
    if not found:
        return []
    pathway = services.pathway(hospital)
    with services.store.transaction(hospital, read_only=True) as tx:
        return [Report(downtime, _of(tx, pathway, downtime)) for downtime in found]


def _outages(found: Sequence[Downtime]) -> list[Downtime]:
    """Several duties that were silent at the same time are one outage."""
    outages: list[Downtime] = []
    for one in found:
        last = outages[-1] if outages else None
        if last is None or one.ended < last.began or last.ended < one.began:
            outages.append(one)
            continue
        duties = sorted({*last.duty.split(", "), one.duty})
        began, clinical_began = min((last.began, last.clinical_began), (one.began, one.clinical_began))
        ended, clinical_ended = max((last.ended, last.clinical_ended), (one.ended, one.clinical_ended))
        outages[-1] = Downtime(", ".join(duties), began, ended, clinical_began, clinical_ended)
    return outages


def _of(tx: Transaction, pathway: Pathway, downtime: Downtime) -> Consequences:
    zone = ZoneInfo(pathway.site.zone)
    began, ended = (at.astimezone(zone).date() for at in (downtime.clinical_began, downtime.clinical_ended))
    due = tx.due.fell_due(downtime.clinical_began, downtime.clinical_ended)
    return consequences(due, list(_visits(tx, pathway, downtime)), began, ended)


def _visits(tx: Transaction, pathway: Pathway, downtime: Downtime) -> Iterator[StandingVisit]:
    for visit in standing_visits(tx, pathway):
        yield StandingVisit(
            care_plan=str(visit.task["basedOn"][0]["reference"]),
            task=reference_to(visit.task),
            first=visit.first,
            last=visit.last,
            day=visit.day,
            booked=visit.booked,
            planned_late=_is_late(visit.task, visit.appointment, downtime),
        )


def _is_late(task: Resource, visit: Resource, downtime: Downtime) -> bool:
    """Whether it was asked for when the service caught up. What we author carries the wire clock."""
    authored = instant(str(visit.get("created") or task["authoredOn"]))
    return downtime.began + _QUIET <= authored <= downtime.ended + _CATCHING_UP


def shown(report: Report) -> Group:
    """For the terminal."""
    found, gap = report.consequences, report.downtime
    heading = (
        f"Without {gap.duty} from {gap.began:%d %b %Y %H:%M} to {gap.ended:%d %b %Y %H:%M} UTC: {found.number('late')} "
        f"done late, {found.number('suppressed')} suppressed, {found.number('waiting')} still waiting"
    )
    calls = Table("by", "CarePlan", "why", title="Call these patients", title_justify="left")
    for call in found.calls:
        calls.add_row(call.by.isoformat(), call.care_plan, "\n".join(call.why))
    return Group(heading, calls if found.calls else "Nobody has to be called.")


def as_json(report: Report, link: str) -> dict[str, Any]:
    """`link`: the address of the CarePlans' timelines, to which an id is added."""
    found = report.consequences
    return {
        "duties": report.downtime.duty.split(", "),
        "began": report.downtime.began.isoformat(),
        "ended": report.downtime.ended.isoformat(),
        "late": found.number("late"),
        "suppressed": found.number("suppressed"),
        "waiting": found.number("waiting"),
        "affected": [
            {
                "care_plan": one.work.care_plan,
                "action": one.work.action,
                "fate": one.fate,
                "due_at": one.work.due_at.isoformat(),
                "released_at": one.work.released_at.isoformat() if one.work.released_at else None,
                "why": one.sentence,
            }
            for one in found.affected
        ],
        "calls": [
            {
                "care_plan": call.care_plan,
                "task": call.task,
                "by": call.by.isoformat(),
                "why": list(call.why),
                "link": f"{link}/{call.care_plan.partition('/')[2]}",
            }
            for call in found.calls
        ],
    }

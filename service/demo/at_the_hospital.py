"""What people at the hospital do and look for in their own server, piece by piece; the acts are made of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from pathway import codes
from pathway.ports import Key, Resource
from pathway.references import reference_to
from service.demo import records
from service.demo.records import answer, response
from service.demo.stage import Stage, StoryFailed


def care_plan(stage: Stage) -> str:
    """Wait for our CarePlan at the hospital; its reference there."""
    plan = stage.expect(
        "our CarePlan is at the hospital", lambda: stage.ours("CarePlan", "calcinosis-excision-pathway")
    )[0]
    return reference_to(plan)


def procedure(stage: Stage, request: Resource, day: date) -> Resource:
    """The record of an operation that took an hour and a half."""
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"coding": [records.EXCISION], "text": "Excision of calcinosis, left forearm"},
        "subject": {"reference": stage.patient},
        "basedOn": [{"reference": reference_to(request)}],
        "performedPeriod": lasting(stage, day, 8, 2),
    }


def follow_up_appointment(stage: Stage, occurrence: str = "") -> Resource:
    """Wait for the Appointment of the first follow-up visit at the hospital."""

    def find() -> list[Resource]:
        found = stage.ours("Appointment", "fu-first-visit-appointment")
        return [a for a in found if occurrence in a["identifier"][0]["value"]]

    return stage.expect("a proposed Appointment for the follow-up", find)[0]


def planned_follow_up(stage: Stage, occurrence: str, day: date | None = None) -> str:
    first, last = (timedelta(days=n) + (day or stage.days.surgery) for n in (7, 14))
    stage.expect("the follow-up Task is requested", lambda: requested(stage, occurrence, first, last))
    appointment = follow_up_appointment(stage, occurrence)
    chosen = appointment["requestedPeriod"][0]["start"]
    if not first.isoformat() <= chosen <= last.isoformat():
        raise StoryFailed(f"{chosen} is outside {first} to {last}")
    return (
        f"Surgery recorded: the follow-up is asked for, {in_words(first)} to {in_words(last)}. {appointment['comment']}"
    )


def requested(stage: Stage, occurrence: str, first: date, last: date) -> Resource | None:
    for task in stage.ours("Task", "fu-first-visit"):
        period = task.get("restriction", {}).get("period", {})
        there = task["status"] == "requested" and occurrence in task["identifier"][0]["value"]
        if there and period == {"start": first.isoformat(), "end": last.isoformat()}:
            return task
    return None


PREPARATION = (
    "prep-medication-review",
    "prep-medical-clearance",
    "prep-prior-authorization",
    "prep-fasting-override",
    "prep-transport",
)


def decide(stage: Stage, outcome: str, *more: Resource) -> None:
    decision = {"system": codes.DECISION, "code": outcome}
    answered(stage, codes.SHARED_DECISION, [answer("dec-record-outcome", valueCoding=decision), *more])


def answered(stage: Stage, questionnaire: str, items: list[Resource], author: str | None = None) -> None:
    assert stage.now is not None
    at = stage.now.isoformat()
    stage.now += timedelta(minutes=1)
    stage.record(response(questionnaire, stage.patient, author or stage.owners["surgeon"], at, items))


def excisions(stage: Stage, number: int) -> list[Resource]:
    def find() -> list[Resource] | None:
        found = stage.ours("ServiceRequest", "proc-excision")
        return found if len(found) >= number else None

    return stage.expect(f"{number} excision orders are at the hospital", find)


def book_surgery(stage: Stage, request: Resource, day: date) -> None:
    stage.change(reference_to(request), lambda r: {**r, "status": "active"})
    stage.record(
        {
            "resourceType": "Appointment",
            "status": "booked",
            "description": "Operating theatre 2",
            **lasting(stage, day, 8, 2),
            "basedOn": [{"reference": reference_to(request)}],
            "participant": [{"actor": {"reference": stage.patient}, "status": "accepted"}],
        }
    )


def booking_of(stage: Stage, request: Resource) -> Resource:
    def find() -> Resource | None:
        page = stage.hospital.search("Appointment", [("patient", stage.patient), ("_count", "200")])
        mine = {"reference": reference_to(request)}
        found = [a for a in page.resources if mine in a.get("basedOn", []) and "identifier" not in a]
        return found[0] if found else None

    return stage.expect("the surgery's Appointment", find)


def due_by(stage: Stage, action: str, last: date) -> Resource | None:
    tasks = stage.ours("Task", action)
    due = [t for t in tasks if t.get("restriction", {}).get("period", {}).get("end") == last.isoformat()]
    return due[0] if due else None


def visit_day(stage: Stage) -> date:
    appointment = follow_up_appointment(stage)
    return date.fromisoformat(str(appointment.get("start") or appointment["requestedPeriod"][0]["start"])[:10])


def reminder_planned(stage: Stage) -> Any:
    rows = stage.ask("GET", f"/hospitals/{stage.clinic.name}/due?state=scheduled")
    return [row for row in rows["due"] if row["action"] == "fu-attend-all-3d"]


def lasting(stage: Stage, day: date, hour: int, length: int) -> dict[str, str]:
    start: datetime = stage.at(day, hour)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=length)).isoformat()}


def occurrence(request: Resource) -> str:
    key = Key(codes.KEY_SYSTEM, request["identifier"][0]["value"])
    return key.value.rpartition(":")[2]


def owned(task: Resource, owner: str) -> None:
    if task.get("owner", {}).get("reference") != owner:
        raise StoryFailed(f"{reference_to(task)} must be owned by {owner}, not {task.get('owner')}")


def in_words(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"

"""The occurrences of a repeatable action: one per resource that fits its trigger, each surgery with its operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from pathway.context import Context, Scope
from pathway.expressions import holds
from pathway.outline import walk
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.responses import FINISHED
from pathway.situation import authored_order
from pathway.surgery import Finding, Surgery, end_of, planned_date, recognised
from pathway.timing import calendar_date


def scopes_of(context: Context, action: Resource, outer: Scope) -> list[Scope]:
    """One scope per occurrence, in the order the triggers were authored; `outer` itself when it comes only once."""
    if action.get("cardinalityBehavior") != "multiple" or not action.get("trigger"):
        return [outer]
    triggers = _triggers(context, action)
    scopes = [Scope(str(trigger["id"]), outer.surgery) for trigger in triggers]
    if context.is_surgery(action):
        planned = [_planned(context, action, scope) for scope in scopes]
        scopes = [replace(s, surgery=known) for s, known in zip(scopes, _performed(context, planned), strict=True)]
    return [
        replace(scope, trigger=trigger, variables=_variables(context, action, outer, scope, triggers, number))
        for number, (scope, trigger) in enumerate(zip(scopes, triggers, strict=True))
    ]


def _variables(
    context: Context, action: Resource, outer: Scope, scope: Scope, triggers: Sequence[Resource], number: int
) -> Mapping[str, Any]:
    """An occurrence within another one has its own requests, and sees those of the outer one beside it."""
    about = {"trigger": triggers[number], "triggers": triggers, "earlier": triggers[:number]}
    if not outer.occurrence:
        return context.variables(scope, **about)
    return {**outer.variables, **context.names(scope, walk(action.get("action", []))), **about}


def _triggers(context: Context, action: Resource) -> list[Resource]:
    found = {}
    for trigger in action["trigger"]:
        condition = trigger.get("condition", {}).get("expression", "true")
        for resource in context.situation.of_type(*(data["type"] for data in trigger.get("data", []))):
            if _counts(resource) and holds(condition, resource, {}):
                found[str(resource["id"])] = resource
    return sorted(found.values(), key=authored_order)


def _counts(resource: Resource) -> bool:
    """A form counts when it is finished, anything else unless it was a mistake."""
    if resource["resourceType"] == "QuestionnaireResponse":
        return resource.get("status") in FINISHED
    return resource.get("status") != "entered-in-error"


def _planned(context: Context, action: Resource, scope: Scope) -> Surgery:
    request = context.existing(action, scope)
    if request is None:
        return Surgery(scope.occurrence, None)
    appointments = context.situation.of_type("Appointment")
    planned = planned_date(request, appointments, context.situation.site.zone)
    if isinstance(planned, Finding):
        return Surgery(scope.occurrence, request, unreadable=planned.explanation)
    return Surgery(scope.occurrence, request, planned)


def _performed(context: Context, surgeries: Sequence[Surgery]) -> list[Surgery]:
    """Give each surgery the completed Procedure that records it; a second record of one already known adds nothing."""
    known = list(surgeries)
    site = context.situation.site
    linked = {reference for surgery in surgeries for reference in surgery.recorded_by}
    procedures = context.situation.of_type("Procedure")
    for procedure in sorted(procedures, key=lambda p: (reference_to(p) not in linked, str(p["id"]))):
        if procedure.get("status") not in ("completed", "stopped"):
            continue
        match = recognised(procedure, known, context.situation.care_plan, site)
        if isinstance(match, Surgery) and match.done_on is None:
            known[known.index(match)] = _recorded(match, procedure, context.today, site.zone)
    return known


def _recorded(surgery: Surgery, procedure: Resource, today: date, zone: str) -> Surgery:
    stopped = procedure["status"] == "stopped"
    ended = end_of(procedure, zone, today)
    if isinstance(ended, date) and not stopped:
        return replace(surgery, operation=procedure, done_on=ended, unreadable="")
    started = procedure.get("performedPeriod", {}).get("start") or (stopped and procedure.get("performedDateTime"))
    begun = calendar_date(started, zone) if started else surgery.begun
    surgery = replace(surgery, begun=begun, stopped=surgery.stopped or stopped)
    if begun is None and isinstance(ended, Finding) and reference_to(procedure) in surgery.recorded_by:
        return replace(surgery, unreadable=ended.explanation)
    return surgery


def surgeries(context: Context) -> list[Surgery]:
    """Every operation the plan knows of, with its record where there is one."""
    return [scope.surgery for scope in surgery_scopes(context) if scope.surgery]


def surgery_scopes(context: Context) -> list[Scope]:
    """The occurrences of every operation the plan knows of."""
    actions = [action for action in context.actions.values() if context.is_surgery(action)]
    return [scope for action in actions for scope in scopes_of(context, action, Scope())]

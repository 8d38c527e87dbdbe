"""PlanDefinition/$apply: definitions + what is known of a patient -> the requests that should exist, and why.

Pure. An action with `cardinalityBehavior` multiple is applied once per resource that fits its trigger (a decision,
a diary entry), and everything below it belongs to that occurrence. Conditions: every `applicability` must hold;
a `start` condition is looked at when the action's time has come; a `stop` condition that holds completes it.
`relatedAction` offsets become dates from the anchor (https://hl7.org/fhir/R4/plandefinition.html#12.18.3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta

from pathway import codes
from pathway.context import Context, Scope, conditions, meaning
from pathway.expressions import ExpressionFailed, evaluate, holds
from pathway.occurrences import scopes_of
from pathway.parameters import Value
from pathway.ports import DueWork, Key, Resource, Visit, VisitChooser
from pathway.references import reference_to
from pathway.requests import Brief, build, flag, place
from pathway.site import Owner, coding_of
from pathway.surgery import Surgery
from pathway.timing import Moment, Timed, Window, calendar_date, offsets, timed


@dataclass(frozen=True)
class Proposal:
    """A request that should exist.

    `held`: it stays here until its anchor has happened. `over`: the stop condition that holds. `flag`: what it reports.
    """

    action: str
    scope: Scope
    key: Key
    resource: Resource
    why: str
    held: bool = False
    over: str | None = None
    flag: Resource | None = None


@dataclass(frozen=True)
class Explanation:
    """Why an action is in the plan or not, as a sentence; `parameters`: the site's values its expressions rest on."""

    action: str
    occurrence: str
    included: bool
    why: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass
class Applied:
    """The result of one application."""

    proposals: list[Proposal] = field(default_factory=list)
    due: list[DueWork] = field(default_factory=list)
    explanations: list[Explanation] = field(default_factory=list)
    surgeries: list[Surgery] = field(default_factory=list)


def apply(context: Context, choose_visit: VisitChooser) -> Applied:
    """Apply the plan that the situation's CarePlan instantiates."""
    application = _Application(context, choose_visit)
    scope = Scope()
    scope = replace(scope, variables=context.variables(scope))
    for action in context.plan.get("action", []):
        application.visit(action, scope)
    return application.released()


class _Application:
    def __init__(self, context: Context, choose_visit: VisitChooser) -> None:
        self.context = context
        self.choose_visit = choose_visit
        self.site = context.situation.site
        self.result = Applied()
        self.release: set[tuple[str, str]] = set()

    def visit(self, action: Resource, outer: Scope) -> None:
        for scope in scopes_of(self.context, action, outer):
            if scope.surgery and self.context.is_surgery(action):
                self.result.surgeries.append(scope.surgery)
            included, why = self._applicable(action, scope)
            if not included:
                self._explain(action["id"], scope, False, why)
                continue
            if "definitionCanonical" in action:
                self._request(action, scope, why)
            for child in action.get("action", []):
                self.visit(child, scope)

    def released(self) -> Applied:
        """What runs `concurrent-with-start` of an action that has started is no longer held."""
        self.result.proposals = [
            replace(p, held=p.held and (p.action, p.scope.occurrence) not in self.release)
            for p in self.result.proposals
        ]
        return self.result

    def _applicable(self, action: Resource, scope: Scope) -> tuple[bool, str]:
        if scope.surgery and scope.surgery.done_on and self.context.is_surgery(action):
            return True, f"the surgery took place on {scope.surgery.done_on}"
        reasons = []
        for expression in conditions(action, "applicability"):
            result = self._holds(expression, scope)
            if result is not True:
                return False, f"not so: {meaning(expression)}" if result is False else f"unknown: {meaning(expression)}"
            reasons.append(meaning(expression))
        return True, "; ".join(reasons) or "always part of the pathway"

    def _holds(self, expression: Resource, scope: Scope) -> bool | None:
        try:
            return holds(expression["expression"], self.context.situation.subject, scope.variables)
        except ExpressionFailed as error:
            self._explain("", scope, False, str(error))
            return None

    def _request(self, action: Resource, scope: Scope, why: str) -> None:
        when = self._timed(action, scope)
        existing = self.context.existing(action, scope, when)
        if existing is None and when.waits_for:
            self._explain(action["id"], scope, False, f"waits for the date of {when.waits_for}")
            return
        if existing is None and conditions(action, "start") and not self._started(action, scope, when):
            return
        self._propose(action, scope, when, why)
        for related in action.get("relatedAction", []):
            if related["relationship"] == "concurrent-with-start":
                self.release.add((related["actionId"], scope.occurrence))

    def _started(self, action: Resource, scope: Scope, when: Timed) -> bool:
        if when.at is None:
            return False
        now = self.context.now.clinical
        if now < when.at:
            self.result.due.append(self._due(action, scope, when))
            self._explain(action["id"], scope, False, f"will be looked at on {when.at.isoformat()}")
            return False
        if when.expires and now >= when.expires:
            self._explain(action["id"], scope, False, "its time has passed")
            return False
        if all(self._holds(expression, scope) is True for expression in conditions(action, "start")):
            return True
        self._explain(action["id"], scope, False, "not needed when its time came")
        return False

    def _propose(self, action: Resource, scope: Scope, when: Timed, why: str) -> None:
        activity = self.context.library.activity(action["definitionCanonical"])
        brief = self._brief(action, scope, when)
        resource = build(activity, brief)
        raised = self._flag(action, activity, brief)
        if raised is not None:
            resource["focus"] = {"reference": reference_to(raised)}
        for value in [*activity.get("dynamicValue", []), *action.get("dynamicValue", [])]:
            self._set(resource, value, action["id"], scope)
        why = brief.visit.why if brief.visit else why
        begun = scope.surgery is not None and scope.surgery.stopped
        over = next((meaning(e) for e in conditions(action, "stop") if self._holds(e, scope) is True), None)
        self.result.proposals.append(
            Proposal(action["id"], scope, brief.key, resource, why, brief.provisional and not begun, over, raised)
        )
        self._explain(action["id"], scope, True, why)

    def _brief(self, action: Resource, scope: Scope, when: Timed) -> Brief:
        roles = [coding_of(p.get("role"), codes.ROLE) for p in action.get("participant", [])]
        owners: list[Owner] = [self.site.roles[role] for role in roles if role in self.site.roles]
        surgery = scope.surgery
        return Brief(
            key=self.context.key(action, scope, when),
            definition=action["definitionCanonical"],
            title=str(action.get("title", action["id"])),
            subject=self.context.situation.subject,
            care_plan=self.context.situation.care_plan,
            authored=self.context.now.instant,
            owners=owners,
            to_patient="patient" in roles,
            window=when.window,
            visit=self._visit(action, when.window, surgery),
            occurs=when.at.astimezone(UTC).isoformat().replace("+00:00", "Z") if when.at else None,
            provisional=when.provisional and not conditions(action, "start"),
            focus=self._focus(action, scope),
            surgery=surgery.request if surgery else None,
            group=f"{self.context.situation.key.value}:{scope.occurrence}" if surgery else None,
        )

    def _visit(self, action: Resource, days: Window | None, surgery: Surgery | None) -> Visit | None:
        if self.context.kind(action) != "Appointment" or not (days and days.first and days.last):
            return None
        anchor = surgery.moment if surgery else None
        target = anchor.end + timedelta(days=self.site.parameters.target_day) if anchor else days.first
        return self.choose_visit(days.first, days.last, min(max(target, days.first), days.last))

    def _focus(self, action: Resource, scope: Scope) -> str | None:
        """The request an action runs alongside or is timed from, else the surgery when there is none yet."""
        related = action.get("relatedAction", [])
        for relation in related:
            other = self.context.actions[relation["actionId"]]
            existing = self.context.existing(other, scope)
            if self.context.kind(other) == "Appointment" and existing:
                return reference_to(existing)
        alongside = any(r["relationship"].startswith("concurrent") for r in related)
        return reference_to(scope.surgery.request) if alongside and scope.surgery and scope.surgery.request else None

    def _flag(self, action: Resource, activity: Resource, brief: Brief) -> Resource | None:
        """A Task that reports a flag has the Flag as its focus (CPG activity type report-flag)."""
        if coding_of(activity.get("code"), codes.CPG_ACTIVITY) != "report-flag":
            return None
        code = {"coding": [{"system": codes.RED_FLAG, "code": action["id"]}], "text": brief.title}
        return self.context.situation.by_key.get(("Flag", brief.key.value)) or flag(brief.key, code, brief)

    def _set(self, resource: Resource, value: Resource, action: str, scope: Scope) -> None:
        try:
            values = evaluate(value["expression"]["expression"], self.context.situation.subject, scope.variables)
        except ExpressionFailed as error:
            self._explain(action, scope, False, str(error))
            return
        if len(values) == 1:
            place(resource, value["path"], values[0])

    def _timed(self, action: Resource, scope: Scope) -> Timed:
        for related in action.get("relatedAction", []):
            offset = offsets(related)
            if offset is None:
                continue
            anchor = self._moment(related["actionId"], scope)
            if anchor is None:
                before = related["relationship"].startswith("before")
                return Timed(waits_for=None if before else related["actionId"], provisional=not before)
            return timed(anchor, related["relationship"], *offset, self.site.zone, self.site.parameters.reminder_time)
        return Timed()

    def _moment(self, action_id: str, scope: Scope) -> Moment | None:
        action = self.context.actions[action_id]
        if self.context.is_surgery(action):
            return scope.surgery.moment if scope.surgery else None
        start = (self.context.existing(action, scope) or {}).get("start")
        day = calendar_date(start, self.site.zone) if start else None
        return Moment(day, day) if day else None

    def _due(self, action: Resource, scope: Scope, when: Timed) -> DueWork:
        assert when.at and when.window
        days = when.window.period()
        return DueWork(
            key=self.context.key(action, scope).value,
            kind="start",
            due_at=when.at,
            wall_time=when.at.astimezone(self.context.zone).replace(tzinfo=None).isoformat(),
            zone=self.site.zone,
            care_plan=reference_to(self.context.situation.care_plan),
            action=action["id"],
            why=str(action.get("title", action["id"])),
            window_low=days.get("start"),
            window_high=days.get("end"),
            expires_at=when.expires,
        )

    def _explain(self, action: str, scope: Scope, included: bool, why: str) -> None:
        parameters = self.context.parameters_of(action)
        self.result.explanations.append(Explanation(action, scope.occurrence, included, why, parameters))

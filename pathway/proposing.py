"""One action that applies -> the request that should exist: its place in time, its owner, its visit, its values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, time, timedelta

from pathway import codes
from pathway.care_team import owner_of
from pathway.context import Context, Scope, conditions
from pathway.due_kinds import START, VERSION
from pathway.looking import Looking
from pathway.ports import DueWork, Key, Resource, Visit, VisitChooser
from pathway.references import reference_to
from pathway.requests import Brief, build, flag, place
from pathway.site import Owner, coding_of
from pathway.surgery import Surgery
from pathway.tags import tagged
from pathway.timing import Moment, Timed, Window, calendar_date, offsets, timed, wall


@dataclass(frozen=True)
class Proposal:
    """A request that should exist.

    `held`: it stays here until its anchor has happened. `over`: the stop condition that holds. `flag`: what it reports.
    `own`: the plan's own days, where a clinician's stand in their place and the plan's have changed since.
    `usual_owner`: who has the role at the site, where the patient's care team names nobody.
    """

    action: str
    scope: Scope
    key: Key
    resource: Resource
    why: str
    held: bool = False
    over: str | None = None
    flag: Resource | None = None
    own: Window | None = None
    usual_owner: str | None = None


@dataclass(frozen=True)
class Proposing:
    """Builds the request of one action in one scope."""

    context: Context
    choose_visit: VisitChooser
    action: Resource
    scope: Scope
    looking: Looking

    def proposal(self, when: Timed, why: str) -> Proposal:
        """Raises ExpressionFailed: a request without the value that it should carry is worse than none."""
        activity = self.context.library.activity(self.action["definitionCanonical"])
        brief = self._brief(when)
        resource = build(activity, brief)
        raised = self._flag(activity, brief)
        if raised is not None:
            resource["focus"] = {"reference": reference_to(raised)}
        for number, value in enumerate([*activity.get("dynamicValue", []), *self.action.get("dynamicValue", [])]):
            given = self.looking.value(f"dynamicValue[{number}]", value["expression"])
            if given is not None:
                place(resource, value["path"], given)
        usual = next(filter(None, map(self.context.situation.site.roles.get, self._roles)), None)
        if resource["resourceType"] == "Task" and brief.owners and brief.owners[0] != usual:
            resource = tagged(resource, codes.PROPOSED_OWNER, brief.owners[0].reference)
        return Proposal(
            action=self.action["id"],
            scope=self.scope,
            key=brief.key,
            resource=resource,
            why=brief.visit.why if brief.visit else why,
            held=brief.provisional and not (self.scope.surgery is not None and self.scope.surgery.stopped),
            over=self.looking.first("stop"),
            flag=raised,
            own=self._own_days(),
            usual_owner=usual.reference if usual else None,
        )

    def _own_days(self) -> Window | None:
        individual = self.context.individual(self.action, self.scope)
        own = own_window(self.context, self.action, self.scope)
        moved = individual is not None and individual.days and own and own.in_words() != individual.instead
        return own if moved else None

    def _brief(self, when: Timed) -> Brief:
        context, action, surgery = self.context, self.action, self.scope.surgery
        return Brief(
            key=context.key(action, self.scope, when),
            definition=action["definitionCanonical"],
            title=str(action.get("title", action["id"])),
            subject=context.situation.subject,
            care_plan=context.situation.care_plan,
            authored=context.now.instant,
            owners=self._owners(),
            to_patient="patient" in self._roles,
            window=when.window,
            visit=self._visit(when.window, surgery),
            occurs=when.at.astimezone(UTC).isoformat().replace("+00:00", "Z") if when.at else None,
            provisional=when.provisional and not conditions(action, "start"),
            focus=self._focus(),
            surgery=surgery.request if surgery else None,
            group=f"{context.situation.key.value}:{self.scope.occurrence}" if surgery else None,
        )

    @property
    def _roles(self) -> list[str]:
        roles = [coding_of(p.get("role"), codes.ROLE) for p in self.action.get("participant", [])]
        return [role for role in roles if role]

    def _owners(self) -> list[Owner]:
        """An Appointment is for somebody who can take part in it."""
        in_person = self.context.kind(self.action) == "Appointment"
        situation, today = self.context.situation, self.context.today
        return [o for role in self._roles if (o := owner_of(situation, role, today, in_person=in_person))]

    def _visit(self, days: Window | None, surgery: Surgery | None) -> Visit | None:
        if self.context.kind(self.action) != "Appointment" or not (days and days.first and days.last):
            return None
        individual = self.context.individual(self.action, self.scope)
        if individual and individual.days and days.first == days.last:
            return Visit(days.first, individual.why)
        anchor = surgery.moment if surgery else None
        target_day = self.context.situation.site.parameters.target_day
        target = anchor.end + timedelta(days=target_day) if anchor else days.first
        return self.choose_visit(days.first, days.last, min(max(target, days.first), days.last))

    def _focus(self) -> str | None:
        """The request an action runs alongside or is timed from, else the surgery when there is none yet."""
        related = self.action.get("relatedAction", [])
        for relation in related:
            other = self.context.actions[relation["actionId"]]
            existing = self.context.existing(other, self.scope)
            if self.context.kind(other) == "Appointment" and existing:
                return reference_to(existing)
        alongside = any(r["relationship"].startswith("concurrent") for r in related)
        surgery = self.scope.surgery
        return reference_to(surgery.request) if alongside and surgery and surgery.request else None

    def _flag(self, activity: Resource, brief: Brief) -> Resource | None:
        """A Task that reports a flag has the Flag as its focus (CPG activity type report-flag)."""
        if coding_of(activity.get("code"), codes.CPG_ACTIVITY) != "report-flag":
            return None
        own = {"coding": [{"system": codes.RED_FLAG, "code": self.action["id"]}]}
        code = {**next(iter(self.action.get("code", [])), own), "text": brief.title}
        return self.context.situation.by_key.get(("Flag", brief.key.value)) or flag(brief.key, code, brief)


def own_days(context: Context, action: Resource, scope: Scope) -> str:
    """The plan's own days for an action, in words; "" while they are not known."""
    window = own_window(context, action, scope)
    return window.in_words() if window else ""


def own_window(context: Context, action: Resource, scope: Scope) -> Window | None:
    """The plan's own days for an action, whatever a clinician said of it; None while they are not known."""
    return _offset(context, action, scope).window


def placed(context: Context, action: Resource, scope: Scope) -> Timed:
    """Where an action stands in time: a clinician's days, else the first of its relatedActions that has an offset."""
    when = _offset(context, action, scope)
    individual = context.individual(action, scope)
    if individual is None or individual.days is None:
        return when
    first = individual.days.first
    at = wall(first, time(), context.situation.site.zone) if first else None
    return replace(when, window=individual.days, at=at, expires=None, waits_for=None)


def _offset(context: Context, action: Resource, scope: Scope) -> Timed:
    site = context.situation.site
    for related in action.get("relatedAction", []):
        offset = offsets(related)
        if offset is None:
            continue
        anchor = _moment(context, related["actionId"], scope)
        if anchor is None:
            before = related["relationship"].startswith("before")
            return Timed(waits_for=None if before else related["actionId"], provisional=not before)
        return timed(anchor, related["relationship"], *offset, site.zone, site.parameters.reminder_time)
    return Timed()


def _moment(context: Context, action_id: str, scope: Scope) -> Moment | None:
    action = context.actions[action_id]
    if context.is_surgery(action):
        return scope.surgery.moment if scope.surgery else None
    zone = context.situation.site.zone
    start = (context.existing(action, scope) or {}).get("start")
    day = calendar_date(start, zone) if start else None
    return Moment(day, day) if day else None


def due(context: Context, action: Resource, scope: Scope, when: Timed) -> DueWork:
    """The due row at which an action's start condition is looked at."""
    assert when.at and when.window
    days = when.window.period()
    return DueWork(
        key=context.key(action, scope).value,
        kind=START,
        due_at=when.at,
        wall_time=when.at.astimezone(context.zone).replace(tzinfo=None).isoformat(),
        zone=context.situation.site.zone,
        care_plan=reference_to(context.situation.care_plan),
        action=action["id"],
        why=str(action.get("title", action["id"])),
        window_low=days.get("start"),
        window_high=days.get("end"),
        expires_at=when.expires,
        payload={"version": VERSION},
    )

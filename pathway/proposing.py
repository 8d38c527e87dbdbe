"""One action that applies -> the request that should exist: its place in time, its owner, its visit, its values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta

from pathway import codes
from pathway.care_team import owner_of
from pathway.context import Context, Scope, conditions
from pathway.looking import Looking
from pathway.parameters import computed
from pathway.ports import Key, Resource
from pathway.references import reference_to
from pathway.requests import Brief, build, flag, place
from pathway.site import Owner, coding_of
from pathway.tags import tagged
from pathway.timing import Timed, Window, limit
from pathway.visits import Visit, VisitAsked, VisitChooser, asked_again, with_terms
from pathway.when import own_window


@dataclass(frozen=True)
class Proposal:
    """A request that should exist.

    `held`: it stays here until its anchor has happened. `over`: the stop condition that holds. `flag`: what it reports.
    `own`: the plan's own days, where a clinician's stand in their place and the plan's have changed since.
    `usual_owner`: who has the role at the site, where the patient's care team names nobody. `to_book`: why a person
    has to see to it that this visit gets its day.
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
    to_book: str | None = None


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
        over = self.looking.first("stop")
        asked = None if over else self._asked(when)
        brief = self._brief(when, self._visit(asked))
        resource = {**build(activity, brief), **self._limited(activity, brief.key)}
        if asked and brief.visit:
            resource = with_terms(resource, asked, brief.visit)
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
            over=over,
            flag=raised,
            own=self._own_days(),
            usual_owner=usual.reference if usual else None,
            to_book=self._to_book(brief.visit, when.window),
        )

    def _limited(self, activity: Resource, key: Key) -> Resource:
        """The period of a Task that has to be answered within a time (ActivityDefinition.timing) of being asked for."""
        if "timingDuration" not in activity:
            return {}
        existing = self.context.situation.by_key.get(("Task", key.value))
        if existing is not None:
            return {"restriction": existing["restriction"]} if "restriction" in existing else {}
        site, now = self.context.situation.site, self.context.now.clinical
        within = computed(activity["timingDuration"], self.context.parameters)
        end = limit(now, within, site.zone, site.calendar.works)
        local = [at.astimezone(self.context.zone).isoformat(timespec="seconds") for at in (now, end)]
        return {"restriction": {"period": dict(zip(("start", "end"), local, strict=True))}}

    def _to_book(self, visit: Visit | None, days: Window | None) -> str | None:
        """After the last day of the window the missed visit is a matter of its own (fu-missed-visit)."""
        if visit is None or days is None or days.last is None:
            return None
        earlier = self.context.earlier_visits(self.action, self.scope)
        if earlier and earlier[-1]["status"] == "cancelled":
            day = str(earlier[-1]["start"])[:10]
            return f"The visit of {day} was cancelled at the hospital; another one is asked for. {visit.why}"
        needed = visit.standing not in (None, "too-early-to-book")
        return visit.why if needed and self.context.today <= days.last else None

    def _own_days(self) -> Window | None:
        individual = self.context.individual(self.action, self.scope)
        own = own_window(self.context, self.action, self.scope)
        moved = individual is not None and individual.days and own and own.in_words() != individual.instead
        return own if moved else None

    def _brief(self, when: Timed, visit: Visit | None) -> Brief:
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
            visit=visit,
            occurs=when.at.astimezone(UTC).isoformat().replace("+00:00", "Z") if when.at else None,
            provisional=when.provisional and not conditions(action, "start"),
            focus=self._focus(),
            surgery=surgery.request if surgery else None,
            group=f"{context.situation.key.value}:{surgery.occurrence}" if surgery else None,
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

    def _asked(self, when: Timed) -> VisitAsked | None:
        """What is asked for where the action is a visit whose days are known."""
        days, context = when.window, self.context
        if context.kind(self.action) != "Appointment" or not (days and days.first and days.last):
            return None
        anchor = self.scope.surgery.moment if self.scope.surgery else None
        target_day = context.situation.site.parameters.target_day
        target = anchor.end + timedelta(days=target_day) if anchor else days.first
        asked = VisitAsked(
            key=context.key(self.action, self.scope, when).value,
            first=days.first,
            last=days.last,
            target=min(max(target, days.first), days.last),
            today=context.today,
            actors=frozenset(owner.reference for owner in self._owners()),
        )
        return asked_again(asked, context.existing(self.action, self.scope, when))

    def _visit(self, asked: VisitAsked | None) -> Visit | None:
        individual = self.context.individual(self.action, self.scope)
        if asked and individual and individual.days and asked.first == asked.last:
            return Visit(asked.first, individual.why)
        return self.choose_visit(asked) if asked else None

    def _focus(self) -> str | None:
        """The request an action runs alongside or is timed from, else the surgery when there is none yet."""
        related = self.action.get("relatedAction", [])
        for relation in related:
            other = self.context.action(relation["actionId"])
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

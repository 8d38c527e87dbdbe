"""PlanDefinition/$apply: definitions + what is known of a patient -> the requests that should exist, and why.

Pure. An action with `cardinalityBehavior` multiple is applied once per resource that fits its trigger (a decision,
a diary entry), and everything below it belongs to that occurrence. Conditions: every `applicability` must hold;
a `start` condition is looked at when the action's time has come; a `stop` condition that holds completes it.
`relatedAction` offsets become dates from the anchor (https://hl7.org/fhir/R4/plandefinition.html#12.18.3.3).

An action that cannot be worked out is an issue and stays as it is (`undecided`); the rest of the plan still comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pathway import choice
from pathway.context import Context, Scope, conditions
from pathway.due_work import DueWork
from pathway.errors import NotFound, PathwayError
from pathway.expressions import ExpressionFailed
from pathway.issues import Issue
from pathway.looking import Looked, Looking, fault, meanings
from pathway.occurrences import scopes_of
from pathway.outline import walk
from pathway.parameters import Value
from pathway.patients import died
from pathway.ports import Resource
from pathway.proposing import Proposal, Proposing
from pathway.surgery import Surgery
from pathway.timing import Timed
from pathway.undecided import Undecided
from pathway.visits import VisitChooser
from pathway.when import due, placed, quiet_hours


@dataclass(frozen=True)
class Explanation:
    """Why an action is in the plan or not, as a sentence.

    `parameters`: the site's values its expressions rest on; `looked`: each expression, what it gave and what it read.
    """

    action: str
    occurrence: str
    included: bool
    why: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    looked: tuple[Looked, ...] = ()


@dataclass
class Applied:
    """The result of one application.

    `undecided`: about what nothing can be said now: what exists of it is neither moved nor withdrawn.
    `served`: the goals that actions of the plan serve now, each with the scopes of these actions.
    """

    proposals: list[Proposal] = field(default_factory=list)
    due: list[DueWork] = field(default_factory=list)
    explanations: list[Explanation] = field(default_factory=list)
    surgeries: list[Surgery] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    undecided: Undecided = field(default_factory=Undecided)
    served: dict[str, list[Scope]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Met:
    """An action in one scope, with the answer of its conditions: True, False or None (unknown).

    `done`: a surgery that took place, which is no choice any more.
    """

    action: Resource
    scope: Scope
    looking: Looking
    applies: bool | None
    why: str
    done: bool = False


def apply(context: Context, choose_visit: VisitChooser) -> Applied:
    """Apply the plan that the situation's CarePlan instantiates."""
    application = _Application(context, choose_visit)
    if death := died(context.situation.subject):
        return application.nothing(death)
    scope = Scope()
    scope = replace(scope, variables=context.variables(scope))
    application.group(context.plan, scope)
    return application.released()


class _Application:
    def __init__(self, context: Context, choose_visit: VisitChooser) -> None:
        self.context = context
        self.choose_visit = choose_visit
        self.result = Applied()
        self.release: set[tuple[str, str]] = set()

    def nothing(self, why: str) -> Applied:
        """No action is in the plan of a patient who died: what is ours is withdrawn, a person is asked for the rest."""
        for action in walk(self.context.plan.get("action", [])):
            self._explain(action, Scope(), False, why)
        return self.result

    def group(self, group: Resource, outer: Scope) -> None:
        self._decide(group, self._children(group, outer))

    def _children(self, group: Resource, outer: Scope) -> list[_Met]:
        return [self._met(action, scope) for action in group.get("action", []) for scope in self._scopes(action, outer)]

    def _decide(self, group: Resource, children: Sequence[_Met]) -> None:
        """Children together: which of them may be chosen depends on the others."""
        clash = choice.clash(group, _applying(children))
        if clash:
            self._report(fault(group, "selectionBehavior", clash))
        for each in children:
            clashing = clash if not each.done else None
            if each.applies and not clashing:
                self._take(each)
            else:
                self._leave(each, f"undecided: {clashing}" if clashing and each.applies else each.why)
            self._report(*each.looking.issues)
            if clashing or (each.looking.issues and not each.applies):
                self.result.undecided.add_all(each.action, each.scope.occurrence)

    def released(self) -> Applied:
        """What runs `concurrent-with-start` of an action that has started is no longer held."""
        self.result.proposals = [
            replace(p, held=p.held and (p.action, p.scope.occurrence) not in self.release)
            for p in self.result.proposals
        ]
        return self.result

    def _scopes(self, action: Resource, outer: Scope) -> Sequence[Scope]:
        try:
            scopes = scopes_of(self.context, action, outer)
        except PathwayError as error:
            self._report(fault(action, "trigger", str(error)))
            self._explain(action, outer, False, f"cannot be said: {error}")
            self._below(action, outer)
            self.result.undecided.add_all(action)
            return ()
        if not scopes:
            self._explain(action, outer, False, "nothing has led to it yet")
            self._below(action, outer)
        return scopes

    def _met(self, action: Resource, scope: Scope) -> _Met:
        looking = Looking(self.context, action, scope)
        surgery = scope.surgery if self.context.is_surgery(action) else None
        if surgery:
            self._note(surgery, action)
        if surgery and surgery.done_on:
            return _Met(action, scope, looking, True, f"the surgery took place on {surgery.done_on}", done=True)
        individual = self.context.individual(action, scope)
        if individual and individual.change != "change":
            return _Met(action, scope, looking, individual.change == "add", individual.why)
        applies, decided_by = looking.holds("applicability")
        if decided_by is not None:
            word = {False: "not so", None: "unknown"}[applies]
            word = "cannot be said" if looking.issues else word
            return _Met(action, scope, looking, applies, f"{word}: {decided_by.meaning}")
        why = meanings(conditions(action, "applicability")) or "always part of the pathway"
        return _Met(action, scope, looking, True, why)

    def _note(self, surgery: Surgery, action: Resource) -> None:
        self.result.surgeries.append(surgery)
        if surgery.unreadable:
            self._report(fault(action, "", surgery.unreadable))
        if surgery.unreadable and surgery.recorded_by:
            self.result.undecided.add("", surgery.occurrence)

    def _take(self, met: _Met) -> None:
        for goal in met.action.get("goalId", []):
            self.result.served.setdefault(goal, []).append(met.scope)
        children = self._children(met.action, met.scope)
        if "definitionCanonical" in met.action:
            self._request(met)
        else:
            lacking = choice.lacking(met.action, _applying(children))
            self._explain(met.action, met.scope, True, "; ".join(filter(None, (met.why, lacking))), met.looking)
        self._decide(met.action, children)

    def _request(self, met: _Met) -> None:
        try:
            when = placed(self.context, met.action, met.scope)
            if self._unreadable(met, when) or self._awaited(met, when):
                return
            proposing = Proposing(self.context, self.choose_visit, met.action, met.scope, met.looking)
            proposal = proposing.proposal(when, met.why)
        except ExpressionFailed as error:
            self._cannot(met, str(error))
            return
        except NotFound as error:
            self._lacking(met, str(error))
            return
        except PathwayError as error:
            self._report(fault(met.action, "", str(error)))
            self._cannot(met, str(error))
            return
        self.result.proposals.append(proposal)
        self._explain(met.action, met.scope, True, proposal.why, met.looking)
        for related in met.action.get("relatedAction", []):
            if related["relationship"] == "concurrent-with-start":
                self.release.add((related["actionId"], met.scope.occurrence))

    def _unreadable(self, met: _Met, when: Timed) -> bool:
        """Whether nothing may change, as the date that it is timed from cannot be read.

        What does not exist yet comes, or waits, as it does while there is no date; it never goes by an earlier one.
        """
        if when.unreadable is None:
            return False
        anchor, why = when.unreadable
        self._report(fault(self.context.actions[anchor], "", why))
        self.result.undecided.add(met.action["id"], met.scope.occurrence)
        stays = when.window is not None or self.context.existing(met.action, met.scope, when) is not None
        if stays:
            self._cannot(met, why)
        return stays

    def _lacking(self, met: _Met, why: str) -> None:
        """Nested plans stand in the place of the action that names them: one that does not contains itself."""
        canonical = met.action["definitionCanonical"]
        if self.context.library.find(canonical, "PlanDefinition"):
            why = f"Plans contain each other: {canonical} is above already"
        self._report(fault(met.action, "definitionCanonical", why))
        self._cannot(met, why)

    def _cannot(self, met: _Met, why: str) -> None:
        self._explain(met.action, met.scope, False, f"cannot be said: {why}", met.looking)
        self.result.undecided.add(met.action["id"], met.scope.occurrence)

    def _awaited(self, met: _Met, when: Timed) -> bool:
        """Whether what does not exist yet has to wait: for a date, for its time, or for what starts it."""
        if self.context.existing(met.action, met.scope, when) is not None:
            return False
        if when.waits_for:
            self._explain(met.action, met.scope, False, f"waits for the date of {when.waits_for}", met.looking)
            return True
        return bool(conditions(met.action, "start")) and not self._started(met, when)

    def _started(self, met: _Met, when: Timed) -> bool:
        if when.at is None:
            self._explain(met.action, met.scope, False, "its time is not known yet", met.looking)
            return False
        now = self.context.now.clinical
        if now < when.at:
            self.result.due.append(due(self.context, met.action, met.scope, when))
            self._explain(met.action, met.scope, False, f"will be looked at on {when.at.isoformat()}", met.looking)
            return False
        if when.expires and now >= when.expires:
            self._explain(met.action, met.scope, False, "its time has passed", met.looking)
            return False
        started, decided_by = met.looking.holds("start")
        if started:
            return not self._kept_quiet(met, when)
        because = f": {decided_by.meaning}" if decided_by else ""
        if met.looking.issues:
            self._cannot(met, f"when its time came{because}")
            return False
        self._explain(met.action, met.scope, False, f"not needed when its time came{because}", met.looking)
        return False

    def _kept_quiet(self, met: _Met, when: Timed) -> bool:
        """Whether a message that is late has to wait for the end of the quiet hours, or for nothing any more."""
        hours, now = quiet_hours(self.context, met.action), self.context.now.clinical
        later = hours.until(now) if hours else now
        if later <= now:
            return False
        in_vain = when.expires is not None and later >= when.expires
        again = when.expires if in_vain else later
        self.result.due.append(due(self.context, met.action, met.scope, replace(when, at=again)))
        why = "and its time will have passed when they end" if in_vain else f"they end at {later.isoformat()}"
        self._explain(met.action, met.scope, False, f"it is due in the patient's quiet hours; {why}", met.looking)
        return True

    def _leave(self, met: _Met, why: str) -> None:
        self._explain(met.action, met.scope, False, why, met.looking)
        self._below(met.action, met.scope)

    def _below(self, action: Resource, scope: Scope) -> None:
        why = f"part of '{action.get('title', action['id'])}', which is not in the plan"
        for inner in walk(action.get("action", [])):
            self._explain(inner, scope, False, why)

    def _report(self, *issues: Issue) -> None:
        self.result.issues += [issue for issue in issues if issue not in self.result.issues]

    def _explain(
        self, action: Resource, scope: Scope, included: bool, why: str, looking: Looking | None = None
    ) -> None:
        parameters = self.context.parameters_of(action["id"])
        looked = tuple(looking.looked) if looking else ()
        self.result.explanations.append(Explanation(action["id"], scope.occurrence, included, why, parameters, looked))


def _applying(children: Sequence[_Met]) -> list[Resource]:
    return [met.action for met in children if met.applies and not met.done]

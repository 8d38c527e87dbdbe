"""What happened -> what changes. Pure: a situation in, the changes out, and nothing when all is as it should be.

`replan` compares what the pathway asks for (apply) with what exists. What nobody has accepted, booked or started
moves; what somebody has belongs to the hospital and gets a Task "confirm new date"; what is over stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pathway import codes
from pathway.apply import Applied, Explanation, apply
from pathway.assessment import assess, task_input
from pathway.care_team import reowned
from pathway.context import Context
from pathway.goals import GOAL, goals, pertaining
from pathway.individual import INDIVIDUAL
from pathway.issues import Issue
from pathway.keys import key_of
from pathway.listing import listing
from pathway.overruling import overrulings, record
from pathway.ports import Alert, Create, DueWork, Resource, Update, VisitChooser
from pathway.proposing import Proposal
from pathway.references import reference_to
from pathway.requests import PROVISIONAL
from pathway.review import (
    QUESTIONS,
    confirm_cancellation,
    confirm_date,
    days_of,
    document_decision,
    document_step,
)
from pathway.risk_record import risk_record
from pathway.tasks import is_movable, is_open, modified, moved_to, was_withdrawn, withdrawn
from pathway.visits import same_terms, with_terms_of

_OURS: Mapping[str, tuple[str, ...]] = {
    "Task": ("restriction", "focus", "businessStatus", "input"),
    "Appointment": ("requestedPeriod", "slot"),
    "ServiceRequest": ("occurrencePeriod",),
    "CommunicationRequest": ("occurrenceDateTime", "payload"),
}
_URGENCY: Mapping[str, int] = {"routine": 0, "urgent": 1, "asap": 2, "stat": 3}
# What the plan's actions do not ask for, and so do not withdraw either.
_APART = QUESTIONS | {"", "review", "risk-assessment", GOAL, INDIVIDUAL}
_CAN_GO = {"businessStatus": PROVISIONAL}
_GOES_WITH_THE_DAY = ("requestedPeriod", "slot")


@dataclass
class Changes:
    """What has to be written together.

    `release`: resources that may be at the hospital from now on (what is there already is kept up to date anyway).
    `questions`: those that are still to be answered. `undecided`: occurrences whose form cannot be used and actions
    that cannot be worked out, so that nothing about them changes; `issues` say why. `reasons`: for each changed
    resource, why. `due`: all work that lies ahead of the plan. `records`: Provenance to be kept once. `explanations`:
    why each of the plan's `actions` (by id) is in it or not.
    """

    resources: list[Create | Update] = field(default_factory=list)
    release: list[str] = field(default_factory=list)
    due: list[DueWork] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    questions: set[tuple[str, str]] = field(default_factory=set)
    undecided: frozenset[str] = frozenset()
    records: list[Resource] = field(default_factory=list)
    explanations: Sequence[Explanation] = ()
    actions: Mapping[str, Resource] = field(default_factory=dict)
    issues: Sequence[Issue] = ()

    def ask(self, context: Context, task: Resource) -> None:
        """A question for a person, put once and taken back when it is none any more."""
        key = ("Task", str(task["identifier"][0]["value"]))
        self.questions.add(key)
        if key not in context.situation.by_key:
            self.create(task, str(task["description"]))

    def create(self, resource: Resource, why: str, *, release: bool = True) -> None:
        self.resources.append(Create(resource, key_of(resource)))
        self._note(resource, why, release=release)

    def update(self, resource: Resource, why: str, *, release: bool = True) -> None:
        self.resources.append(Update(resource, resource.get("meta", {}).get("versionId")))
        self._note(resource, why, release=release)

    def _note(self, resource: Resource, why: str, *, release: bool) -> None:
        self.reasons.append((reference_to(resource), why))
        if release:
            self.release.append(reference_to(resource))


def replan(context: Context, choose_visit: VisitChooser) -> Changes:
    """The difference between what the pathway asks for now and what exists."""
    applied = apply(context, choose_visit)
    changes = Changes(
        due=applied.due,
        explanations=applied.explanations,
        actions=context.actions,
        issues=applied.issues,
        undecided=context.unusable | applied.undecided,
    )
    _accompany(context, changes, applied)
    for proposal in applied.proposals:
        _with_assessment(context, proposal)
        existing = context.situation.by_key.get((proposal.resource["resourceType"], proposal.key.value))
        if existing is None:
            _create(context, changes, proposal)
        else:
            _change(context, changes, proposal, existing)
    _keep_records(changes, applied)
    _withdraw(context, changes, applied)
    _overrule(context, changes)
    _take_back(context, changes)
    _list(context, changes)
    return changes


def _accompany(context: Context, changes: Changes, applied: Applied) -> None:
    """What stands beside the requests: the plan's goals and the risks."""
    risks = risk_record(context)
    for resource, why in [*goals(context, applied), *([risks] if risks else [])]:
        key = key_of(resource)
        known = key is not None and (resource["resourceType"], key.value) in context.situation.by_key
        write = changes.update if known else changes.create
        write(resource, why)


def _with_assessment(context: Context, proposal: Proposal) -> None:
    """The Task that asks for the decision carries the proposed result and its reasons (A19); it decides nothing."""
    responses = context.situation.responses(codes.INDICATIONS)
    if proposal.action != codes.RECORD_DECISION or not responses:
        return
    proposal.resource.setdefault("input", []).extend(task_input(assess(responses[-1], context.parameters)))


def _create(context: Context, changes: Changes, proposal: Proposal) -> None:
    if proposal.over:
        return
    if pertains := pertaining(context, context.actions[proposal.action]):
        proposal.resource["extension"] = [*proposal.resource.get("extension", []), *pertains]
    if proposal.flag is not None:
        if ("Flag", proposal.key.value) not in context.situation.by_key:
            changes.create(proposal.flag, proposal.why)
        priority = proposal.resource.get("priority")
        if priority != "routine":
            changes.alerts.append(
                Alert(proposal.action, "stat" if priority == "stat" else "urgent", reference_to(proposal.resource))
            )
    changes.create(proposal.resource, proposal.why, release=not proposal.held)


def _change(context: Context, changes: Changes, proposal: Proposal, existing: Resource) -> None:
    if not is_open(existing):
        if _undocumented(context, proposal, existing):
            changes.ask(context, document_step(context, existing))
        return
    if proposal.over:
        _end(context, changes, existing, proposal.over)
        return
    if proposal.own is not None:
        changes.ask(context, confirm_date(context, existing, proposal.own.in_words()))
    moved = _moved(existing, proposal, context.now.instant)
    if is_movable(existing):
        if moved is not None:
            changes.update(moved, _why_moved(existing, moved, proposal), release=not proposal.held)
        elif not proposal.held:
            changes.release.append(reference_to(existing))
    elif moved is not None and _days(existing) != _days(proposal.resource):
        changes.ask(context, confirm_date(context, existing, days_of(proposal.resource)))


def _end(context: Context, changes: Changes, existing: Resource, why: str) -> None:
    """A stop condition holds: a Task is completed, anything else that nobody has taken on is withdrawn."""
    if existing["resourceType"] == "Task":
        changes.update(moved_to(existing, "completed", at=context.now.instant, reason=why), why)
    elif is_movable(existing):
        changes.update(withdrawn(existing, at=context.now.instant, reason=why), why, release=False)


def _undocumented(context: Context, proposal: Proposal, existing: Resource) -> bool:
    """Whether a required step was ended at the hospital by somebody who did not say why."""
    required = str(context.actions[proposal.action].get("requiredBehavior", "")).startswith("must")
    ended = existing["resourceType"] == "Task" and existing["status"] in ("cancelled", "rejected", "failed")
    return required and ended and not was_withdrawn(existing) and "statusReason" not in existing


def _overrule(context: Context, changes: Changes) -> None:
    """Where the surgeon decided against the proposal, the reason is kept; where there is none, it is asked for."""
    for overruling in overrulings(context):
        if overruling.reason:
            changes.records.append(record(context, overruling))
        else:
            changes.ask(context, document_decision(context, overruling.response, overruling.sentence))


def _moved(existing: Resource, proposal: Proposal, instant: str) -> Resource | None:
    """The existing request brought to what is proposed; None when there is nothing to change."""
    proposed, managed = proposal.resource, _OURS[existing["resourceType"]]
    owned = reowned(existing, proposed, proposal.usual_owner)
    changed = {name: proposed[name] for name in managed if name in proposed and proposed[name] != existing.get(name)}
    left_out = [n for n in managed if n in existing and n not in proposed]
    gone = [n for n in left_out if n in _GOES_WITH_THE_DAY or existing[n] == _CAN_GO.get(n)]
    if existing["resourceType"] == "Task" and existing["status"] == "draft" and proposed["status"] == "requested":
        changed["status"] = "requested"
    if existing["resourceType"] == "Appointment":
        owned = owned if same_terms(existing, proposed) else with_terms_of(existing, proposed)
        if existing["status"] != proposed["status"]:
            changed["status"] = proposed["status"]
    if _is_raised(existing, proposed):
        changed["priority"] = proposed["priority"]
    if existing["resourceType"] == "Appointment" and (changed or gone or owned is not existing):
        changed["comment"] = proposed.get("comment")
    if not changed and not gone and owned is existing:
        return None
    if existing["resourceType"] == "Task":
        changed["lastModified"] = modified(existing, instant)
    return {name: value for name, value in {**owned, **changed}.items() if name not in gone}


def _is_raised(existing: Resource, proposed: Resource) -> bool:
    """A priority is raised as the answers say, never lowered: somebody may have raised it knowingly."""
    known = [_URGENCY.get(str(r.get("priority", "routine")), 0) for r in (existing, proposed)]
    return known[1] > known[0]


def _days(resource: Resource) -> Resource:
    """The days for which a request is sought: a time of day makes no other day of it."""
    period: Resource = resource.get("restriction", {}).get("period") or resource.get("occurrencePeriod") or {}
    period = next(iter(resource.get("requestedPeriod", [])), period)
    at = resource.get("occurrenceDateTime")
    return {"at": at} if at else {end: str(period[end])[:10] for end in ("start", "end") if end in period}


def _why_moved(existing: Resource, moved: Resource, proposal: Proposal) -> str:
    if _days(existing) != _days(proposal.resource):
        why = f"moved from {days_of(existing)} to {days_of(proposal.resource)}, as what it depends on moved"
        return f"{why}; {proposal.why}" if "comment" in proposal.resource else why
    if moved.get("owner") != existing.get("owner"):
        return f"given to {moved['owner']['reference']}, who has the role for this patient now"
    return proposal.why


def _keep_records(changes: Changes, applied: Applied) -> None:
    """The excision order names the Procedure that was recognised as its record, so that it is not guessed again."""
    for surgery in applied.surgeries:
        if surgery.request is None or surgery.operation is None or surgery.recorded_by:
            continue
        record = {"reference": reference_to(surgery.operation)}
        named = {**surgery.request, "supportingInfo": [*surgery.request.get("supportingInfo", []), record]}
        changes.update(named, f"the operation of {surgery.done_on} is the record of this order", release=False)


def _withdraw(context: Context, changes: Changes, applied: Applied) -> None:
    """What the pathway no longer asks for: withdrawn where it is still ours, otherwise a person is asked."""
    wanted = {(p.resource["resourceType"], p.key.value) for p in applied.proposals}
    reasons = {(e.action, e.occurrence): e.why for e in applied.explanations if not e.included}
    for (type, value), existing in context.situation.by_key.items():
        action, occurrence = _action_of(context, value)
        if action in _APART or (type, value) in wanted or type == "Flag" or not is_open(existing):
            continue
        if {action, occurrence} & changes.undecided:
            continue
        why = reasons.get((action, occurrence), "the pathway no longer asks for it")
        if _reports_flag(existing) or not is_movable(existing):
            changes.ask(context, confirm_cancellation(context, existing, why))
        else:
            changes.update(withdrawn(existing, at=context.now.instant, reason=why), why, release=False)


def _take_back(context: Context, changes: Changes) -> None:
    """A question that is none any more."""
    for (type, value), existing in context.situation.by_key.items():
        if (
            _action_of(context, value)[0] in QUESTIONS
            and (type, value) not in changes.questions
            and is_movable(existing)
        ):
            why = "the question has settled itself"
            changes.update(withdrawn(existing, at=context.now.instant, reason=why), why, release=False)


def _action_of(context: Context, value: str) -> tuple[str, str]:
    """The action and occurrence of a key; "" for a key that is of no plan, such as that of a hospital's review."""
    prefix = f"{context.situation.key.value}:"
    action, _, rest = value.removeprefix(prefix).partition(":") if value.startswith(prefix) else ("", "", "")
    return action, rest.partition(":")[0]


def _reports_flag(resource: Resource) -> bool:
    return str(resource.get("focus", {}).get("reference", "")).startswith("Flag/")


def _list(context: Context, changes: Changes) -> None:
    created = [reference_to(c.resource) for c in changes.resources if isinstance(c, Create)]
    known = [reference_to(resource) for resource in context.situation.by_key.values()]
    care_plan = listing(context.situation.care_plan, [*known, *created])
    if care_plan is not None:
        changes.update(care_plan, "what belongs to the plan")

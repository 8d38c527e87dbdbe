"""What happened -> what changes. Pure: a situation in, the changes out, and nothing when all is as it should be.

`replan` compares what the pathway asks for (apply) with what exists. What nobody has accepted, booked or started
moves; what somebody has belongs to the hospital and gets a Task "confirm new date"; what is over stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pathway import codes
from pathway.apply import Applied, Explanation, apply
from pathway.assessment import assess, task_input
from pathway.context import Context
from pathway.delivery import delivered
from pathway.due_work import DueWork
from pathway.goals import GOAL, goals, pertaining
from pathway.individual import INDIVIDUAL
from pathway.issues import Issue
from pathway.keys import action_of, id_of, key_of
from pathway.listing import listing
from pathway.moving import are_other_days, moved, why_moved
from pathway.overruling import overrulings, record
from pathway.patients import died
from pathway.ports import Alert, Create, Key, Resource, Update
from pathway.proposing import Proposal
from pathway.references import reference_to
from pathway.review import (
    QUESTIONS,
    about_patient,
    book_visit,
    confirm_cancellation,
    confirm_date,
    days_of,
    document_decision,
    document_step,
    planned_day,
)
from pathway.risk_record import risk_record
from pathway.tasks import calls, is_movable, is_open, moved_to, was_refused, was_withdrawn, withdrawn
from pathway.undecided import Undecided
from pathway.visits import VisitChooser

# What the plan's actions do not ask for, and so do not withdraw either.
_APART = QUESTIONS | {"", "review", "risk-assessment", GOAL, INDIVIDUAL}


@dataclass
class Changes:
    """What has to be written together.

    `release`: resources that may be at the hospital from now on (what is there already is kept up to date anyway).
    `questions`: those that are still to be answered. `undecided`: what cannot be worked out, so that nothing about it
    changes; `issues` say why. `reasons`: for each changed
    resource, why. `due`: all work that lies ahead of the plan. `records`: Provenance to be kept once. `explanations`:
    why each of the plan's `actions` (by id) is in it or not.
    """

    resources: list[Create | Update] = field(default_factory=list)
    release: list[str] = field(default_factory=list)
    due: list[DueWork] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    questions: set[tuple[str, str]] = field(default_factory=set)
    undecided: Undecided = field(default_factory=Undecided)
    records: list[Resource] = field(default_factory=list)
    explanations: Sequence[Explanation] = ()
    actions: Mapping[str, Resource] = field(default_factory=dict)
    issues: Sequence[Issue] = ()

    def ask(self, context: Context, task: Resource) -> None:
        """A question for a person, put once and taken back when it is none any more."""
        key = context.unused("Task", Key(codes.KEY_SYSTEM, str(task["identifier"][0]["value"])))
        self.questions.add(("Task", key.value))
        if ("Task", key.value) not in context.situation.by_key:
            again = {**task, "id": id_of("Task", key), "identifier": [key.identifier()]}
            self.create(again, str(task["description"]))

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
    """The difference between what the pathway asks for now and what exists.

    What a confirmation completes comes first and alone: all else is worked out from it.
    """
    confirmed = Changes()
    for message, why in delivered(context.situation):
        confirmed.update({**message, "status": "completed"}, why)
    if confirmed.resources:
        return confirmed
    applied = apply(context, choose_visit)
    changes = Changes(
        due=applied.due,
        explanations=applied.explanations,
        actions=context.actions,
        issues=applied.issues,
        undecided=_undecided(context, applied),
    )
    _accompany(context, changes, applied)
    for proposal in applied.proposals:
        _with_assessment(context, proposal)
        existing = context.situation.by_key.get((proposal.resource["resourceType"], proposal.key.value))
        if proposal.to_book and (existing is None or is_movable(existing)):
            changes.ask(context, book_visit(context, existing or proposal.resource, proposal.to_book))
        if existing is None:
            _create(context, changes, proposal)
        else:
            _change(context, changes, proposal, existing)
    _keep_records(changes, applied)
    _withdraw(context, changes, applied)
    for question in [about_patient(context), *(planned_day(context, surgery) for surgery in applied.surgeries)]:
        if question is not None:
            changes.ask(context, question)
    if died(context.situation.subject) is None:
        _overrule(context, changes)
    _take_back(context, changes)
    _list(context, changes)
    return changes


def _undecided(context: Context, applied: Applied) -> Undecided:
    """Also what rests on answers that cannot be used, and what a plan that is not there may have asked for."""
    unusable = {("", response) for response in context.unusable}
    known = frozenset(context.actions) if context.outline.lacking else None
    return Undecided(applied.undecided.places | unusable, known)


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
    if proposal.flag is not None and ("Flag", proposal.key.value) not in context.situation.by_key:
        changes.create(proposal.flag, proposal.why)
    priority = proposal.resource.get("priority")
    if (proposal.flag is not None or calls(proposal.resource)) and priority != "routine":
        urgency: Literal["urgent", "stat"] = "stat" if priority == "stat" else "urgent"
        changes.alerts.append(Alert(proposal.action, urgency, reference_to(proposal.resource)))
    changes.create(proposal.resource, proposal.why, release=not proposal.held)


def _change(context: Context, changes: Changes, proposal: Proposal, existing: Resource) -> None:
    if not is_open(existing):
        if _undocumented(context, proposal, existing):
            changes.ask(context, document_step(context, existing))
        if was_refused(existing):
            changes.ask(
                context, book_visit(context, existing, "It was cancelled at the hospital before it was booked.")
            )
        return
    if proposal.over:
        _end(context, changes, existing, proposal.over)
        return
    if proposal.own is not None:
        changes.ask(context, confirm_date(context, existing, proposal.own.in_words()))
    newer = moved(existing, proposal, context.now.instant)
    if is_movable(existing):
        if newer is not None:
            changes.update(newer, why_moved(existing, newer, proposal), release=not proposal.held)
        elif not proposal.held:
            changes.release.append(reference_to(existing))
    elif newer is not None and are_other_days(existing, proposal.resource):
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
        action, occurrence = action_of(context.situation.key, value)
        if action in _APART or (type, value) in wanted or type == "Flag" or not is_open(existing):
            continue
        if (action, occurrence) in changes.undecided or _was_carried_out(existing):
            continue
        why = reasons.get((action, occurrence), died(context.situation.subject) or "the pathway no longer asks for it")
        if _reports_flag(existing) or not is_movable(existing):
            changes.ask(context, confirm_cancellation(context, existing, why))
        else:
            changes.update(withdrawn(existing, at=context.now.instant, reason=why), why, release=False)


def _was_carried_out(order: Resource) -> bool:
    """An order that names the record of its operation is history."""
    return any(str(r.get("reference")).startswith("Procedure/") for r in order.get("supportingInfo", []))


def _take_back(context: Context, changes: Changes) -> None:
    """A question that is none any more."""
    for (type, value), existing in context.situation.by_key.items():
        if (
            action_of(context.situation.key, value)[0] in QUESTIONS
            and (type, value) not in changes.questions
            and is_movable(existing)
        ):
            why = "the question has settled itself"
            changes.update(withdrawn(existing, at=context.now.instant, reason=why), why, release=False)


def _reports_flag(resource: Resource) -> bool:
    return str(resource.get("focus", {}).get("reference", "")).startswith("Flag/")


def _list(context: Context, changes: Changes) -> None:
    created = [reference_to(c.resource) for c in changes.resources if isinstance(c, Create)]
    known = [reference_to(resource) for resource in context.situation.by_key.values()]
    care_plan = listing(context.situation.care_plan, [*known, *created])
    if care_plan is not None:
        changes.update(care_plan, "what belongs to the plan")

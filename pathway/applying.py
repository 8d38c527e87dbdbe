"""PlanDefinition/$apply and ActivityDefinition/$apply: what would exist for a patient, and nothing is kept.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html: a CarePlan whose one activity is a contained RequestGroup.
What the plan asks for now is in it: requests that do not exist yet or would change are contained, those that exist as
they should are referred to, those that are over are left out. As a Bundle, what is contained is an entry instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pathway import codes
from pathway.apply import apply
from pathway.circumstances import Circumstances
from pathway.context import Context, Scope
from pathway.errors import InvalidResource, NotFound, PathwayError
from pathway.intake import Pathway
from pathway.issues import Issue, operation_outcome
from pathway.library import Library
from pathway.looking import Looking
from pathway.nested import pinned
from pathway.outline import walk
from pathway.ports import Resource, Transaction
from pathway.proposed_plan import ProposedPlan
from pathway.proposing import Proposing
from pathway.references import reference_to
from pathway.settle import settle
from pathway.site import coding_of
from pathway.situation import Now
from pathway.timing import Timed
from pathway.transient import Transient, transient
from pathway.whole import with_messages, without


@dataclass(frozen=True)
class Applying:
    """One $apply inside a transaction that only reads."""

    pathway: Pathway
    tx: Transaction
    now: Now
    circumstances: Circumstances

    def plan(self, plan: Resource, subject: str, *, bundle: bool = False) -> Resource:
        """The proposed CarePlan, or the same as a transaction Bundle; what cannot be worked out is an issue in it.

        Raises NotFound, InvalidResource, Refused.
        """
        found = self._transient(plan, subject)
        before = Context.of(self.pathway.library, found.situation, self.now)
        choose_visit = self.pathway.choosing(self.tx)
        settled = settle(before, choose_visit)
        context = replace(before, situation=settled.situation)
        applied = apply(context, choose_visit)
        proposed = ProposedPlan(found, context, applied, settled.changes, self.circumstances)
        return proposed.bundle() if bundle else proposed.care_plan()

    def activity(self, activity: Resource, subject: str) -> Resource:
        """The proposed request of one ActivityDefinition, outside of any plan.

        Its expressions see what they would see in a plan that has it. Raises NotFound, InvalidResource, Refused, and
        ExpressionFailed: a request without the value that it should carry is worse than none.
        """
        found = self._transient(self._plan_with(activity), subject)
        context = Context.of(self.pathway.library, found.situation, self.now)
        action = _action_of(activity)
        scope = Scope(variables=context.variables(Scope()))
        looking = Looking(context, action, scope)
        made = Proposing(context, self.pathway.choosing(self.tx), action, scope, looking).proposal(Timed(), "")
        # Which sign a Flag reports is said by an action of a plan only.
        transitory = {reference_to(found.care_plan), *([reference_to(made.flag)] if made.flag else [])}
        request = self.circumstances.proposed(without(made.resource, transitory))
        if request["resourceType"] == "Task" and "owner" not in request and self.circumstances.asking:
            request["owner"] = {"reference": self.circumstances.asking}
        return with_messages(request, self.circumstances.left_out(reference_to(found.situation.subject)))

    def _transient(self, plan: Resource, subject: str) -> Transient:
        site = self.circumstances.site(self.pathway.site, self.pathway.library)
        return transient(self.tx, site, plan, subject, self.circumstances, self.now)

    def _plan_with(self, activity: Resource) -> Resource:
        library, named = self.pathway.library, {activity["url"], pinned(activity)}
        for plan in map(library.plan, map(pinned, library.plans())):
            if any(action.get("definitionCanonical") in named for action in walk(plan.get("action", []))):
                return plan
        return library.plan(self.pathway.plan)


def each(subjects: Sequence[str], apply_to: Callable[[str], Resource]) -> Resource:
    """What is returned for one subject; for several, Parameters with one `return` each, in their order.

    Of several, one for whom it cannot be done gets an OperationOutcome. Raises InvalidResource when there is none.
    """
    if not subjects:
        raise InvalidResource("$apply needs a subject: for whom?")
    if len(subjects) == 1:
        return apply_to(subjects[0])

    def answered() -> Iterator[Resource]:
        for subject in subjects:
            try:
                yield apply_to(subject)
            except PathwayError as error:
                yield operation_outcome(error.issues)

    return {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": one} for one in answered()]}


def definition(library: Library, type: str, *, id: str | None = None, canonical: str | None = None) -> Resource:
    """The definition to apply, by its id or its canonical (url, or url|version). Raises InvalidResource, NotFound."""
    if (canonical is None) == (id is None):
        raise InvalidResource(f"Say which {type} is meant in one way: by its address or by its canonical")
    known = [d for d in library.resources() if d["resourceType"] == type and d["id"] == id]
    found = library.find(canonical, type) if canonical is not None else next(reversed(known), None)
    if found is None:
        raise NotFound(f"There is no {type} {canonical or id} here")
    return library.plan(pinned(found)) if type == "PlanDefinition" else found


def with_definition(library: Library, given: Resource) -> Library:
    """The library with a definition that came with the question. Raises InvalidResource when it cannot be used."""
    if given in library.resources():
        return library
    definitions = [*library.resources(), given]
    if problems := Library.check(definitions):
        raise InvalidResource([Issue("error", "invalid", problem.message, problem.element) for problem in problems])
    return Library(definitions)


def _action_of(activity: Resource) -> Resource:
    return {
        "id": activity["id"],
        "title": activity.get("title", activity["id"]),
        "definitionCanonical": pinned(activity),
        "participant": [_with_role(participant) for participant in activity.get("participant", [])],
    }


def _with_role(participant: Resource) -> Resource:
    """A participant of an ActivityDefinition may say no more than that it is the patient."""
    if participant.get("type") != "patient" or coding_of(participant.get("role"), codes.ROLE):
        return participant
    return {**participant, "role": {"coding": [{"system": codes.ROLE, "code": "patient"}]}}

"""A running plan looked at as somebody wants it: what-if, another version of the definition, a clinician's own steps.

All three settle the plan under a changed premise and show the difference; only what is asked for is written, in the
transaction that computed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pathway.codes import RUNNING
from pathway.context import Context
from pathway.difference import difference
from pathway.errors import NotFound, Refused
from pathway.individual import Individual, added, with_individual, without
from pathway.intake import Pathway
from pathway.keys import key_of
from pathway.occurrences import surgery_scopes
from pathway.ports import Create, Resource, Transaction, Update
from pathway.progress import Changes
from pathway.references import reference_to
from pathway.settle import settle, then
from pathway.situation import Now, Situation, gather
from pathway.when import own_days
from pathway.writing import write


@dataclass(frozen=True)
class Wish:
    """Who wants a change, and why. `author`: a Reference to a Practitioner or PractitionerRole."""

    author: Resource
    reason: str

    def __post_init__(self) -> None:
        if not str(self.author.get("reference", "")).startswith(("Practitioner/", "PractitionerRole/")):
            raise Refused("A plan is changed by a clinician: author must refer to a Practitioner or PractitionerRole")
        if not self.reason.strip():
            raise Refused("Say why: a change of a patient's plan needs a reason")


@dataclass(frozen=True)
class Revising:
    """One running CarePlan inside one transaction."""

    pathway: Pathway
    tx: Transaction
    care_plan: Resource
    now: Now

    @classmethod
    def of(cls, pathway: Pathway, tx: Transaction, id: str, now: Now) -> Revising:
        """Raises NotFound for a CarePlan that is not one of ours, Refused for one that is over."""
        care_plan = tx.read("CarePlan", id)
        if key_of(care_plan) is None:
            raise NotFound(f"CarePlan/{id} is not a plan of this pathway")
        if care_plan["status"] not in RUNNING:
            raise Refused(f"CarePlan/{id} is {care_plan['status']}: it does not change any more")
        return cls(pathway, tx, care_plan, now)

    def what_if(self, data: Sequence[Resource] = ()) -> Resource:
        """The difference that `data`, in place of or beside what is known, would make at `now`; nothing is written."""
        return self._shown(self._changes(self.care_plan, Changes(), data))

    def migrated(self, version: str | None, wish: Wish | None) -> Resource:
        """The difference that another version of the plan makes; written when somebody wishes it.

        Raises NotFound for a version that is not there, Refused when it cannot be worked out for this patient: then the
        plan stays on the version it has.
        """
        url, _, pinned = self.care_plan["instantiatesCanonical"][0].partition("|")
        plan = self.pathway.library.plan(f"{url}|{version}" if version else url)
        canonical = f"{plan['url']}|{plan['version']}"
        after = {**self.care_plan, "instantiatesCanonical": [canonical]}
        why = f"from version {pinned} to {plan['version']}"
        changes = self._changes(after, self._premise(after, f"{why}: {wish.reason}" if wish else why))
        if wish and changes.issues:
            found = "; ".join(issue.diagnostics for issue in changes.issues)
            raise Refused(f"The plan stays on version {pinned}: {plan['version']} cannot be worked out ({found})")
        return self._answered(changes, wish)

    def individualized(self, individual: Individual, *, written: bool = True) -> Resource:
        """The difference that a clinician's word on a step makes. Raises NotFound for a step that the plan has not."""
        title = self._title(individual.action)
        individual = replace(individual, instead=self._own_days(individual) if individual.days else "")
        after = with_individual(self.care_plan, individual, title)
        changes = self._changes(after, self._premise(after, f"'{title}' {individual.why}"))
        return self._answered(changes, Wish(individual.author, individual.reason), written=written)

    def restored(self, action: str, occurrence: str, wish: Wish, *, written: bool = True) -> Resource:
        """The difference of taking a clinician's word on a step back. Raises NotFound when there is none."""
        title = self._title(action)
        after = without(self.care_plan, action, occurrence)
        if after == self.care_plan:
            raise NotFound(f"Nobody has changed '{title}' in this plan")
        changes = self._changes(after, self._premise(after, f"'{title}' as the pathway has it again: {wish.reason}"))
        return self._answered(changes, wish, written=written)

    def with_request(self, resource: Resource, wish: Wish, *, written: bool = True) -> Resource:
        """The difference of one more request that a clinician adds to the plan. Raises Refused for another type."""
        site = self.pathway.site
        request = added(resource, self.care_plan, site.roles["coordinator"], self.now.instant)
        premise = Changes(
            resources=[Create(request, key_of(request))],
            release=[reference_to(request)],
            reasons=[(reference_to(request), f"added by a clinician: {wish.reason}")],
        )
        changes = self._changes(self.care_plan, premise, [request])
        return self._answered(changes, wish, written=written)

    @cached_property
    def situation(self) -> Situation:
        """What is known of the patient, as it is."""
        return gather(self.tx, self.pathway.site, self.care_plan)

    @cached_property
    def context(self) -> Context:
        """The plan beside it, without anybody's wish."""
        return Context.of(self.pathway.library, self.situation, self.now)

    def _premise(self, after: Resource, why: str) -> Changes:
        if after == self.care_plan:
            return Changes()
        version = self.care_plan["meta"]["versionId"]
        return Changes(resources=[Update(after, version)], reasons=[(reference_to(after), why)])

    def _changes(self, after: Resource, premise: Changes, data: Sequence[Resource] = ()) -> Changes:
        known = gather(self.tx, self.pathway.site, self.care_plan, data) if data else self.situation
        situation = replace(known, care_plan=after)
        context = Context.of(self.pathway.library, situation, self.now)
        return then(premise, settle(context, self.pathway.choosing(self.tx)).changes)

    def _title(self, action: str) -> str:
        actions = self.context.actions
        if action not in actions:
            raise NotFound(f"The plan has no step '{action}'; its steps are {', '.join(sorted(actions))}")
        return str(actions[action].get("title", action))

    def _own_days(self, individual: Individual) -> str:
        """The plan's own days of the step. Raises Refused when it is not said of which operation."""
        context = self.context
        action = context.actions[individual.action]
        scopes = [s for s in surgery_scopes(context) if individual.occurrence in ("", s.occurrence)]
        days = {own_days(context, action, scope) for scope in scopes} - {""}
        if len(days) > 1:
            known = ", ".join(scope.occurrence for scope in scopes)
            raise Refused(f"'{individual.action}' is due on different days: say for which decision, {known}")
        return days.pop() if days else ""

    def _answered(self, changes: Changes, wish: Wish | None, *, written: bool = True) -> Resource:
        shown = self._shown(changes)
        if wish is not None and written:
            reference = reference_to(self.care_plan)
            write(self.tx, self.pathway.site, changes, reference, self.now, wish.reason, author=wish.author)
        return shown

    def _shown(self, changes: Changes) -> Resource:
        due = self.tx.due.of_plan(reference_to(self.care_plan))
        return difference(self.situation, changes, due)

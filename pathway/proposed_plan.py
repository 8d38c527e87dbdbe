"""A settled plan shown as what PlanDefinition/$apply returns: a CarePlan, or the same as a transaction Bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pathway.apply import Applied
from pathway.circumstances import Circumstances
from pathway.context import Context
from pathway.goals import open_goals
from pathway.issues import Issue
from pathway.keys import action_of, key_of
from pathway.listing import NOT_ACTIVITIES, listing
from pathway.ports import Create, Resource, Update
from pathway.progress import Changes
from pathway.references import reference_to, references_in
from pathway.request_group import Grouping
from pathway.steps import Tree, walk_steps
from pathway.tasks import is_open
from pathway.transient import Transient
from pathway.whole import containing, transaction, with_messages


@dataclass(frozen=True)
class ProposedPlan:
    """`context`: the plan settled; `found`: what was there before; `changes`: what would be written."""

    found: Transient
    context: Context
    applied: Applied
    changes: Changes
    circumstances: Circumstances

    def care_plan(self) -> Resource:
        """A CarePlan that contains what is new or would change."""
        care_plan, *inner = self._resources()
        return containing(care_plan, inner)

    def bundle(self) -> Resource:
        """The same as a transaction Bundle."""
        resources = self._resources()
        new = reference_to(self.found.care_plan)
        updates = [c for c in self.changes.resources if isinstance(c, Update) and reference_to(c.resource) != new]
        return transaction(resources, {reference_to(u.resource): u.version for u in updates})

    def _resources(self) -> list[Resource]:
        """The CarePlan, its RequestGroups, goals and requests, which refer to each other as if they were kept."""
        goals = open_goals(self.context)
        steps = Tree(self.context, self.applied, goals).steps()
        asked_for = {step.request for step in walk_steps(steps)}
        key = key_of(self.found.care_plan)
        assert key is not None
        grouping = Grouping(self.context, key, self._said_of_groups())
        canonical = self.context.situation.care_plan["instantiatesCanonical"][0]
        group = grouping.group(steps, canonical, more=[r for r in self._apart() if reference_to(r) not in asked_for])
        care_plan = listing(self.found.care_plan, map(reference_to, goals.values())) or self.found.care_plan
        care_plan = {**care_plan, "activity": [{"reference": {"reference": group}}]}
        requests = self._requests(set(references_in(grouping.made)))
        return [with_messages(care_plan, self._issues()), *grouping.made, *requests]

    def _requests(self, named: set[str]) -> list[Resource]:
        """What is new or would change: goals, what the RequestGroups name, and the flags that these report."""
        changed = {reference_to(c.resource): c for c in self.changes.resources if is_open(c.resource)}
        goals = [c.resource for c in changed.values() if c.resource["resourceType"] == "Goal"]
        named = named - set(map(reference_to, goals))
        asked = [self._request(change) for reference, change in changed.items() if reference in named]
        reported = set(references_in(asked)) - named
        flags = [c for reference, c in changed.items() if reference in reported and reference.startswith("Flag/")]
        return [*goals, *asked, *map(self._request, flags)]

    def _request(self, change: Create | Update) -> Resource:
        return change.resource if isinstance(change, Update) else self.circumstances.proposed(change.resource)

    def _apart(self) -> list[Resource]:
        """Open requests that no action asks for: questions to a person, and what a clinician added; also those of
        actions that cannot be worked out now."""
        return [
            resource
            for (type, value), resource in self.context.situation.by_key.items()
            if type not in NOT_ACTIVITIES and is_open(resource) and self._is_apart(value)
        ]

    def _is_apart(self, key: str) -> bool:
        action, occurrence = action_of(self.context.situation.key, key)
        unasked = action not in self.context.actions or (action, occurrence) in self.applied.undecided
        return bool(action) and unasked

    def _said_of_groups(self) -> Resource:
        care_plan = self.found.care_plan
        said: dict[str, Any] = {
            "subject": care_plan["subject"],
            "encounter": care_plan.get("encounter"),
            "authoredOn": care_plan["created"],
            "author": {"reference": self.circumstances.practitioner} if self.circumstances.practitioner else None,
            "reasonReference": care_plan.get("addresses"),
        }
        return {name: value for name, value in said.items() if value}

    def _issues(self) -> list[Issue]:
        unusable = [
            Issue("warning", "value", f"QuestionnaireResponse/{id} does not fit its form: nothing is decided on it")
            for id in sorted(self.context.unusable)
        ]
        return [*self.applied.issues, *unusable, *self.found.issues]

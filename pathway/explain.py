"""Why each action of a plan is in it or not, as a FHIR Parameters resource: what `CarePlan/[id]/$explain` answers."""

from __future__ import annotations

from collections.abc import Sequence

from pathway.apply import Explanation
from pathway.ports import Resource


def explained(care_plan: str, explanations: Sequence[Explanation], titles: dict[str, str]) -> Resource:
    """`care_plan` is its reference, `titles` the action titles by id. One parameter `action` for each explanation."""
    actions = [e for e in explanations if e.action]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "care-plan", "valueReference": {"reference": care_plan}},
            *({"name": "action", "part": _parts(e, titles)} for e in actions),
        ],
    }


def _parts(explanation: Explanation, titles: dict[str, str]) -> list[Resource]:
    occurrence = [{"name": "occurrence", "valueString": explanation.occurrence}] if explanation.occurrence else []
    return [
        {"name": "id", "valueId": explanation.action},
        {"name": "title", "valueString": titles.get(explanation.action, explanation.action)},
        *occurrence,
        {"name": "included", "valueBoolean": explanation.included},
        {"name": "why", "valueString": explanation.why},
    ]

"""Why each action of a plan is in it or not, as a FHIR Parameters resource: what `CarePlan/[id]/$explain` answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pathway.apply import Explanation
from pathway.issues import Issue, operation_outcome
from pathway.looking import Looked
from pathway.parameters import Value
from pathway.ports import Resource

_LONGEST = 200


def explained(
    care_plan: str, explanations: Sequence[Explanation], actions: Mapping[str, Resource], issues: Sequence[Issue] = ()
) -> Resource:
    """`care_plan` is its reference, `actions` the plan's actions by id. One parameter `action` for each explanation.

    An action's parts: id, title, occurrence, included, why, source (a statement of the content), parameter (a value of
    the site that it rests on), expression (each with its element, text, outcome, value, and what it read).
    """
    outcome = [{"name": "outcome", "resource": operation_outcome(issues)}] if issues else []
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "care-plan", "valueReference": {"reference": care_plan}},
            *({"name": "action", "part": list(_parts(e, actions.get(e.action, {})))} for e in explanations),
            *outcome,
        ],
    }


def text_parts(**texts: str) -> list[Resource]:
    """Named string parts; empty ones are left out."""
    return [{"name": name, "valueString": text} for name, text in texts.items() if text]


def _parts(explanation: Explanation, action: Resource) -> Iterator[Resource]:
    yield {"name": "id", "valueId": explanation.action}
    yield from text_parts(title=str(action.get("title", explanation.action)), occurrence=explanation.occurrence)
    yield {"name": "included", "valueBoolean": explanation.included}
    yield from text_parts(why=explanation.why)
    yield from (part for source in sources_of(action) for part in text_parts(source=source))
    for name, value in explanation.parameters.items():
        yield {"name": "parameter", "part": [*text_parts(name=name), {"name": "value", **_value(value)}]}
    for looked in explanation.looked:
        yield {"name": "expression", "part": list(_expression(looked))}


def sources_of(action: Resource) -> list[str]:
    """The ids of the content's statements that an action represents."""
    labels = (d.get("label", "") for d in action.get("documentation", []) if d.get("type") == "derived-from")
    return [source.strip() for label in labels for source in label.split(",") if source.strip()]


def _expression(looked: Looked) -> Iterable[Resource]:
    evaluation = looked.evaluation
    yield from text_parts(element=looked.element, meaning=looked.meaning, expression=evaluation.expression)
    yield {"name": "outcome", "valueCode": evaluation.outcome}
    if evaluation.outcome == "value":
        for value in evaluation.value:
            yield {"name": "value", **_value(value)}
    for name, references in evaluation.read:
        found = [{"name": "found", "valueString": reference} for reference in references]
        yield {"name": "read", "part": [*text_parts(name=f"%{name}"), *found]}
    yield from text_parts(message=evaluation.message)


def _value(value: Value | Any) -> Resource:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int):
        return {"valueInteger": value}
    if isinstance(value, Decimal | float):
        return {"valueDecimal": value}
    text = str(value)
    return {"valueString": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"}

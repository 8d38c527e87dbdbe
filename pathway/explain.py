"""Why each action of a plan is in it or not, as a FHIR Parameters resource: what `CarePlan/[id]/$explain` answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from pathway.apply import Explanation
from pathway.issues import Issue, operation_outcome
from pathway.looking import Looked, meaning
from pathway.parameters import Value
from pathway.ports import Kept, Resource
from pathway.references import reference_to
from pathway.statements import sentences
from pathway.version import VERSION

_LONGEST = 200
_MOST_READ = 20
NOT_LOOKED_AT = "not-looked-at"


def explained(
    care_plan: Resource,
    explanations: Sequence[Explanation],
    actions: Mapping[str, Resource],
    issues: Sequence[Issue] = (),
    written: Sequence[Resource] = (),
) -> Resource:
    """`actions`: the plan's actions by id; `written`: what the plan led to just now, read as it stands since then.

    One parameter `action` for each explanation, with the parts id, title, occurrence, included, why, source (a
    statement of the content), parameter (a value of the site that it rests on) and expression: its element, meaning and
    text, its outcome (true, false, missing, value, failed; not-looked-at for a condition that others left undecided or
    decided), its value, what it read, and why it failed.
    """
    versions = {reference_to(r): f"{reference_to(r)}/_history/{r['meta']['versionId']}" for r in written}
    outcome = [{"name": "outcome", "resource": operation_outcome(issues)}] if issues else []
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "care-plan", "valueReference": {"reference": reference_to(care_plan)}},
            {"name": "definition", "valueCanonical": care_plan["instantiatesCanonical"][0]},
            *text_parts(engine=VERSION),
            *({"name": "action", "part": list(_parts(e, actions.get(e.action, {}), versions))} for e in explanations),
            *outcome,
        ],
    }


def told(kept: Kept) -> Resource:
    """An explanation with when and by what it came about, and each source with the sentence of its statement."""
    first, *rest = kept.body["parameter"]
    author = [{"name": "author", "valueReference": {"reference": kept.author}}] if kept.author else []
    about = [
        {"name": "version", "valueString": str(kept.version)},
        {"name": "recorded", "valueInstant": kept.recorded.isoformat(timespec="milliseconds")},
        {"name": "clinical", "valueDateTime": kept.clinical.isoformat(timespec="seconds")},
        *text_parts(cause=kept.cause),
        *author,
    ]
    return {**kept.body, "parameter": [first, *about, *(_with_sentences(parameter) for parameter in rest)]}


def text_parts(**texts: str) -> list[Resource]:
    """Named string parts; empty ones are left out."""
    return [{"name": name, "valueString": text} for name, text in texts.items() if text]


def sources_of(action: Resource) -> list[str]:
    """The ids of the content's statements that an action represents."""
    labels = (d.get("label", "") for d in action.get("documentation", []) if d.get("type") == "derived-from")
    return [source.strip() for label in labels for source in label.split(",") if source.strip()]


def looked_at(explanation: Explanation, action: Resource) -> Iterator[tuple[str, Looked | Resource]]:
    """Each expression of an action with its element, in the order of looking; then the conditions not looked at."""
    yield from ((looked.element, looked) for looked in explanation.looked)
    seen = {looked.element for looked in explanation.looked}
    for number, condition in enumerate(action.get("condition", [])):
        if f"condition[{number}]" not in seen:
            yield f"condition[{number}]", condition["expression"]


def read_of(looked: Looked, versions: Mapping[str, str] = MappingProxyType({})) -> Iterator[tuple[str, list[str]]]:
    """What an expression read by name, in one order whoever read it, and not endlessly."""
    for name, references in looked.evaluation.read:
        found = sorted(versions.get(reference.partition("/_history/")[0], reference) for reference in references)
        more = [f"and {len(found) - _MOST_READ} more"] if len(found) > _MOST_READ else []
        yield name, found[:_MOST_READ] + more


def _parts(explanation: Explanation, action: Resource, versions: Mapping[str, str]) -> Iterator[Resource]:
    yield {"name": "id", "valueId": explanation.action}
    yield from text_parts(title=str(action.get("title", explanation.action)), occurrence=explanation.occurrence)
    yield {"name": "included", "valueBoolean": explanation.included}
    yield from text_parts(why=explanation.why)
    yield from ({"name": "source", "valueCoding": {"code": source}} for source in sources_of(action))
    for name, value in explanation.parameters.items():
        yield {"name": "parameter", "part": [*text_parts(name=name), {"name": "value", **_value(value)}]}
    for element, looked in looked_at(explanation, action):
        said = _looked(looked, versions) if isinstance(looked, Looked) else _not_looked(looked)
        yield {"name": "expression", "part": [*text_parts(element=element), *said]}


def _looked(looked: Looked, versions: Mapping[str, str]) -> Iterator[Resource]:
    evaluation = looked.evaluation
    yield from text_parts(meaning=looked.meaning, expression=evaluation.expression)
    yield {"name": "outcome", "valueCode": evaluation.outcome}
    if evaluation.outcome == "value":
        for value in evaluation.value:
            yield {"name": "value", **_value(value)}
    for name, references in read_of(looked, versions):
        found = [{"name": "found", "valueString": reference} for reference in references]
        yield {"name": "read", "part": [*text_parts(name=f"%{name}"), *found]}
    yield from text_parts(message=evaluation.message)


def _not_looked(expression: Resource) -> Iterator[Resource]:
    yield from text_parts(meaning=meaning(expression), expression=expression["expression"])
    yield {"name": "outcome", "valueCode": NOT_LOOKED_AT}


def _value(value: Value | Any) -> Resource:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int):
        return {"valueInteger": value}
    if isinstance(value, Decimal | float):
        return {"valueDecimal": value}
    text = str(value)
    return {"valueString": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"}


def _with_sentences(parameter: Resource) -> Resource:
    if "part" not in parameter:
        return parameter
    return {**parameter, "part": [_with_sentence(part) for part in parameter["part"]]}


def _with_sentence(part: Resource) -> Resource:
    sentence = sentences().get(part["valueCoding"]["code"]) if part["name"] == "source" else None
    return {**part, "valueCoding": {**part["valueCoding"], "display": sentence}} if sentence else part

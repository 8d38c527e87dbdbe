"""Whether a question of a Questionnaire is asked, given the answers so far (`enableWhen`, R4)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pathway.ports import Resource

Answers = Mapping[str, Sequence[Any]]

_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def answers_of(response: Resource) -> Answers:
    """All answers of a QuestionnaireResponse by linkId, at whatever depth; a Coding as (system, code)."""
    found: dict[str, list[Any]] = {}
    for link, value in _values(response.get("item", [])):
        found.setdefault(link, []).append(_comparable(value))
    return found


def is_enabled(question: Resource, answers: Answers) -> bool:
    """Without rules always; with several, any one or all of them as `enableBehavior` says."""
    rules = question.get("enableWhen", [])
    results = [_holds(rule, answers.get(rule["question"], ())) for rule in rules]
    return not rules or (any(results) if question.get("enableBehavior") == "any" else all(results))


def _holds(rule: Resource, given: Sequence[Any]) -> bool:
    expected = next(_comparable(value) for name, value in rule.items() if name.startswith("answer"))
    if rule["operator"] == "exists":
        return bool(given) is expected
    compare = _COMPARED[rule["operator"]]
    return any(_alike(value, expected) and compare(value, expected) for value in given)


def _alike(value: Any, expected: Any) -> bool:
    """Text is not compared with numbers; a wrong kind of answer is reported elsewhere."""
    return all(isinstance(value, kind) == isinstance(expected, kind) for kind in (str, tuple, bool))


def _comparable(value: Any) -> Any:
    return (value.get("system"), value.get("code")) if isinstance(value, dict) else value


def _values(items: Sequence[Resource]) -> Iterator[tuple[str, Any]]:
    for item in items:
        for answer in item.get("answer", []):
            yield from ((item["linkId"], value) for name, value in answer.items() if name.startswith("value"))
            yield from _values(answer.get("item", []))
        yield from _values(item.get("item", []))

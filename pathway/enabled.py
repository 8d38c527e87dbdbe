"""Whether a question of a Questionnaire is asked, given the answers so far (`enableWhen`, R4), and what is left of a
response when only those are in it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from pathway.elements import parts
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


def enabled_only(response: Resource, questionnaire: Resource) -> Resource:
    """The response without what its other answers do not enable; an answer that goes enables nothing any more.

    In a group that repeats, a question about the same repetition is answered by that repetition (R4, enableWhen).
    """
    questions = questionnaire.get("item", [])
    shown = response
    # Looked at once more for every question at most, so that rules that contradict each other come to an end.
    for _ in range(1 + len(_links(questions))):
        before, shown = shown, _enabled(response, shown, questions, answers_of(shown))
        if shown == before:
            break
    return shown


def _enabled(parent: Resource, shown: Resource, questions: Sequence[Resource], answers: Answers) -> Resource:
    """`shown` is what the parent was found to be so far: only what stands in it can enable anything."""
    known = {question["linkId"]: question for question in questions}
    still = {link: iter([item for item in shown.get("item", []) if item["linkId"] == link]) for link in known}
    kept = []
    for item in parent.get("item", []):
        question = known.get(item["linkId"], {})
        before: Resource = next(still.get(item["linkId"], iter(())), {})
        if is_enabled(question, answers):
            kept.append(_inside(item, before, question, answers))
    bare = {name: value for name, value in parent.items() if name != "item"}
    return {**bare, "item": kept} if kept else bare


def _inside(item: Resource, shown: Resource, question: Resource, answers: Answers) -> Resource:
    inner = question.get("item", [])
    if "answer" not in item:
        return _enabled(item, shown, inner, _nearest(answers, inner, shown))
    given = zip(item["answer"], shown.get("answer", repeat({})), strict=False)
    return {**item, "answer": [_enabled(one, before, inner, _nearest(answers, inner, before)) for one, before in given]}


def _nearest(answers: Answers, questions: Sequence[Resource], part: Resource) -> Answers:
    """All answers, but to the questions below this part of the response only those given in it."""
    inside = _links(questions)
    return {link: given for link, given in answers.items() if link not in inside} | dict(answers_of(part))


def _links(questions: Sequence[Resource]) -> set[str]:
    return {part["linkId"] for _, part in parts({"item": questions}, "") if "linkId" in part}


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

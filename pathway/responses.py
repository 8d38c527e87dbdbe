"""A QuestionnaireResponse against its Questionnaire: what does not fit, in sentences for the person who filled it in.

https://hl7.org/fhir/R4/questionnaireresponse.html#notes. What is required is asked for only once the response is
completed or amended, and only of questions that its other answers enable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pathway.enabled import Answers, answers_of, is_enabled
from pathway.issues import Issue
from pathway.library import Library
from pathway.ports import Resource
from pathway.sdc import UNIT, extension_value

PERFORMER_TYPE = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-performerType"
FINISHED = frozenset({"completed", "amended"})
_EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
_BOUNDS = (("minValue", "at least"), ("maxValue", "at most"))
_VALUES: Mapping[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding",),
    "open-choice": ("valueCoding", "valueString"),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
}
_WORDS: Mapping[str, str] = {
    "boolean": "yes or no",
    "decimal": "a number",
    "integer": "a whole number",
    "date": "a date",
    "dateTime": "a date and time",
    "time": "a time",
    "string": "text",
    "text": "text",
    "url": "a web address",
    "choice": "one of the options",
    "open-choice": "one of the options or text",
    "attachment": "an attachment",
    "reference": "a reference",
    "quantity": "a quantity",
}
_JSON: Mapping[str, type | tuple[type, ...]] = {
    "valueBoolean": bool,
    "valueDecimal": (int, float, Decimal),
    "valueInteger": int,
    "valueCoding": dict,
    "valueAttachment": dict,
    "valueReference": dict,
    "valueQuantity": dict,
}


def check(response: Resource, questionnaire: Resource) -> list[Issue]:
    """Every finding, in the order of the response; empty when it fits. `expression` is the FHIRPath of the item."""
    return list(_Check(response, questionnaire).issues())


def faults(response: Resource, library: Library) -> list[Issue]:
    """Every finding when one of them keeps the answers from being used; none for a form that is not one of ours."""
    questionnaire = library.find_questionnaire(str(response.get("questionnaire", "")))
    issues = check(response, questionnaire) if questionnaire else []
    return issues if any(issue.severity == "error" for issue in issues) else []


class _Check:
    def __init__(self, response: Resource, questionnaire: Resource) -> None:
        self.response, self.questionnaire = response, questionnaire
        self.places = dict(_places(questionnaire.get("item", []), ""))
        self.finished = response.get("status") in FINISHED
        self.answers: Answers = answers_of(response)

    def issues(self) -> Iterator[Issue]:
        yield from self._performer()
        yield from self._level(self.response, self.questionnaire.get("item", []), "QuestionnaireResponse")

    def _performer(self) -> Iterator[Issue]:
        """A form that says who fills it in (SDC performerType) counts from nobody else: a decision is a clinician's."""
        extensions = self.questionnaire.get("extension", [])
        performers = [e["valueCode"] for e in extensions if e["url"] == PERFORMER_TYPE]
        author = str(self.response.get("author", {}).get("reference", ""))
        if not self.finished or not performers or any(f"{type}/" in author for type in performers):
            return
        given = f"not by {author.split('/')[-2]}" if "/" in author else "and this one does not say by whom"
        yield _issue(
            "business-rule",
            f"This form is filled in by {' or '.join(performers)}, {given}.",
            "QuestionnaireResponse.author",
        )

    def _level(self, parent: Resource, questions: Sequence[Resource], path: str) -> Iterator[Issue]:
        """The items below a response, a group or an answer, against the questions that belong there."""
        items = parent.get("item", [])
        known = {question["linkId"]: question for question in questions}
        for number, item in enumerate(items):
            here = f"{path}.item[{number}]"
            question = known.get(item["linkId"])
            if question is None:
                yield self._misplaced(item["linkId"], known, here)
            else:
                yield from self._item(item, question, here)
        counts = Counter(item["linkId"] for item in items)
        for link, question in known.items():
            repeats = question["type"] == "group" and question.get("repeats", False)
            if counts[link] > 1 and not repeats:
                sentence = f"{_name(question)} is there {counts[link]} times; it may be there once."
                yield _issue("structure", sentence, path)
            if counts[link] == 0:
                yield from self._missing(question, path)

    def _misplaced(self, link: str, known: Mapping[str, Resource], path: str) -> Issue:
        if link in self.places:
            place = f"under '{self.places[link]}'" if self.places[link] else "at the top of the form"
            return _issue("structure", f"The question '{link}' is in the wrong place; it belongs {place}.", path)
        asked = ", ".join(f"'{one}'" for one in (known or self.places))
        return _issue("structure", f"The questionnaire has no question '{link}'; its questions are {asked}.", path)

    def _missing(self, question: Resource, path: str) -> Iterator[Issue]:
        """What is required of a question that is not there, or of the questions of a group that is not there."""
        if not self.finished or not is_enabled(question, self.answers):
            return
        if question.get("required"):
            yield _issue("required", f"{_name(question)} must be answered.", path)
        elif question["type"] == "group":
            for inner in question.get("item", []):
                yield from self._missing(inner, path)

    def _item(self, item: Resource, question: Resource, path: str) -> Iterator[Issue]:
        answers = item.get("answer", [])
        if question["type"] in ("group", "display"):
            if answers:
                yield _issue("structure", f"{_name(question)} is no question: it takes no answer.", path)
            if question["type"] == "group":
                yield from self._level(item, question.get("item", []), path)
            return
        if item.get("item"):
            yield _issue("structure", f"Questions below {_name(question)} belong inside its answer.", path)
        if not answers:
            yield from self._missing(question, path)
        if len(answers) > 1 and not question.get("repeats", False):
            yield _issue("structure", f"{_name(question)} takes one answer, not {len(answers)}.", path)
        for number, answer in enumerate(answers):
            here = f"{path}.answer[{number}]"
            yield from answer_issues(answer, question, f"{here}.value")
            yield from self._level(answer, question.get("item", []), here)


def answer_issues(answer: Resource, question: Resource, path: str) -> Iterator[Issue]:
    """What is wrong with the value of one answer: its type, its limits, or that it is none of the options."""
    values = {name: value for name, value in answer.items() if name.startswith("value")}
    offered = question.get("answerOption", [])
    allowed = {name for option in offered for name in option if name.startswith("value")} if offered else set()
    allowed |= {"valueString"} if offered and question["type"] == "open-choice" else set()
    if len(values) != 1:
        yield _issue("value", f"{_name(question)} has an answer without a value.", path)
        return
    name, value = next(iter(values.items()))
    if name not in (allowed or _VALUES[question["type"]]):
        yield _issue("value", f"{_name(question)} is answered with {_word(question)}, not with {_given(name)}.", path)
        return
    if not _is_json(name, value):
        yield _issue("value", f"{_name(question)} is answered with {_word(question)}; {value!r} is none.", path)
        return
    yield from _out_of_bounds(value, question, path)
    free_text = question["type"] == "open-choice" and name == "valueString"
    if offered and not free_text and not any(_same(value, option.get(name)) for option in offered):
        choices = ", ".join(_shown(option) for option in offered)
        yield _issue("code-invalid", f"{_name(question)} does not offer {_shown(values)}; it offers {choices}.", path)


def _is_json(name: str, value: Any) -> bool:
    expected = _JSON.get(name, str)
    return isinstance(value, expected) and (expected is bool or not isinstance(value, bool))


def _out_of_bounds(value: Any, question: Resource, path: str) -> Iterator[Issue]:
    for bound, words in _BOUNDS:
        limit = extension_value(question, _EXTENSION + bound)
        if limit is None or isinstance(value, dict):
            continue
        if value < limit if bound == "minValue" else value > limit:
            unit = (extension_value(question, UNIT) or {}).get("display", "")
            sentence = f"{_name(question)} must be {words} {limit} {unit}".rstrip()
            yield _issue("value", f"{sentence}; it is {value}.", path)


def _same(given: Any, offered: Any) -> bool:
    if isinstance(given, dict) and isinstance(offered, dict):
        return (given.get("system"), given.get("code")) == (offered.get("system"), offered.get("code"))
    return bool(given == offered)


def _shown(values: Resource) -> str:
    value = next((value for name, value in values.items() if name.startswith("value")), None)
    if not isinstance(value, dict):
        return f"'{value}'"
    return f"'{value.get('display') or value.get('code')}' ({value.get('code')})"


def _name(question: Resource) -> str:
    return f"'{question.get('text', question['linkId'])}' ({question['linkId']})"


def _word(question: Resource) -> str:
    return _WORDS[question["type"]]


def _given(name: str) -> str:
    return next(
        (_WORDS[kind] for kind, names in _VALUES.items() if names == (name,)), f"another kind of value ({name})"
    )


def _issue(code: str, diagnostics: str, expression: str) -> Issue:
    return Issue("error", code, diagnostics, expression)


def _places(items: Sequence[Resource], parent: str) -> Iterator[tuple[str, str]]:
    for item in items:
        yield item["linkId"], parent
        yield from _places(item.get("item", []), item["linkId"])

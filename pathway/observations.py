"""Answers as Observations (SDC, observation-based extraction): a marked question with a code is one per answer.

https://hl7.org/fhir/uv/sdc/extraction.html. Parents with components or members are not made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pathway.answers import unit_of
from pathway.errors import InvalidDefinition
from pathway.issues import Issue
from pathway.keys import extraction_key, id_of
from pathway.placing import Draft
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.sdc import OBSERVATION_CATEGORY, OBSERVATION_EXTRACT, extension_value, extensions, failure, valued

Place = tuple[str, ...]
_STATUS = {"completed": "final", "amended": "amended"}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_PERFORMERS = ("Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient", "RelatedPerson")


def occurrences(
    parent: Resource, questions: Sequence[Resource], place: Place
) -> Iterator[tuple[Resource, Resource, Place]]:
    """Every item of a response, group or answer with its question and its place, which names repetitions only."""
    known = {question["linkId"]: question for question in questions}
    seen: dict[str, int] = {}
    for item in parent.get("item", []):
        link = item["linkId"]
        number = seen[link] = seen.get(link, 0) + 1
        if link in known:
            yield item, known[link], repeated(place, link, number)


def repeated(place: Place, link: str, number: int) -> Place:
    """The place of a repetition; the first one is no repetition."""
    return place if number == 1 else (*place, f"{link}.{number}")


def observations(response: Resource, questionnaire: Resource, hospital: str) -> tuple[list[Resource], list[Issue]]:
    """The Observations of a response that fits its form, in the order of its answers, and what was not extracted."""
    extraction = _Extraction(response, hospital, extension_value(questionnaire, OBSERVATION_EXTRACT) is True)
    extraction.level(response, questionnaire.get("item", []), _categories(questionnaire, []), ())
    return extraction.found, extraction.issues


class _Extraction:
    def __init__(self, response: Resource, hospital: str, all_coded: bool) -> None:
        self.response, self.hospital, self.all_coded = response, hospital, all_coded
        self.found: list[Resource] = []
        self.issues: list[Issue] = []

    def level(
        self, parent: Resource, questions: Sequence[Resource], inherited: Sequence[Resource], place: Place
    ) -> None:
        for item, question, here in occurrences(parent, questions, place):
            categories, inner = _categories(question, inherited), question.get("item", [])
            wanted = self._is_wanted(question)
            for number, answer in enumerate(item.get("answer", []), 1):
                there = repeated(here, question["linkId"], number)
                if wanted:
                    self._extract(answer, question, categories, there)
                self.level(answer, inner, categories, there)
            self.level(item, inner, categories, here)

    def _is_wanted(self, question: Resource) -> bool:
        mark = extension_value(question, OBSERVATION_EXTRACT)
        if mark is None or mark is False:
            return mark is None and self.all_coded and "code" in question
        if mark is True and "code" in question and question["type"] != "group":
            return True
        reason = "it has no code" if "code" not in question else "Observations with parts are not made here"
        self.issues.append(failure(question, InvalidDefinition(f"it is marked for extraction, but {reason}")))
        return False

    def _extract(self, answer: Resource, question: Resource, categories: Sequence[Resource], place: Place) -> None:
        draft = Draft("Observation")
        draft.resource |= self._about(question, categories, place)
        name, value = valued(answer)
        try:
            draft.put("Observation.value[x]", value, name.removeprefix("value"), unit_of(question))
        except InvalidDefinition as error:
            self.issues.append(failure(question, error))
            return
        self.found.append(draft.finished())

    def _about(self, question: Resource, categories: Sequence[Resource], place: Place) -> Resource:
        """Everything but the value, from the response and the question, by the table of SDC."""
        response = self.response
        key = extraction_key(self.hospital, response["id"], *place, question["linkId"])
        author = response.get("author", {})
        authored = str(response.get("authored", ""))
        elements = {
            "id": id_of("Observation", key),
            "identifier": [key.identifier()],
            "basedOn": response.get("basedOn"),
            "partOf": [part for part in response.get("partOf", []) if _is_to(part, ("Procedure",))],
            "status": _STATUS[response["status"]],
            "category": list(categories),
            "code": {"coding": question["code"], **({"text": question["text"]} if "text" in question else {})},
            "subject": response.get("subject"),
            "encounter": response.get("encounter"),
            "effectiveDateTime": authored,
            "issued": authored if _INSTANT.fullmatch(authored) else "",
            "performer": [author] if _is_to(author, _PERFORMERS) else [],
            "derivedFrom": [{"reference": reference_to(response)}],
        }
        return {name: value for name, value in elements.items() if value}


def _categories(element: Resource, inherited: Sequence[Resource]) -> Sequence[Resource]:
    """A lower level overrides what the levels above it say."""
    return [valued(extension)[1] for extension in extensions(element, OBSERVATION_CATEGORY)] or inherited


def _is_to(reference: Resource, types: Sequence[str]) -> bool:
    """Whether a reference says that it leads to one of these types."""
    named = str(reference.get("type") or reference.get("reference", "").rpartition("/")[0].rpartition("/")[2])
    return named in types

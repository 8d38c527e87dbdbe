"""Answers as resources of any type (SDC, definition-based extraction).

https://hl7.org/fhir/uv/sdc/extraction.html. definitionExtract says where a resource begins, `item.definition` and
definitionExtractValue what goes into which element. Not known: ids of existing resources, extractAllocateId, and the
conditions of the Bundle's requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from pathway.answers import unit_of
from pathway.elements import parts
from pathway.errors import InvalidDefinition, PathwayError
from pathway.issues import Issue
from pathway.keys import extraction_key, id_of
from pathway.observations import Place, occurrences, repeated
from pathway.placing import Draft
from pathway.ports import Resource
from pathway.sdc import (
    DEFINITION_EXTRACT,
    DEFINITION_VALUE,
    Scope,
    extension_value,
    extensions,
    failure,
    valued,
    with_variables,
)

_BASE = "http://hl7.org/fhir/StructureDefinition/"
Drafts = Mapping[str, Draft]


def definition_based(response: Resource, questionnaire: Resource, hospital: str) -> tuple[list[Resource], list[Issue]]:
    """The resources of a response that fits its form, in the order they begin in, and what was not extracted."""
    extraction = _Extraction(response, questionnaire, hospital)
    extraction.form()
    return list(extraction.resources()), extraction.issues


class _Extraction:
    def __init__(self, response: Resource, questionnaire: Resource, hospital: str) -> None:
        self.response, self.questionnaire, self.hospital = response, questionnaire, hospital
        self.begun: list[tuple[Resource, Draft]] = []
        self.issues: list[Issue] = []

    def form(self) -> None:
        scope = self._named(self.questionnaire, Scope.of(self.response, self.questionnaire))
        begun = self._begin(self.questionnaire, {}, ())
        self._state(self.questionnaire, begun, scope, None)
        self._level(self.response, self.questionnaire.get("item", []), begun, (), scope)

    def resources(self) -> Iterator[Resource]:
        """Those that are valid; of the others an issue says why they are left out."""
        for element, draft in self.begun:
            resource = draft.finished()
            try:
                get_fhir_model_class(resource["resourceType"]).model_validate(resource)
                yield resource
            except ValidationError as error:
                reasons = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
                invalid = InvalidDefinition(f"its {resource['resourceType']} would not be valid, {reasons}")
                self.issues.append(failure(element, invalid))

    def _level(
        self, parent: Resource, questions: Sequence[Resource], begun: Drafts, place: Place, scope: Scope
    ) -> None:
        for item, question, here in occurrences(parent, questions, place):
            if not any("answer" in part for _, part in parts(item, "")):
                continue
            around = self._named(question, scope.having(qitem=question))
            if question["type"] == "group":
                self._group(item, question, begun, here, around)
            for number, answer in enumerate(item.get("answer", []), 1):
                there = repeated(here, question["linkId"], number)
                inner = self._begin(question, begun, there)
                self._state(question, inner, around, item)
                name, value = valued(answer)
                self._put(question, question.get("definition"), inner, [(value, name.removeprefix("value"))])
                self._level(answer, question.get("item", []), inner, there, around)

    def _group(self, item: Resource, group: Resource, begun: Drafts, place: Place, scope: Scope) -> None:
        """A group with a definition is one element of its own, which what is in the group goes into."""
        inner = self._begin(group, begun, place)
        canonical, _, path = str(group.get("definition", "")).partition("#")
        with ExitStack() as stack:
            if "." in path and canonical in inner:
                try:
                    stack.enter_context(inner[canonical].element(path))
                except InvalidDefinition as error:
                    self.issues.append(failure(group, error))
            self._state(group, inner, scope, item)
            self._level(item, group.get("item", []), inner, place, scope)

    def _begin(self, element: Resource, begun: Drafts, place: Place) -> Drafts:
        """The resources in the making here, with those that begin here."""
        inner = dict(begun)
        for number, extension in enumerate(extensions(element, DEFINITION_EXTRACT), 1):
            stated = str(extension_value(extension, "definition") or valued(extension)[1]).partition("|")[0]
            canonical = stated if "/" in stated else _BASE + stated
            try:
                draft = Draft(self._type_of(canonical))
            except InvalidDefinition as error:
                self.issues.append(failure(element, error))
                continue
            type = draft.resource["resourceType"]
            key = extraction_key(
                self.hospital, self.response["id"], *repeated((*place, element.get("linkId", "")), type, number)
            )
            draft.resource["id"] = id_of(type, key)
            if canonical != _BASE + type:
                draft.resource["meta"] = {"profile": [canonical]}
            self.begun.append((element, draft))
            inner[canonical] = draft
        return inner

    def _type_of(self, canonical: str) -> str:
        """A profile's type is what the paths of its elements begin with."""
        if canonical.startswith(_BASE):
            return canonical.removeprefix(_BASE)
        for _, part in parts(self.questionnaire, ""):
            for stated in (part.get("definition"), part.get("valueUri")):
                profile, _, path = str(stated).partition("#")
                if profile == canonical and path:
                    return path.partition(".")[0]
        raise InvalidDefinition(f"nothing says which type of resource {canonical} is about")

    def _state(self, element: Resource, begun: Drafts, scope: Scope, item: Resource | None) -> None:
        """What a form or an item states itself, fixed or as an expression."""
        for extension in extensions(element, DEFINITION_VALUE):
            definition = extension_value(extension, "definition")
            expression = extension_value(extension, "expression")
            fixed = [
                (value, name.removeprefix("value")) for name, value in map(valued, extensions(extension, "fixed-value"))
            ]
            try:
                found = [(value, "") for value in scope.evaluate(expression, item)] if expression else fixed
            except PathwayError as error:
                self.issues.append(failure(element, error, expression))
                continue
            self._put(element, definition, begun, found)

    def _put(self, element: Resource, definition: str | None, begun: Drafts, values: Iterable[tuple[Any, str]]) -> None:
        canonical, _, path = (definition or "").partition("#")
        if "." not in path or canonical not in begun:
            return
        try:
            if path.count(".") == 1 and path.endswith(".id"):
                raise InvalidDefinition(f"{path}: a resource that exists already is not replaced from a form")
            for value, source in values:
                begun[canonical].put(path, value, source, unit_of(element))
        except InvalidDefinition as error:
            self.issues.append(failure(element, error))

    def _named(self, element: Resource, scope: Scope) -> Scope:
        named, issues = with_variables(element, scope)
        self.issues += issues
        return named

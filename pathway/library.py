"""The definitions (plan, activities, forms, codes) and the education texts, loaded and checked as a whole.

What cannot be used is refused when it is loaded, every problem at once, so that nothing is found out at a patient.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from pathway.codes import PARAMETERS
from pathway.elements import expression_problems, parts, questionnaire_problems
from pathway.errors import InvalidDefinition, NotFound
from pathway.ports import Resource
from pathway.requests import COLLECT_WITH, KINDS

DEFINITIONS = Path(__file__).parent / "definition"
CANONICAL = frozenset(
    {"PlanDefinition", "ActivityDefinition", "Questionnaire", "CodeSystem", "ValueSet", "OperationDefinition"}
)
TYPES = CANONICAL | {"DocumentReference"}
PLAN_NAMES = frozenset(
    {"subject", "referral", "plan", "data", "trigger", "triggers", "earlier", "operation", "visits", "surgery"}
    | {"parameters"}
)

_NOT_R4 = frozenset({"subjectCanonical", "valueCodeableReference", "valueRatioRange"})
# Leaves of a path the element's own place: indexes go, and an inner action is an action.
_INDEX = re.compile(r"(?:\.action\[\d+\])+(?=\.action\[)|\[\d+\]")
_INTENTS = ("proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order")
_RELATIONSHIPS = ("before-start", "before", "before-end", "after-start", "after", "after-end")
_CODES: Mapping[str, Mapping[str, Collection[str]]] = {
    "ActivityDefinition": {
        "kind": KINDS,
        "intent": (*_INTENTS, "instance-order", "option"),
        "priority": ("routine", "urgent", "asap", "stat"),
    },
    "PlanDefinition.action.condition": {"kind": ("applicability", "start", "stop")},
    "PlanDefinition.action.relatedAction": {
        "relationship": (*_RELATIONSHIPS, "concurrent-with-start", "concurrent", "concurrent-with-end"),
    },
}


@dataclass(frozen=True)
class Problem:
    """Why a definition cannot be used: its file, the FHIRPath of the element, and a sentence."""

    file: str
    element: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.element}: {self.message}"


class Library:
    """Definitions by canonical url, each with or without `|version`; without, the newest one."""

    def __init__(self, definitions: Sequence[Resource]) -> None:
        canonical = [d for d in definitions if d["resourceType"] in CANONICAL]
        ordered = sorted(canonical, key=lambda d: _version_order(d["version"]))
        self._by_canonical: dict[tuple[str, str], Resource] = {}
        for definition in ordered:
            kind, url = definition["resourceType"], definition["url"]
            self._by_canonical[kind, url] = definition
            self._by_canonical[kind, f"{url}|{definition['version']}"] = definition
        self._definitions = tuple(definitions)

    @classmethod
    def load(cls, folder: Path = DEFINITIONS) -> Library:
        """All JSON files of a folder. Raises InvalidDefinition, naming every file, element and reason."""
        problems: list[Problem] = []
        files: dict[str, Resource] = {}
        for path in sorted(folder.glob("*.json")):
            resource, found = _read(path)
            problems += found
            if resource is not None:
                files[path.name] = resource
        problems += _duplicates(files)
        library = cls(list(files.values()))
        broken = {problem.file for problem in problems}
        for name in files.keys() - broken:
            problems += library._problems(name, files[name])
        problems.sort(key=lambda problem: problem.file)
        if problems:
            raise InvalidDefinition("\n".join(str(problem) for problem in problems))
        return library

    def plan(self, canonical: str) -> Resource:
        """A PlanDefinition. Raises NotFound."""
        return self._get("PlanDefinition", canonical)

    def activity(self, canonical: str) -> Resource:
        """An ActivityDefinition. Raises NotFound."""
        return self._get("ActivityDefinition", canonical)

    def questionnaire(self, canonical: str) -> Resource:
        """A Questionnaire. Raises NotFound."""
        return self._get("Questionnaire", canonical)

    def find_code_system(self, canonical: str) -> Resource | None:
        """A CodeSystem, or None when it is not one of these definitions."""
        return self._find(canonical, "CodeSystem")

    def find_questionnaire(self, canonical: str) -> Resource | None:
        """A Questionnaire, or None when it is not one of these definitions."""
        return self._find(canonical, "Questionnaire")

    def plans(self) -> list[Resource]:
        return self._of_type("PlanDefinition")

    def questionnaires(self) -> list[Resource]:
        return self._of_type("Questionnaire")

    def resources(self) -> list[Resource]:
        """Every definition, in the order of its file name."""
        return list(self._definitions)

    def names(self, plan: Resource) -> frozenset[str]:
        """The `%names` that expressions of a plan may use."""
        actions = {pascal(action["id"]) for _, action in actions_of(plan) if isinstance(action.get("id"), str)}
        return PLAN_NAMES | actions | {q["name"] for q in self.questionnaires()}

    def roles(self) -> frozenset[str]:
        """Every role that some plan gives work to."""
        everyone = (p for plan in self.plans() for _, action in actions_of(plan) for p in action.get("participant", []))
        return frozenset(coding["code"] for p in everyone for coding in p.get("role", {}).get("coding", []))

    def _of_type(self, kind: str) -> list[Resource]:
        return [definition for definition in self._definitions if definition["resourceType"] == kind]

    def _find(self, canonical: str, *kinds: str) -> Resource | None:
        return next((found for kind in kinds if (found := self._by_canonical.get((kind, canonical)))), None)

    def _get(self, kind: str, canonical: str) -> Resource:
        found = self._find(canonical, kind)
        if found is None:
            raise NotFound(f"There is no {kind} {canonical}.")
        return found

    def _parameters(self) -> frozenset[str]:
        system = self.find_code_system(PARAMETERS) or {}
        return frozenset(concept["code"] for concept in system.get("concept", []))

    def _problems(self, file: str, resource: Resource) -> Iterator[Problem]:
        checks: dict[str, Callable[[Resource], Iterator[tuple[str, str]]]] = {
            "PlanDefinition": self._plan_problems,
            "ActivityDefinition": self._activity_problems,
            "Questionnaire": questionnaire_problems,
        }
        if own := checks.get(resource["resourceType"]):
            for element, message in own(resource):
                yield Problem(file, element, message)

    def _plan_problems(self, plan: Resource) -> Iterator[tuple[str, str]]:
        actions = list(actions_of(plan))
        ids = [action.get("id") for _, action in actions]
        for path, action in actions:
            if action.get("id") is None:
                yield path, "the action has no id"
            elif ids.count(action["id"]) > 1:
                yield f"{path}.id", f"the id '{action['id']}' is used by several actions"
            canonical = action.get("definitionCanonical")
            if canonical and self._find(canonical, "ActivityDefinition", "PlanDefinition", "Questionnaire") is None:
                yield f"{path}.definitionCanonical", f"there is no definition {canonical}"
            for number, related in enumerate(action.get("relatedAction", [])):
                if related["actionId"] not in ids:
                    yield f"{path}.relatedAction[{number}].actionId", f"there is no action '{related['actionId']}'"
        if cycle := self._cycle(plan, ()):
            yield "PlanDefinition.action", f"plans contain each other: {' -> '.join(cycle)}"
        yield from expression_problems(plan, self.names(plan), self._parameters())

    def _cycle(self, plan: Resource, above: tuple[str, ...]) -> tuple[str, ...]:
        if plan["url"] in above:
            return (*above, plan["url"])
        for _, action in actions_of(plan):
            nested = self._find(action.get("definitionCanonical", ""), "PlanDefinition")
            if nested and (cycle := self._cycle(nested, (*above, plan["url"]))):
                return cycle
        return ()

    def _activity_problems(self, activity: Resource) -> Iterator[tuple[str, str]]:
        for number, extension in enumerate(activity.get("extension", [])):
            if extension["url"] == COLLECT_WITH:
                canonical = extension.get("valueCanonical", "")
                if self._find(canonical, "Questionnaire") is None:
                    path = f"ActivityDefinition.extension[{number}].valueCanonical"
                    yield path, f"there is no Questionnaire {canonical}"
        names: frozenset[str] = frozenset().union(*(self.names(plan) for plan in self.plans()))
        yield from expression_problems(activity, names or PLAN_NAMES, self._parameters())


def pascal(id: str) -> str:
    """An action's id as the `%Name` of what it made: `fu-attend-all-3d` is `FuAttendAll3d`."""
    return "".join(part[:1].upper() + part[1:] for part in id.split("-"))


def actions_of(plan: Resource) -> Iterator[tuple[str, Resource]]:
    """Every action of a PlanDefinition, outer before inner, with its FHIRPath."""

    def walk(actions: Sequence[Resource], path: str) -> Iterator[tuple[str, Resource]]:
        for number, action in enumerate(actions):
            if isinstance(action, dict):
                here = f"{path}.action[{number}]"
                yield here, action
                yield from walk(action.get("action", []), here)

    return walk(plan.get("action", []), "PlanDefinition")


def _read(path: Path) -> tuple[Resource | None, list[Problem]]:
    def problem(element: str, message: str) -> list[Problem]:
        return [Problem(path.name, element, message)]

    try:
        resource = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except ValueError as error:
        return None, problem("$", f"not JSON: {error}")
    if not isinstance(resource, dict) or resource.get("resourceType") not in TYPES:
        return None, problem("resourceType", f"must be one of {', '.join(sorted(TYPES))}")
    kind = resource["resourceType"]
    needed = ("id", "url", "version", "name", "status") if kind in CANONICAL else ("id", "status")
    missing = [name for name in needed if not isinstance(resource.get(name), str)]
    if missing:
        return None, problem(kind, f"missing or no text: {', '.join(missing)}")
    found = [Problem(path.name, element, message) for element, message in _not_r4(resource, kind)]
    if not found:
        found = [Problem(path.name, element, message) for element, message in _mistyped(resource)]
    if path.name != f"{kind}-{resource['id']}.json":
        found += problem(f"{kind}.id", f"the file should be called {kind}-{resource['id']}.json")
    return resource, found


def _mistyped(resource: Resource) -> Iterator[tuple[str, str]]:
    kind = resource["resourceType"]
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        for one in error.errors():
            yield _fhirpath(kind, one["loc"]), one["msg"]
        return
    for path, part in parts(resource, kind):
        for name, allowed in _CODES.get(_INDEX.sub("", path), {}).items():
            if name in part and part[name] not in allowed:
                yield f"{path}.{name}", f"'{part[name]}' is not one of {', '.join(sorted(allowed))}"


def _not_r4(resource: Resource, kind: str) -> Iterator[tuple[str, str]]:
    for path, part in parts(resource, kind):
        for name in sorted(_NOT_R4 & part.keys()):
            yield f"{path}.{name}", "is not an element of FHIR R4 (4.0.1)"


def _duplicates(files: Mapping[str, Resource]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for name, resource in files.items():
        if resource["resourceType"] not in CANONICAL:
            continue
        canonical = (resource["url"], resource["version"])
        if canonical in seen:
            yield Problem(
                name, f"{resource['resourceType']}.url", f"{'|'.join(canonical)} is also in {seen[canonical]}"
            )
        seen.setdefault(canonical, name)


def _fhirpath(kind: str, location: Sequence[int | str]) -> str:
    return kind + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _version_order(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))

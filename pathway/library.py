"""The definitions (plan, activities, forms, codes) and the education texts, loaded and checked as a whole.

What cannot be used is refused when it is loaded, every problem at once, so that nothing is found out at a patient.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pathway.checks.plans import plan_problems
from pathway.checks.shape import CANONICAL, identity_problems, shape_problems
from pathway.checks.supported import unsupported
from pathway.checks.timing import limit_problems
from pathway.checks.values import value_problems
from pathway.checks.whole import whole_problems
from pathway.codes import PARAMETERS
from pathway.collecting import collecting
from pathway.elements import actions_of, expression_problems, questionnaire_problems
from pathway.errors import InvalidDefinition, NotFound
from pathway.nested import expand, pinned
from pathway.ports import Resource
from pathway.requests import COLLECT_WITH

DEFINITIONS = Path(__file__).parent / "definition"
PLAN_NAMES = frozenset(
    {"subject", "referral", "plan", "data", "trigger", "triggers", "earlier", "operation", "visits", "surgery"}
    | {"parameters", "ageInYears", "earlierVisits", "visitsAhead"}
)


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
            self._by_canonical[kind, pinned(definition)] = definition
        self._definitions = tuple(definitions)
        self._expanded: dict[str, Resource] = {}
        self._collecting: dict[str, Resource] = {}

    @classmethod
    def load(cls, *folders: Path) -> Library:
        """All JSON files of the folders, of the product's own when none is named.

        Raises InvalidDefinition, naming every file, element and reason.
        """
        named: list[tuple[str, Any]] = []
        problems: list[Problem] = []
        for path in (path for folder in folders or (DEFINITIONS,) for path in sorted(folder.glob("*.json"))):
            try:
                resource = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
            except ValueError as error:
                problems.append(Problem(path.name, "$", f"not JSON: {error}"))
                continue
            named.append((path.name, resource))
            problems += _misnamed(path.name, resource)
        problems += _problems_of(named, frozenset(problem.file for problem in problems))
        if problems:
            problems.sort(key=lambda problem: problem.file)
            raise InvalidDefinition("\n".join(str(problem) for problem in problems))
        return cls([resource for _, resource in named])

    @staticmethod
    def check(definitions: Sequence[Resource]) -> list[Problem]:
        """Why these definitions cannot be used together; empty when they can.

        For changed artefacts that a site brings. A problem names the file that such a definition is kept in.
        """
        return _problems_of([(_file_of(definition), definition) for definition in definitions])

    def plan(self, canonical: str) -> Resource:
        """A PlanDefinition with the actions of nested plans in their place. Raises NotFound."""
        plan = self.plan_as_written(canonical)
        name = pinned(plan)
        if name not in self._expanded:
            self._expanded[name] = expand(plan, self)
        return self._expanded[name]

    def plan_as_written(self, canonical: str) -> Resource:
        """A PlanDefinition as it was loaded: nested plans are only named. Raises NotFound."""
        return self._get("PlanDefinition", canonical)

    def activity(self, canonical: str) -> Resource:
        """An ActivityDefinition, or for a Questionnaire the one that asks for its answers. Raises NotFound."""
        questionnaire = self.find(canonical, "Questionnaire")
        if questionnaire is None or self.find(canonical, "ActivityDefinition"):
            return self._get("ActivityDefinition", canonical)
        name = pinned(questionnaire)
        if name not in self._collecting:
            self._collecting[name] = collecting(questionnaire)
        return self._collecting[name]

    def questionnaire(self, canonical: str) -> Resource:
        """A Questionnaire. Raises NotFound."""
        return self._get("Questionnaire", canonical)

    def find_code_system(self, canonical: str) -> Resource | None:
        """A CodeSystem, or None when it is not one of these definitions."""
        return self.find(canonical, "CodeSystem")

    def find_questionnaire(self, canonical: str) -> Resource | None:
        """A Questionnaire, or None when it is not one of these definitions."""
        return self.find(canonical, "Questionnaire")

    def plans(self) -> list[Resource]:
        """Every PlanDefinition as it was loaded, nested ones too."""
        return self._of_type("PlanDefinition")

    def questionnaires(self) -> list[Resource]:
        return self._of_type("Questionnaire")

    def resources(self) -> list[Resource]:
        """Every definition, in the order of its file name."""
        return list(self._definitions)

    def names(self, plan: Resource) -> frozenset[str]:
        """The `%names` that expressions of a plan may use."""
        whole = expand(plan, self)
        actions = {pascal(action["id"]) for _, action in actions_of(whole) if isinstance(action.get("id"), str)}
        return PLAN_NAMES | actions | {q["name"] for q in self.questionnaires()}

    def roles(self) -> frozenset[str]:
        """Every role that some plan gives work to."""
        everyone = (p for plan in self.plans() for _, action in actions_of(plan) for p in action.get("participant", []))
        return frozenset(coding["code"] for p in everyone for coding in p.get("role", {}).get("coding", []))

    def find(self, canonical: str, *kinds: str) -> Resource | None:
        """The definition of one of these resource types, in this order; None when there is none."""
        return next((found for kind in kinds if (found := self._by_canonical.get((kind, canonical)))), None)

    def _of_type(self, kind: str) -> list[Resource]:
        return [definition for definition in self._definitions if definition["resourceType"] == kind]

    def _get(self, kind: str, canonical: str) -> Resource:
        found = self.find(canonical, kind)
        if found is None:
            raise NotFound(f"There is no {kind} {canonical}.")
        return found

    def parameters(self) -> frozenset[str]:
        """The names of the pathway's parameters."""
        system = self.find_code_system(PARAMETERS) or {}
        return frozenset(concept["code"] for concept in system.get("concept", []))


def pascal(id: str) -> str:
    """An action's id as the `%Name` of what it made: `fu-attend-all-3d` is `FuAttendAll3d`."""
    return "".join(part[:1].upper() + part[1:] for part in id.split("-"))


def _version_order(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))


def _misnamed(file: str, resource: Any) -> Iterator[Problem]:
    if not list(identity_problems(resource)) and file != _file_of(resource):
        element = f"{resource['resourceType']}.id"
        yield Problem(file, element, f"the file should be called {_file_of(resource)}")


def _file_of(definition: Any) -> str:
    known = definition if isinstance(definition, dict) else {}
    return f"{known.get('resourceType')}-{known.get('id')}.json"


def _problems_of(named: Sequence[tuple[str, Any]], broken: frozenset[str] = frozenset()) -> list[Problem]:
    """Why definitions cannot be used together; of the content only where the shape is right."""
    problems = [Problem(file, *one) for file, resource in named for one in identity_problems(resource)]
    nameless = {problem.file for problem in problems}
    known = [(file, resource) for file, resource in named if file not in nameless]
    problems += [Problem(file, *one) for file, resource in known for one in shape_problems(resource)]
    problems += _duplicates(known)
    broken |= {problem.file for problem in problems}
    everything = Library([r for _, r in known])
    sound = Library([r for file, r in known if file not in broken or r["resourceType"] != "PlanDefinition"])
    for file, resource in known:
        if file not in broken:
            problems += [Problem(file, *one) for one in _content_problems(resource, everything, sound)]
    return problems


def _content_problems(resource: Resource, known: Library, sound: Library) -> Iterator[tuple[str, str]]:
    """`known` has everything that can be named, `sound` no plan whose shape is wrong."""
    checks: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
        "PlanDefinition": lambda: _plan_problems(resource, known, sound),
        "ActivityDefinition": lambda: _activity_problems(resource, known, sound),
        "Questionnaire": lambda: questionnaire_problems(resource),
    }
    if check := checks.get(resource["resourceType"]):
        yield from check()


def _plan_problems(plan: Resource, known: Library, sound: Library) -> Iterator[tuple[str, str]]:
    yield from unsupported(plan)
    yield from plan_problems(plan, known)
    yield from whole_problems(plan, sound, sound.plans())
    yield from expression_problems(plan, sound.names(plan), known.parameters())


def _activity_problems(activity: Resource, known: Library, sound: Library) -> Iterator[tuple[str, str]]:
    yield from unsupported(activity)
    for number, extension in enumerate(activity.get("extension", [])):
        canonical = extension.get("valueCanonical", "")
        if extension["url"] == COLLECT_WITH and known.find_questionnaire(canonical) is None:
            path = f"ActivityDefinition.extension[{number}].valueCanonical"
            yield path, f"there is no Questionnaire {canonical}"
    yield from value_problems(activity, "ActivityDefinition", activity.get("kind"))
    yield from limit_problems(activity)
    names: frozenset[str] = frozenset().union(*(sound.names(plan) for plan in sound.plans()))
    yield from expression_problems(activity, names or PLAN_NAMES, known.parameters())


def _duplicates(named: Sequence[tuple[str, Resource]]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for file, resource in named:
        if resource["resourceType"] in CANONICAL:
            kind, name = resource["resourceType"], pinned(resource)
            if (kind, name) in seen:
                yield Problem(file, f"{kind}.url", f"{name} is also in {seen[kind, name]}")
            seen.setdefault((kind, name), file)

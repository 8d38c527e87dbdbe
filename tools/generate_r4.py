"""Write the tables in `fhir_adapters/r4/` from HL7's official R4 definitions.

    python tools/generate_r4.py <extracted hl7.fhir.r4.examples 4.0.1 package>

elements.json   types -> elements: `types` (a choice has several and a name ending in [x]), `min` (0 when left out),
                `max` ("*" or a number; 1 when left out), `binding` (a key of codes.json), `targets` of References
                (left out: any)
codes.json      required value sets that can be enumerated -> `codes`, and their `system` if there is only one
search.json     resource type -> search parameter -> `type`, `targets`, `paths` such as
                `participant.actor:Reference>Patient` or `telecom[system=phone]:ContactPoint`
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TYPES = [
    "ActivityDefinition",
    "AdverseEvent",
    "Appointment",
    "AuditEvent",
    "Bundle",
    "CapabilityStatement",
    "CarePlan",
    "CareTeam",
    "CodeSystem",
    "Communication",
    "CommunicationRequest",
    "Condition",
    "Consent",
    "DetectedIssue",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Flag",
    "Goal",
    "HealthcareService",
    "Library",
    "Location",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "OperationDefinition",
    "OperationOutcome",
    "Organization",
    "Parameters",
    "Patient",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RequestGroup",
    "RiskAssessment",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Subscription",
    "Task",
    "ValueSet",
]

OURS = {
    "Task": {"due": {"type": "date", "expression": "Task.restriction.period"}},
    "Appointment": {"requested-period": {"type": "date", "expression": "Appointment.requestedPeriod"}},
}

SEARCHABLE = {
    "token": {"CodeableConcept", "Coding", "Identifier", "ContactPoint", "code", "string", "boolean", "id", "uri"},
    "reference": {"Reference", "canonical", "uri"},
    "date": {"date", "dateTime", "instant", "Period", "Timing"},
    "string": {"string", "markdown", "HumanName", "Address"},
    "uri": {"uri", "url", "canonical"},
    "quantity": {"Quantity", "Age", "Duration", "Range"},
    "number": {"decimal", "integer", "Range"},
}
SOURCE = "HL7 FHIR R4 4.0.1, CC0"
ANY_TYPE = 100  # a parameter with more targets than this lists all there are
DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = DEFINITION + "structuredefinition-fhir-type"
OUTPUT = Path(__file__).parent.parent / "fhir_adapters" / "r4"

Json = dict[str, Any]


class Package:
    """The definitions of one extracted npm package."""

    def __init__(self, folder: Path) -> None:
        self.structures = {
            d["id"]: d for d in self._load(folder, "StructureDefinition") if d.get("derivation") != "constraint"
        }
        self.value_sets = {d["url"]: d for d in self._load(folder, "ValueSet")}
        self.code_systems = {d["url"]: d for d in self._load(folder, "CodeSystem")}
        self.search_parameters = self._load(folder, "SearchParameter")

    @staticmethod
    def _load(folder: Path, kind: str) -> list[Json]:
        found = [json.loads(file.read_bytes()) for file in sorted(folder.glob(f"{kind}-*.json"))]
        return [definition for definition in found if definition["resourceType"] == kind]


class Elements:
    """Collects the element tables of the types reachable from TYPES, and the value sets they need."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.types: dict[str, Json] = {}
        self.bindings: dict[str, Json] = {}
        for name in TYPES:
            self._add(name)
        self._add("Element")

    def _add(self, name: str) -> None:
        definition = self.package.structures[name]
        kind = definition["kind"]
        if name in self.types or kind == "primitive-type" or (definition["abstract"] and name != "Element"):
            return
        self.types[name] = {"kind": kind, "elements": {}}
        for element in definition["snapshot"]["element"][1:]:
            parent, _, child = element["path"].rpartition(".")
            row = self._row(element, kind == "resource" and parent == name)
            self.types.setdefault(parent, {"kind": "backbone", "elements": {}})["elements"][child] = row
        for needed in [type_ for type_ in self._mentioned(name) if type_ in self.package.structures]:
            self._add(needed)

    def _mentioned(self, name: str) -> set[str]:
        own = [body for key, body in self.types.items() if key.split(".")[0] == name]
        return {type_ for body in own for row in body["elements"].values() for type_ in row["types"]}

    def _row(self, element: Json, of_resource: bool) -> Json:
        path = element["path"]
        row: Json = {"types": self._types(element)}
        if of_resource and path.endswith(".id"):
            row["types"] = ["id"]
        if element["min"]:
            row["min"] = element["min"]
        if element["max"] != "1":
            row["max"] = element["max"] if element["max"] == "*" else int(element["max"])
        targets = _targets(element)
        if targets:
            row["targets"] = targets
        binding = self._binding(element)
        if binding:
            row["binding"] = binding
        return row

    @staticmethod
    def _types(element: Json) -> list[str]:
        if "contentReference" in element:
            return [element["contentReference"].removeprefix("#")]
        names = []
        for type_ in element["type"]:
            extensions = {e["url"]: e for e in type_.get("extension", [])}
            name = extensions[FHIR_TYPE]["valueUrl"] if FHIR_TYPE in extensions else type_["code"]
            names.append(element["path"] if name in ("BackboneElement", "Element") else name)
        return names

    def _binding(self, element: Json) -> str | None:
        binding = element.get("binding", {})
        if binding.get("strength") != "required":
            return None
        url = binding["valueSet"].split("|")[0]
        expansion = expand(self.package, url)
        if expansion is None:
            return None
        key: str = url.rsplit("/", 1)[1]
        self.bindings[key] = expansion
        return key


def _targets(element: Json) -> list[str]:
    profiles = [
        p for type_ in element.get("type", []) if type_["code"] == "Reference" for p in type_.get("targetProfile", [])
    ]
    names = sorted({profile.removeprefix(DEFINITION) for profile in profiles})
    return [] if "Resource" in names else names


def expand(package: Package, url: str) -> Json | None:
    """The codes of a value set, or None when the package does not hold all of them."""
    compose = package.value_sets[url]["compose"]
    if "exclude" in compose:
        return None
    codes: list[str] = []
    for include in compose["include"]:
        system = package.code_systems.get(include.get("system", ""))
        if "filter" in include or "valueSet" in include:
            return None
        if "concept" in include:
            codes += [concept["code"] for concept in include["concept"]]
        elif system and system["content"] == "complete":
            codes += _concepts(system["concept"])
        else:
            return None
    expansion: Json = {"codes": list(dict.fromkeys(codes))}
    if len(compose["include"]) == 1:
        expansion["system"] = compose["include"][0]["system"]
    return expansion


def _concepts(concepts: list[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _concepts(concept.get("concept", []))


class Search:
    """Turns SearchParameter.expression into concrete JSON paths by walking the element tables."""

    def __init__(self, package: Package, types: dict[str, Json]) -> None:
        self.types = types
        self.table: dict[str, Json] = {name: {} for name in ["Resource", *TYPES]}
        for parameter in package.search_parameters:
            for base in parameter.get("base", []):
                self._add(base, parameter["code"], parameter)
        for base, parameters in OURS.items():
            for code, parameter in parameters.items():
                self._add(base, code, parameter)

    def _add(self, base: str, code: str, parameter: Json) -> None:
        if base not in self.table or parameter["type"] not in SEARCHABLE or code in self.table[base]:
            return
        parts = [part.strip() for part in parameter.get("expression", "").split("|")]
        own = [part for part in parts if re.match(rf"\(?{base}\b", part)]
        accepted = SEARCHABLE[parameter["type"]]
        found = [step for part in own for step in self._paths(base, part)]
        paths = sorted({f"{path}:{type_}{target}" for path, type_, target in found if type_ in accepted})
        if not paths:
            return
        entry: Json = {"type": parameter["type"], "paths": paths}
        targets = sorted(set(parameter.get("target", [])))
        if targets and len(targets) < ANY_TYPE and parameter["type"] == "reference":
            entry["targets"] = targets
        self.table[base][code] = entry

    def _paths(self, base: str, expression: str) -> list[tuple[str, str, str]]:
        """Path, datatype and target filter of each way the expression can go; none if it says more than a path."""
        text = re.sub(r"^\((.+) as (\w+)\)", r"\1.as(\2)", expression)
        text = re.sub(r"\.where\((\w+)='([\w-]+)'\)", r"[\1=\2]", text)
        text = re.sub(r"\.where\(resolve\(\) is (\w+)\)$", r">\1", text)
        text, arrow, target = text.partition(">")
        steps = re.findall(r"(?:^|\.)(as\(\w+\)|\w+(?:\[\w+=[\w-]+\])?)", text)
        if ".".join(steps) != text:
            return []
        start = "Patient" if base == "Resource" else base
        return [(".".join(path), type_, arrow + target) for path, type_ in self._walk(start, steps[1:])]

    def _walk(self, type_: str, steps: list[str]) -> list[tuple[list[str], str]]:
        if not steps:
            return [([], type_)]
        name, _, condition = steps[0].partition("[")
        chosen = re.fullmatch(r"as\((\w+)\)", steps[1]) if len(steps) > 1 else None
        rest = steps[2:] if chosen else steps[1:]
        elements = self.types.get(type_, {"elements": {}})["elements"]
        row, choice = elements.get(name), elements.get(name + "[x]")
        found = []
        for next_ in (row or choice or {"types": []})["types"]:
            if chosen and choice and next_ != chosen[1]:
                continue
            key = name + next_[0].upper() + next_[1:] if choice else name
            step = f"{key}[{condition}" if condition else key
            found += [([step, *path], end) for path, end in self._walk(next_, rest)]
        return found


def write(name: str, body: Json) -> None:
    """One entry a line, so that a change of the tables can be read."""
    lines = [
        f"{json.dumps(key)}:{json.dumps(body[key], separators=(',', ':'), sort_keys=True)}" for key in sorted(body)
    ]
    text = '{"source":' + json.dumps(SOURCE) + ',"table":{\n' + ",\n".join(lines) + "\n}}\n"
    (OUTPUT / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(body)} entries, {len(text) / 1024:.0f} KiB")


def main() -> None:
    package = Package(Path(sys.argv[1]))
    elements = Elements(package)
    write("elements.json", elements.types)
    write("codes.json", elements.bindings)
    write("search.json", Search(package, elements.types).table)


if __name__ == "__main__":
    main()

"""The R4 definitions of all our resource types as one compiled JSON Schema.

One schema for all, entered by a key that names the type: compiled apart, 45 types repeat the datatypes they share and
take 72 MiB; together they take 18 MiB. It says what HL7's StructureDefinitions say: cardinality, choices, primitive
values, required bindings and the types a relative reference may name. Resources inside a resource (contained, Bundle
entries, parameters) only have to be objects with a resourceType here: `admission` checks each by its own type.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from fhir_adapters.r4 import tables

Schema = dict[str, Any]

_CHARACTER = "[\t\n\r -\U0010ffff]"
_VISIBLE = r"[^\s\x00-\x1f]"
_NO_SPACE = r"[^\x00- ]"
_YEAR = "(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_MONTH_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DAY = f"(?:{_YEAR}-{_MONTH_DAY}|{_LEAP_YEAR}-02-29)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_DATE = f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}"
_BASE64 = r"(?:[A-Za-z0-9+/]\s*)"
_ID = r"[A-Za-z0-9.-]{1,64}"

_PATTERNS = {
    "base64Binary": rf"\s*(?:{_BASE64}{{4}})*(?:{_BASE64}{{2}}=\s*=\s*|{_BASE64}{{3}}=\s*|{_BASE64}{{4}})",
    "canonical": f"{_NO_SPACE}+",
    "code": rf"{_NO_SPACE}+(?:[\t\n\r ]{_NO_SPACE}+)*",
    "date": _DATE,
    "dateTime": f"{_DATE}|{_DAY}T{_TIME}{_ZONE}",
    "id": _ID,
    "instant": f"{_DAY}T{_TIME}{_ZONE}",
    "markdown": f"{_CHARACTER}*{_VISIBLE}{_CHARACTER}*",
    "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
    "string": f"{_CHARACTER}*{_VISIBLE}{_CHARACTER}*",
    "time": _TIME,
    "uri": f"{_NO_SPACE}+",
    "url": f"{_NO_SPACE}+",
    "uuid": "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "xhtml": rf"\s*<div[\s>]{_CHARACTER}*",
}
_STRING_LENGTH = 1024 * 1024
_THOROUGH = 10_000
_LARGEST = 2**31 - 1
_SMALLEST = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}


class WholeNumber:
    """The keyword `wholeNumber`: JSON Schema calls 1.0 an integer, FHIR does not."""

    def __init__(self, *_schema: object) -> None:
        pass

    def validate(self, instance: object) -> None:
        """Raises ValueError for a number that is not written as an integer."""
        if not isinstance(instance, int):
            raise ValueError("not written as a whole number")


def is_valid(resource_type: str, resource: dict[str, Any]) -> bool:
    """Whether a resource of one of `tables.resource_types()` keeps to its definition."""
    return bool(_compiled().is_valid({resource_type: resource}))


def violations(resource_type: str, resource: dict[str, Any]) -> Iterator[jsonschema_rs.ValidationError]:
    """What breaks the definition; each `instance_path` begins with the resource type, as in `["Task", "status"]`.

    Of a resource with more than 10,000 members only the first: the library finds all before it tells one.
    """
    instance = {resource_type: resource}
    if not _has_more_members(resource, _THOROUGH):
        return iter(_compiled().iter_errors(instance))
    try:
        _compiled().validate(instance)
    except jsonschema_rs.ValidationError as first:
        return iter([first])
    return iter(())


def _has_more_members(resource: dict[str, Any], limit: int) -> bool:
    waiting: list[Any] = [resource]
    seen = 0
    while waiting and seen <= limit:
        node = waiting.pop()
        seen += len(node)
        inner = node.values() if isinstance(node, dict) else node
        waiting += [value for value in inner if isinstance(value, dict | list)]
    return seen > limit


@cache
def _compiled() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema(), pattern_options=jsonschema_rs.RegexOptions(), keywords={"wholeNumber": WholeNumber}
    )


@cache
def schema() -> Schema:
    """The JSON Schema (draft 2020-12); each name in `$defs` is a datatype, or one narrowed as `code:task-status`."""
    definitions: dict[str, Schema] = {}
    waiting = sorted(tables.resource_types())
    entrances: dict[str, Schema] = {name: {"$ref": f"#/$defs/{name}"} for name in waiting}
    while waiting:
        name = waiting.pop()
        if name not in definitions:
            definitions[name] = _definition(name)
            waiting += _referenced(definitions[name])
    return {"$defs": definitions, "properties": entrances, "additionalProperties": False}


def _referenced(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"].removeprefix("#/$defs/")] if isinstance(schema.get("$ref"), str) else []
        return own + [name for value in schema.values() for name in _referenced(value)]
    return [name for value in schema for name in _referenced(value)] if isinstance(schema, list) else []


def _definition(name: str) -> Schema:
    datatype, _, narrowing = name.partition(":")
    if datatype == "Resource":
        return {"type": "object", "required": ["resourceType"]}
    if narrowing and datatype == "Reference":
        pattern = _reference_pattern(narrowing.split(","))
        return {"$ref": "#/$defs/Reference", "properties": {"reference": {"pattern": pattern}}}
    if narrowing and datatype == "CodeableConcept":
        return {"$ref": "#/$defs/CodeableConcept", "properties": {"coding": {"contains": _coding(narrowing)}}}
    if narrowing:
        return {"enum": tables.codes()[narrowing]["codes"]}
    if datatype in tables.PRIMITIVES:
        return _primitive(datatype)
    definition = _complex(datatype)
    if datatype == "Reference":
        pattern = _reference_pattern(tables.codes()["resource-types"]["codes"])
        definition["properties"]["reference"] = {"type": "string", "pattern": pattern}
    return definition


def _reference_pattern(targets: list[str]) -> str:
    """A relative reference names an allowed type; one inside the resource or with a scheme may name anything."""
    return rf"^(?:#|[A-Za-z][A-Za-z0-9+.-]*:|(?:{'|'.join(targets)})(?:/{_ID}(?:/_history/{_ID})?$|\?))"


def _coding(binding: str) -> Schema:
    expansion = tables.codes()[binding]
    system = {"system": {"const": expansion["system"]}} if "system" in expansion else {}
    return {"properties": {"code": {"enum": expansion["codes"]}, **system}, "required": ["code"]}


def _primitive(datatype: str) -> Schema:
    if datatype == "boolean":
        return {"type": "boolean"}
    if datatype == "decimal":
        return {"type": "number"}
    if datatype in _SMALLEST:
        return {"type": "integer", "minimum": _SMALLEST[datatype], "maximum": _LARGEST, "wholeNumber": True}
    schema: Schema = {"type": "string", "pattern": f"^(?:{_PATTERNS[datatype]})$"}
    if datatype in ("string", "markdown"):
        schema["maxLength"] = _STRING_LENGTH
    return schema


def _complex(name: str) -> Schema:
    table = tables.elements()[name]
    properties: dict[str, Schema] = {"resourceType": {"const": name}} if table["kind"] == "resource" else {}
    required, conditions = list(properties), []
    for element, row in table["elements"].items():
        mandatory = row.get("min", 0) > 0
        keys = [key for key, (owner, _) in tables.keys(name).items() if owner == element]
        for key in keys:
            properties.update(_property(name, key, row))
        if element.endswith("[x]"):
            conditions.append(_choice(element, keys, properties, mandatory))
        elif mandatory and f"_{element}" in properties:
            conditions.append({"if": {"not": {"required": [f"_{element}"]}}, "then": {"required": [element]}})
        elif mandatory:
            required.append(element)
    schema: Schema = {"type": "object", "minProperties": 1, "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    if conditions:
        schema["allOf"] = conditions
    return schema


def _property(type_name: str, key: str, row: dict[str, Any]) -> dict[str, Schema]:
    """The property of one element and, for a primitive, its sibling `_key` with id and extensions."""
    datatype = tables.keys(type_name)[key][1]
    value: Schema = {"$ref": f"#/$defs/{_narrowed(datatype, row)}"}
    sibling: Schema = {"$ref": "#/$defs/Element"}
    extensible = (
        datatype in tables.PRIMITIVES
        and datatype != "xhtml"
        and key != "id"
        and (type_name, key) != ("Extension", "url")
    )
    most = row.get("max", 1)
    if most != 1:
        bounds = {"minItems": 1} if most == "*" else {"minItems": 1, "maxItems": most}
        value = {"type": "array", "items": _or_null(value) if extensible else value, **bounds}
        sibling = {"type": "array", "items": _or_null(sibling), **bounds}
    return {key: value, f"_{key}": sibling} if extensible else {key: value}


def _or_null(schema: Schema) -> Schema:
    return {"if": {"type": "null"}, "else": schema}


def _narrowed(datatype: str, row: dict[str, Any]) -> str:
    if "targets" in row and datatype == "Reference":
        return f"Reference:{','.join(row['targets'])}"
    if "binding" in row and datatype in ("code", "CodeableConcept"):
        return f"{datatype}:{row['binding']}"
    return datatype


def _choice(element: str, keys: list[str], properties: dict[str, Schema], mandatory: bool) -> Schema:
    present: list[Schema] = []
    for key in keys:
        alone: Schema = {"required": [key]}
        present.append({"anyOf": [alone, {"required": [f"_{key}"]}]} if f"_{key}" in properties else alone)
    if mandatory:
        return {"title": element, "oneOf": present}
    return {"title": element, "if": {"anyOf": present}, "then": {"title": element, "oneOf": present}}

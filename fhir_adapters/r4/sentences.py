"""Puts into words what the JSON Schema found wrong: sentences a hospital's engineer can act on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from fhir_adapters.r4 import schema, tables
from pathway.issues import Issue

_SHOWN = 40

_FORMS = {
    "base64Binary": "base64 (RFC 4648)",
    "canonical": "a URL without spaces",
    "code": "a code: no spaces at either end, single ones inside",
    "date": "a date that exists: YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "a date that exists (2026-03-01) or a time with seconds and zone (2026-03-01T09:30:00+01:00)",
    "id": "an id: 1 to 64 letters, digits, '-' and '.'",
    "instant": "a time with seconds and zone, such as 2026-03-01T09:30:00+01:00",
    "markdown": "text: something visible and no control characters",
    "Reference": "a reference: Type/id, an absolute URL, urn:uuid:... or #id",
    "oid": "an OID such as urn:oid:1.2.3",
    "string": "text: something visible and no control characters",
    "time": "a time of day such as 09:30:00",
    "uri": "a URI without spaces",
    "url": "a URL without spaces",
    "uuid": "a UUID in lower case such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": "XHTML within one <div>",
}
_LIMITS = {
    "minItems": ("structure", " must not be empty: leave it out instead"),
    "minProperties": ("structure", " must not be empty: leave it out instead"),
    "maxItems": ("structure", " has too many entries"),
    "minimum": ("value", ": {shown} is outside the range of {datatype}"),
    "maximum": ("value", ": {shown} is outside the range of {datatype}"),
    "wholeNumber": ("value", ": {shown} must be written as a whole number"),
    "maxLength": ("too-long", " is longer than 1048576 characters"),
}
_JSON_NAMES = {dict: "an object", list: "a list", str: "a string", bool: "true or false", int: "a number"}
_JSON_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "boolean": "true or false",
    "number": "a number",
    "integer": "a whole number",
}


def explain(resource_type: str, resource: dict[str, Any], root: str) -> Iterator[Issue]:
    """The schema's findings as issues; `root` is the resource's own place, `Bundle.entry[0].resource`."""
    for error in schema.violations(resource_type, resource):
        path = error.instance_path[1:]
        place, where = expression(resource_type, path, root), readable(path, root)
        yield from _findings(error, place, where)


def expression(resource_type: str, path: list[str | int], root: str) -> str:
    """FHIRPath of a place in a resource: `Task.input[0].value` for `["input", 0, "valueString"]`."""
    place, datatype = root, resource_type
    for step in path:
        if isinstance(step, int):
            place += f"[{step}]"
            continue
        key = step.removeprefix("_")
        element, datatype = tables.keys(datatype).get(key, (key, "")) if datatype in tables.elements() else (key, "")
        place += f".{element.removesuffix('[x]')}"
    return place


def readable(path: list[str | int], root: str) -> str:
    """The same place by its JSON names, as the sender wrote them: `Task.input[0].valueString`."""
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _findings(error: jsonschema_rs.ValidationError, place: str, where: str) -> Iterator[Issue]:
    kind = error.kind
    match kind:
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties():
            for name in kind.unexpected:
                owner = str(error.schema_path[1])
                yield _issue("structure", f"{where}.{_name(name)} is not an element of {owner}", place)
        case jsonschema_rs.ValidationErrorKind.Required():
            name = kind.property.strip('"')
            yield _issue("required", f"{where}.{name} is required", f"{place}.{name}")
        case jsonschema_rs.ValidationErrorKind.OneOfNotValid() | jsonschema_rs.ValidationErrorKind.OneOfMultipleValid():
            yield from _choice(error, place, where)
        case _:
            code, sentence = _value(error, where)
            yield _issue(code, sentence, place)


def _issue(code: str, sentence: str, place: str) -> Issue:
    return Issue("error", code, sentence, place)


def _choice(error: jsonschema_rs.ValidationError, place: str, where: str) -> Iterator[Issue]:
    if not isinstance(error.instance, dict):
        return
    element = _schema_at(error.schema_path[:-1])["title"]
    name = element.removesuffix("[x]")
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.OneOfMultipleValid):
        owner = str(error.schema_path[1])
        given = [key for key, (base, _) in tables.keys(owner).items() if base == element and key in error.instance]
        yield _issue(
            "structure", f"{where} has {' and '.join(given)}: only one {element} is allowed", f"{place}.{name}"
        )
    else:
        yield _issue("required", f"{where}.{element} is required", f"{place}.{name}")


def _schema_at(path: list[str | int]) -> Any:
    found: Any = schema.schema()
    for step in path:
        found = found[step]
    return found


def _value(error: jsonschema_rs.ValidationError, where: str) -> tuple[str, str]:
    """Issue code and sentence for a value that is wrong by itself."""
    definition, shown = str(error.schema_path[1]), _short(error.instance)
    datatype, _, narrowing = definition.partition(":")
    match error.kind.name:
        case "type":
            return "structure", f"{where} {_other_type(error)}"
        case "enum":
            return "code-invalid", f"{where}: {shown} is not one of {_listed(narrowing)}"
        case "contains":
            return "code-invalid", f"{where}: one of the codings must be {_listed(narrowing)}"
        case "pattern":
            return "value", f"{where}: {shown} {_other_form(datatype, narrowing)}"
        case "const":
            return "structure", f"{where}: {shown} must be {definition}"
    code, sentence = _LIMITS.get(error.kind.name, ("structure", ": {shown} is not allowed"))
    return code, where + sentence.format(shown=shown, datatype=datatype)


def _other_type(error: jsonschema_rs.ValidationError) -> str:
    if error.instance is None:
        return "must not be null: leave it out instead"
    wanted = _JSON_TYPES.get(_schema_at(error.schema_path), "of another type")
    return f"must be {wanted}, not {_JSON_NAMES.get(type(error.instance), 'a number')}"


def _other_form(datatype: str, narrowing: str) -> str:
    if narrowing:
        return f"must refer to one of {narrowing.replace(',', ', ')}"
    return f"is not {_FORMS[datatype]}"


def _listed(binding: str) -> str:
    codes = tables.codes()[binding]["codes"]
    return ", ".join(codes[:_SHOWN]) + (", ..." if len(codes) > _SHOWN else "")


def _name(key: str) -> str:
    return key if key.isidentifier() and len(key) <= 80 else _short(key)


def _short(value: object) -> str:
    """A sender's value, safe and short enough to be shown."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

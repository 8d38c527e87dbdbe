"""The door: strict JSON in, exact JSON out, and everything wrong with a resource said in sentences."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, NoReturn

import msgspec

from fhir_adapters.r4 import schema, sentences, tables, tree_rules, type_rules
from pathway.errors import InvalidResource
from pathway.issues import Issue

Resource = dict[str, Any]

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MOST_ISSUES = 50
_NUMBER_LENGTH = 64
_SAFE_INTEGER_LENGTH = 18
_LARGEST_EXPONENT = 300  # what a double can hold, either way


@dataclass(frozen=True)
class Limits:
    """What a body may cost at most: its length in bytes and how deep objects and lists may nest."""

    size: int = 5 * 1024 * 1024
    depth: int = 64


DEFAULT = Limits()


def parse(body: bytes, limits: Limits = DEFAULT) -> Resource:
    """A FHIR JSON body as a dict with decimals as `Decimal`, so that 1.10 stays 1.10.

    Raises InvalidResource with one issue: `too-long` (bytes), `too-costly` (depth), `structure` (not one JSON object in
    UTF-8, duplicate keys, lone surrogates, NUL), `value` (NaN, Infinity, a number no double can hold).
    """
    if len(body) > limits.size:
        _refuse("too-long", f"The body has {len(body)} bytes; at most {limits.size} are accepted")
    if _too_deep(body, limits.depth):
        _refuse("too-costly", f"Objects and lists are nested more than {limits.depth} deep")
    text = _text(body)
    try:
        parsed = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        _refuse("structure", f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})")
    if not isinstance(parsed, dict):
        _refuse("structure", "The body must be one JSON object")
    if "\\u" in text:
        _refuse_unstorable(parsed)
    return parsed


def render(resource: Resource) -> bytes:
    """Compact JSON; a Decimal keeps its digits (an exponent is written as `1E+5`)."""
    return _ENCODER.encode(resource)


def check(resource: Resource, expected_type: str | None = None) -> list[Issue]:
    """What keeps a resource from being valid R4, 50 issues at most; empty if nothing does.

    `expected_type` is the type the place it arrived at is for. Resources inside it are checked by their own type;
    those of an R4 type whose elements this product does not know (Medication, Device) are let through as they are.
    """
    found = resource.get("resourceType")
    if not isinstance(found, str):
        return [Issue("error", "required", "resourceType is required: a string naming a FHIR R4 resource type")]
    if expected_type is not None and found != expected_type:
        return [
            Issue("error", "invalid", f"This is a resource of type {found[:80]!r}; {expected_type} is expected here")
        ]
    if found not in tables.resource_types():
        return [Issue("error", "not-supported", f"Resources of type {found[:80]!r} are not supported here", found[:80])]
    issues = list(islice(_check(resource, found, found), _MOST_ISSUES))
    return issues or tree_rules.check(resource, found)[:_MOST_ISSUES]


def _check(resource: Resource, resource_type: str, root: str) -> Iterator[Issue]:
    sound = schema.is_valid(resource_type, resource)
    if not sound:
        yield from sentences.explain(resource_type, resource, root)
    for inner, place in _inner(resource, resource_type, root):
        yield from _check_inner(inner, place)
    if sound:
        yield from type_rules.check(resource, resource_type, root)


def _check_inner(resource: Resource, root: str) -> Iterator[Issue]:
    found = resource.get("resourceType")
    if isinstance(found, str) and found in tables.resource_types():
        yield from _check(resource, found, root)
    elif found not in tables.codes()["resource-types"]["codes"]:
        shown = repr(found)[:80]
        yield Issue("error", "value", f"{root}.resourceType: {shown} is not a FHIR R4 resource type", root)


def _inner(resource: Resource, resource_type: str, root: str) -> Iterator[tuple[Resource, str]]:
    """The resources directly inside one, and their places; only well-formed ones (the schema reports the others)."""
    yield from _dicts(resource.get("contained"), f"{root}.contained")
    if resource_type == "Bundle":
        for entry, place in _dicts(resource.get("entry"), f"{root}.entry"):
            if isinstance(entry.get("resource"), dict):
                yield entry["resource"], f"{place}.resource"
            response = entry.get("response")
            if isinstance(response, dict) and isinstance(response.get("outcome"), dict):
                yield response["outcome"], f"{place}.response.outcome"
    if resource_type == "Parameters":
        yield from _of_parameters(resource.get("parameter"), f"{root}.parameter")


def _of_parameters(parameters: Any, root: str) -> Iterator[tuple[Resource, str]]:
    for parameter, place in _dicts(parameters, root):
        if isinstance(parameter.get("resource"), dict):
            yield parameter["resource"], f"{place}.resource"
        yield from _of_parameters(parameter.get("part"), f"{place}.part")


def _dicts(value: Any, root: str) -> Iterator[tuple[Resource, str]]:
    items = value if isinstance(value, list) else []
    return ((item, f"{root}[{index}]") for index, item in enumerate(items) if isinstance(item, dict))


def _refuse(code: str, sentence: str) -> NoReturn:
    raise InvalidResource([Issue("fatal", code, sentence)])


def _too_deep(body: bytes, depth: int) -> bool:
    if body.count(b"{") + body.count(b"[") <= depth:
        return False
    level = 0
    for bracket in _STRING.sub(b"", body).translate(None, delete=_NOT_BRACKETS):
        level += 1 if bracket in b"[{" else -1
        if level > depth:
            return True
    return False


def _text(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        _refuse("structure", "The body starts with a byte order mark; send UTF-8 without one")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("structure", f"The body is not UTF-8 (byte {error.start})")


def _object(pairs: list[tuple[str, Any]]) -> Resource:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        _refuse("structure", f"The key {twice[:80]!r} occurs twice in one object")
    return members


def _decimal(text: str) -> Decimal:
    if len(text) > _NUMBER_LENGTH:
        _refuse("value", f"The number {text[:20]}... has more than {_NUMBER_LENGTH} characters")
    try:
        number = Decimal(text)
        within = number.is_finite() and abs(number.adjusted()) <= _LARGEST_EXPONENT
    except InvalidOperation:
        within = False
    if not within:
        _refuse("value", f"The number {text} is out of range")
    return number


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _SAFE_INTEGER_LENGTH and text != "-0" else _decimal(text)


def _constant(text: str) -> NoReturn:
    _refuse("value", f"{text} is not a JSON number")


def _refuse_unstorable(value: Any) -> None:
    """Escapes can spell what UTF-8 text cannot hold (half a surrogate pair) and what databases refuse (NUL)."""
    if isinstance(value, str):
        if "\0" in value:
            _refuse("structure", "A string contains the character NUL (\\u0000)")
        try:
            value.encode()
        except UnicodeEncodeError:
            _refuse("structure", "A string contains half a surrogate pair (\\ud800 to \\udfff)")
    elif isinstance(value, dict):
        for key, member in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(member)
    elif isinstance(value, list):
        for member in value:
            _refuse_unstorable(member)

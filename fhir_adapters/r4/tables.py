"""The committed tables of HL7's R4 definitions, written by `tools/generate_r4.py`, which says what is in them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Table = dict[str, dict[str, Any]]

PRIMITIVES = frozenset(
    [
        "base64Binary",
        "boolean",
        "canonical",
        "code",
        "date",
        "dateTime",
        "decimal",
        "id",
        "instant",
        "integer",
        "markdown",
        "oid",
        "positiveInt",
        "string",
        "time",
        "unsignedInt",
        "uri",
        "url",
        "uuid",
        "xhtml",
    ]
)


def _table(name: str) -> Table:
    table: Table = json.loads((Path(__file__).parent / name).read_bytes())["table"]
    return table


@cache
def elements() -> Table:
    """Type (a backbone by its path, `Task.input`) -> `kind` and `elements`."""
    return _table("elements.json")


@cache
def codes() -> Table:
    """Name of a required value set -> `codes` and, if they come from one system, `system`."""
    return _table("codes.json")


@cache
def search() -> Table:
    """Resource type -> search parameter -> `type`, `paths`, `targets`; `Resource` holds those of every type."""
    return _table("search.json")


@cache
def resource_types() -> frozenset[str]:
    """The resource types this product knows the elements of."""
    return frozenset(name for name, body in elements().items() if body["kind"] == "resource")


@cache
def keys(type_name: str) -> dict[str, tuple[str, str]]:
    """JSON key -> element name and datatype, choices spelt out: `valueString` -> (`value[x]`, `string`)."""
    spelt = {}
    for name, row in elements()[type_name]["elements"].items():
        for datatype in row["types"]:
            key = name.removesuffix("[x]") + datatype[0].upper() + datatype[1:] if name.endswith("[x]") else name
            spelt[key] = (name, datatype)
    return spelt

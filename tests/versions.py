"""The shipped content as a later version of the product would bring it."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_adapters.store.content import decode, encode
from pathway.checks.shape import CANONICAL
from pathway.ports import Resource


def bumped(definitions: Sequence[Resource], version: str) -> list[Resource]:
    """The same artefacts under another version, referring to each other by it."""
    copies = [decode(encode(definition).replace('|0.1.0"', f'|{version}"')) for definition in definitions]
    return [copy | {"version": version} if copy["resourceType"] in CANONICAL else copy for copy in copies]

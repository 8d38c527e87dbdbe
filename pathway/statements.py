"""The statements of the content that the definitions name as their sources, each in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "statements.json"


@cache
def sentences() -> Mapping[str, str]:
    """The sentence of every statement by its id."""
    return {statement["id"]: statement["sentence"] for statement in json.loads(_TABLE.read_text(encoding="utf-8"))}

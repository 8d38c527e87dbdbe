"""What the pathway proposed last, kept in `meta.tag` of what it authored.

It tells what somebody changed since from what is still as proposed. Tags stay ours: a merge leaves `meta` alone.
"""

from __future__ import annotations

from pathway.ports import Resource


def tag_of(resource: Resource, system: str) -> str | None:
    """The code that a resource is tagged with in `system`."""
    tags = resource.get("meta", {}).get("tag", [])
    return next((str(tag["code"]) for tag in tags if tag.get("system") == system and "code" in tag), None)


def tagged(resource: Resource, system: str, code: str | None, display: str | None = None) -> Resource:
    """The resource with this tag in place of another one of `system`; None takes it away."""
    meta = resource.get("meta", {})
    tags = [tag for tag in meta.get("tag", []) if tag.get("system") != system]
    named = {"display": display} if display else {}
    tags += [{"system": system, "code": code, **named}] if code else []
    meta = {**{name: value for name, value in meta.items() if name != "tag"}, **({"tag": tags} if tags else {})}
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return {**rest, **({"meta": meta} if meta else {})}

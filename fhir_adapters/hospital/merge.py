"""Two sides changed one resource: element by element, each keeps what is its own.

The pathway owns what makes a request ours and when it is sought, and what a RiskAssessment says; everything a clinician
works with is the hospital's (status, booking, notes). What only one side changed is taken from that side.
"""

from __future__ import annotations

from dataclasses import dataclass

from pathway.ports import Resource

_PATHWAY_OWNS = frozenset(
    {
        "identifier",
        "instantiatesCanonical",
        "basedOn",
        "groupIdentifier",
        "supportingInformation",
        "supportingInfo",
        "activity",
        "intent",
        "for",
        "subject",
        "method",
        "basis",
        "prediction",
    }
)
_NOT_MERGED = frozenset({"id", "meta", "text", "resourceType"})


@dataclass(frozen=True)
class Merged:
    """The outcome. `disputed`: elements both sides changed, which the hospital's value won."""

    resource: Resource
    disputed: tuple[str, ...]


def merge(ours_before: Resource, ours: Resource, theirs_before: Resource, theirs: Resource) -> Merged:
    """Three-way merge of our resource with the hospital's copy, all in our ids; keeps our id and meta."""
    result = dict(ours)
    disputed = []
    for name in sorted((set(theirs) | set(theirs_before)) - _NOT_MERGED - _PATHWAY_OWNS):
        if theirs.get(name) == theirs_before.get(name):
            continue
        unsent = ours.get(name) not in (ours_before.get(name), theirs_before.get(name))
        if unsent and ours.get(name) != theirs.get(name):
            disputed.append(name)
        if name in theirs:
            result[name] = theirs[name]
        else:
            result.pop(name, None)
    return Merged(result, tuple(disputed))

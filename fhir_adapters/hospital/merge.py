"""Two sides changed one resource: element by element, each keeps what is its own.

The pathway owns what makes a request ours and when it is sought, and what a RiskAssessment says; everything a clinician
works with is the hospital's (status, booking, notes). What only one side changed is taken from that side. When somebody
took a request on before our change reached them, its days, its owner and its end are not ours to change any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from pathway.ports import Resource
from pathway.tasks import is_movable

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
_GOES_TO_WHO_TOOK_IT_ON = frozenset(
    {
        "status",
        "statusReason",
        "owner",
        "performer",
        "participant",
        "restriction",
        "requestedPeriod",
        "occurrencePeriod",
        "occurrenceDateTime",
        "slot",
        "comment",
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
    taken_on = is_movable(theirs_before) and not is_movable(theirs)
    result = _as_sent(ours, ours_before) if taken_on else dict(ours)
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


def _as_sent(ours: Resource, ours_before: Resource) -> Resource:
    """Without what we changed since of what belongs to whoever took it on; `meta.tag` says what we proposed of it."""
    sent = {name: value for name, value in ours_before.items() if name in _GOES_TO_WHO_TOOK_IT_ON}
    kept = {name: value for name, value in ours.items() if name not in _GOES_TO_WHO_TOOK_IT_ON}
    meta = {name: value for name, value in ours.get("meta", {}).items() if name != "tag"}
    tags = {name: value for name, value in ours_before.get("meta", {}).items() if name == "tag"}
    return {**kept, **sent, **({"meta": {**meta, **tags}} if meta else {})}

"""Why something changed, as FHIR Provenance: one per difference written, with a sentence per resource."""

from __future__ import annotations

from collections.abc import Sequence

from pathway import codes
from pathway.keys import id_of
from pathway.ports import Key, Resource
from pathway.site import Site
from pathway.situation import Now


def provenance(
    site: Site,
    reasons: Sequence[tuple[str, str]],
    versions: Sequence[str],
    cause: str,
    now: Now,
    author: Resource | None = None,
) -> Resource:
    """Provenance of the resources in `reasons` (reference, why); `cause` is what set the change off.

    `versions`: what was written, as type/id/version. `author`: the clinician who wanted it, if one did.

    Provenance has no identifier: its id is derived from the key, which also stands in entity.what.identifier.
    """
    targets = list(dict.fromkeys(reference for reference, _ in reasons))
    key = Key(codes.KEY_SYSTEM, ":".join([site.hospital, cause, now.instant, *versions]))
    why = "; ".join(dict.fromkeys(f"{reference}: {text}" for reference, text in reasons))
    return {
        "resourceType": "Provenance",
        "id": id_of("Provenance", key),
        "target": [{"reference": reference} for reference in targets],
        "recorded": now.instant,
        "reason": [{"text": why}],
        "agent": [
            *([_agent("author", "Author", author)] if author else []),
            _agent("assembler", "Assembler", {"display": "Calcinosis pathway service"}),
        ],
        "entity": [
            {
                "role": "source",
                "what": {
                    "identifier": {"system": codes.KEY_SYSTEM, "value": id_of("Provenance", key)},
                    "display": cause,
                },
            }
        ],
    }


def _agent(code: str, display: str, who: Resource) -> Resource:
    return {"type": {"coding": [{"system": codes.PROVENANCE_AGENT, "code": code, "display": display}]}, "who": who}

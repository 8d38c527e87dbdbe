"""The surgeon's decision beside the proposed result: where they differ, who decided, when and why is kept.

The decision stands. Its reason is `dec-outcome-reason` of the shared decision; without one the surgeon is asked for it
(content specification A18: an override needs author, time and reason).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pathway import codes
from pathway.assessment import assess
from pathway.context import Context
from pathway.enabled import answers_of
from pathway.keys import action_key, id_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.situation import authored_order

# The decisions that a proposed result does not speak against; a result that is not listed, such as too little
# information, speaks against none.
_IN_LINE: Mapping[str, frozenset[str]] = {
    "surgery-may-be-considered": frozenset({"surgery", "more-work-up"}),
    **dict.fromkeys(
        ("conservative-preferred", "insufficient-alone", "no-indication"),
        frozenset({"conservative", "watchful", "more-work-up", "declined"}),
    ),
}


@dataclass(frozen=True)
class Overruling:
    """A decision that differs from what was proposed. `reason`: what its author gave, "" for none."""

    response: Resource
    indications: Resource
    sentence: str
    reason: str


def overrulings(context: Context) -> Iterator[Overruling]:
    """Every recorded decision that differs from the proposal of the answers known when it was made."""
    answered = context.situation.responses(codes.INDICATIONS)
    for response in context.situation.responses(codes.SHARED_DECISION):
        before = [r for r in answered if authored_order(r)[0] <= authored_order(response)[0]]
        answers = answers_of(response)
        decision = next((str(code) for _, code in answers.get("dec-record-outcome", ())), None)
        if not before or decision is None:
            continue
        proposed = assess(before[-1], context.parameters).result
        if decision in _IN_LINE.get(proposed, frozenset({decision})):
            continue
        sentence = f"The decision is {decision}; proposed was {proposed}."
        reason = " ".join(str(text) for text in answers.get("dec-outcome-reason", ())).strip()
        yield Overruling(response, before[-1], sentence, reason)


def record(context: Context, overruling: Overruling) -> Resource:
    """The Provenance of a decision that overrules the proposal: one per version of the reason."""
    response = overruling.response
    key = action_key(context.situation.key, "overruling", response["id"], str(response.get("authored", "")))
    return {
        "resourceType": "Provenance",
        "id": id_of("Provenance", key),
        "target": [{"reference": reference_to(context.situation.care_plan)}, {"reference": reference_to(response)}],
        "occurredDateTime": response.get("authored", context.now.instant),
        "recorded": context.now.instant,
        "reason": [{"text": f"{overruling.sentence} Reason given: {overruling.reason}"}],
        "agent": [
            {
                "type": {"coding": [{"system": codes.PROVENANCE_AGENT, "code": "author", "display": "Author"}]},
                "who": response["author"],
            }
        ],
        "entity": [{"role": "source", "what": {"reference": reference_to(overruling.indications)}}],
    }

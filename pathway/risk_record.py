"""The patient's RiskAssessment in the record: made once the indications are answered, and kept as what is known says.

It is `preliminary` until the decision is recorded, then `final`; what is learnt after that makes it `amended`. Another
status is somebody's at the hospital, and nothing is changed any more. The CarePlan names it in `supportingInfo`, so
that no Task waits for a hospital that cannot take it.
"""

from __future__ import annotations

from pathway.codes import INDICATIONS, SHARED_DECISION
from pathway.context import Context
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.risks import risk_assessment

_OURS = ("method", "basis", "prediction", "note")


def risk_record(context: Context) -> tuple[Resource, str] | None:
    """The RiskAssessment as it should be and why, when it has to be written. On answers that cannot be used: None."""
    situation = context.situation
    if context.unusable or not situation.responses(INDICATIONS):
        return None
    assessed = risk_assessment(context.library, situation, context.now)
    key = key_of(assessed)
    if key is None or not assessed["prediction"]:
        return None
    decided = bool(situation.responses(SHARED_DECISION))
    existing = situation.by_key.get(("RiskAssessment", key.value))
    if existing is None:
        return {**assessed, "status": "final" if decided else "preliminary"}, "the risks, for the talk about surgery"
    return _revised(existing, assessed, decided=decided)


def _revised(existing: Resource, assessed: Resource, *, decided: bool) -> tuple[Resource, str] | None:
    if existing["status"] not in ("preliminary", "final", "amended"):
        return None
    if any(existing.get(name) != assessed.get(name) for name in _OURS):
        status = "preliminary" if not decided else "final" if existing["status"] == "preliminary" else "amended"
        rest = {name: value for name, value in existing.items() if name not in _OURS}
        return {**rest, **assessed, "status": status}, "what emphasises the risks has changed"
    if decided and existing["status"] == "preliminary":
        return {**existing, "status": "final"}, "the decision is recorded"
    return None

"""The nine risks of the operation as the patient's RiskAssessment.

The figures are data (CodeSystem `risk`): population figures, the same for everybody. What is known of a patient only
emphasises a risk, it never changes a figure (content specification A7, ten-safe-vs-figures, ten-outcome-horizon).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pathway.codes import RISK, RISK_FACTOR, RISK_PROBABILITY, UCUM
from pathway.enabled import answers_of
from pathway.keys import action_key, id_of
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.situation import Now, Situation, authored_order

METHOD = "Published population figure, not individualised"
_NOT_STANDING = frozenset({"inactive", "remission", "resolved", "refuted", "entered-in-error"})


@dataclass(frozen=True)
class Raised:
    """A factor that emphasises a risk: its code and name, and the resource that shows it."""

    code: str
    display: str
    shown_by: str


def risk_assessment(library: Library, situation: Situation, now: Now) -> Resource:
    """One RiskAssessment per patient and plan with all nine risks, in the order of the content.

    R4: a range is in percent with the UCUM code `%`; "fewer than x" has an upper end only, and says so in `rationale`
    (ras-1, ras-2).
    """
    raised = factors(library, situation)
    key = action_key(situation.key, "risk-assessment")
    basis = dict.fromkeys(one.shown_by for one in raised.values())
    return {
        "resourceType": "RiskAssessment",
        "id": id_of("RiskAssessment", key),
        "identifier": [key.identifier()],
        "basedOn": {"reference": reference_to(situation.care_plan)},
        "status": "final",
        "method": {"text": METHOD},
        "subject": {"reference": reference_to(situation.subject)},
        "occurrenceDateTime": now.clinical.isoformat(),
        **({"basis": [{"reference": reference} for reference in basis]} if basis else {}),
        "prediction": [_prediction(concept, raised) for concept in _concepts(library, RISK)],
        "note": [{"text": "Figures of one source for patients, without a citation. They are always shown together."}],
    }


def factors(library: Library, situation: Situation) -> Mapping[str, Raised]:
    """What is known of the patient that emphasises a risk, by code: answered (the newest answer counts) or recorded."""
    answers = _newest_answers(library, situation)
    found: dict[str, Raised] = {}
    for concept in _concepts(library, RISK_FACTOR):
        reference = _answered(concept, answers) or _recorded(concept, situation.of_type("Condition"))
        if reference is not None:
            found[concept["code"]] = Raised(concept["code"], concept["display"], reference)
    return found


def _prediction(concept: Resource, raised: Mapping[str, Raised]) -> Resource:
    name = concept["display"]
    codings = [{"system": RISK, "code": concept["code"], "display": name}, *_values(concept, "mapping-to-standard")]
    qualitative = {
        "coding": [{"system": RISK_PROBABILITY, "code": code} for code in _values(concept, "qualitative")],
        "text": _first(concept, "qualitative-text"),
    }
    prediction = {
        "outcome": {"coding": codings, "text": name},
        "probabilityRange": _range(_first(concept, "low"), _first(concept, "high")),
        "qualitativeRisk": {name: value for name, value in qualitative.items() if value},
        "rationale": _rationale(concept, raised),
    }
    return {name: value for name, value in prediction.items() if value}


def _range(low: Any, high: Any) -> Resource:
    ends = {"low": low, "high": high}
    return {
        name: {"value": value, "unit": "%", "system": UCUM, "code": "%"}
        for name, value in ends.items()
        if value is not None
    }


def _rationale(concept: Resource, raised: Mapping[str, Raised]) -> str:
    sentences = [str(concept["definition"])]
    if _first(concept, "below"):
        sentences.append(f"Below {_first(concept, 'high')} percent.")
    if text := _first(concept, "qualitative-text"):
        sentences.append(f"How often: {text}.")
    if symptoms := _first(concept, "symptoms"):
        sentences.append(f"It shows as: {symptoms}.")
    emphasised = [raised[code].display for code in _values(concept, "raised-by") if code in raised]
    if emphasised:
        sentences.append(f"Weighs more for this patient because of {', '.join(emphasised)}; the figure is the same.")
    return " ".join(sentences)


def _newest_answers(library: Library, situation: Situation) -> Mapping[str, tuple[Sequence[Any], str]]:
    """Each question's newest answer and the response it stands in; coded answers as their code."""
    forms = [questionnaire["url"] for questionnaire in library.questionnaires()]
    responses = sorted((r for form in forms for r in situation.responses(form)), key=authored_order)
    newest: dict[str, tuple[Sequence[Any], str]] = {}
    for response in responses:
        for link, values in answers_of(response).items():
            plain = [value[1] if isinstance(value, tuple) else value for value in values]
            newest[link] = (plain, reference_to(response))
    return newest


def _answered(concept: Resource, answers: Mapping[str, tuple[Sequence[Any], str]]) -> str | None:
    values, reference = answers.get(str(_first(concept, "link")), ((), ""))
    showing = set(_values(concept, "value"))
    given = {"true" if value is True else str(value) for value in values}
    return reference if showing & given else None


def _recorded(concept: Resource, conditions: Sequence[Resource]) -> str | None:
    wanted = {(coding["system"], coding["code"]) for coding in _values(concept, "mapping-to-standard")}
    for condition in conditions:
        coded = {(c.get("system"), c.get("code")) for c in condition.get("code", {}).get("coding", [])}
        if wanted & coded and not _NOT_STANDING & set(_statuses(condition)):
            return reference_to(condition)
    return None


def _statuses(condition: Resource) -> Iterator[str]:
    for name in ("clinicalStatus", "verificationStatus"):
        yield from (str(coding.get("code")) for coding in condition.get(name, {}).get("coding", []))


def _concepts(library: Library, url: str) -> Sequence[Resource]:
    found: Sequence[Resource] = (library.find_code_system(url) or {}).get("concept", [])
    return found


def _values(concept: Resource, property: str) -> list[Any]:
    found = [p for p in concept.get("property", []) if p["code"] == property]
    return [value for p in found for name, value in p.items() if name.startswith("value")]


def _first(concept: Resource, property: str) -> Any:
    return next(iter(_values(concept, property)), None)

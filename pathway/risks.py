"""The nine risks of the operation as the patient's RiskAssessment.

The figures are data (CodeSystem `risk`): population figures, the same for everybody. What is known of a patient only
emphasises a risk, it never changes a figure (content specification A7, ten-safe-vs-figures, ten-outcome-horizon).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pathway.codes import RISK, RISK_FACTOR, RISK_PROBABILITY, UCUM
from pathway.concepts import concepts_of, value_of, values_of
from pathway.enabled import answers_of
from pathway.keys import action_key, id_of
from pathway.library import Library
from pathway.parameters import Value, effective
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
        "prediction": [_prediction(concept, raised) for concept in concepts_of(library, RISK)],
        "note": [
            {"text": "Figures of one source for patients, without a citation. They are always shown together."},
            *({"text": f"Rests on the site's rule {name} = {value}."} for name, value in _switches(library, situation)),
        ],
    }


def factors(library: Library, situation: Situation) -> Mapping[str, Raised]:
    """What is known of the patient that emphasises a risk, by code: answered (the newest answer counts) or recorded.

    A factor that the site has switched off is left out (CodeSystem risk-factor, property `parameter`).
    """
    rules = effective(library, situation.site.parameters.pathway)
    return {
        concept["code"]: Raised(concept["code"], concept["display"], reference)
        for concept, reference in _known(library, situation)
        if rules.get(str(value_of(concept, "parameter"))) is not False
    }


def _known(library: Library, situation: Situation) -> Iterator[tuple[Resource, str]]:
    """Each factor that the patient has, with the resource that shows it."""
    answers = _newest_answers(library, situation)
    for concept in concepts_of(library, RISK_FACTOR):
        reference = _answered(concept, answers) or _recorded(concept, situation.of_type("Condition"))
        if reference is not None:
            yield concept, reference


def _switches(library: Library, situation: Situation) -> Iterator[tuple[str, Value]]:
    """The site's values that the patient's factors depend on."""
    rules = effective(library, situation.site.parameters.pathway)
    for concept, _ in _known(library, situation):
        if (name := value_of(concept, "parameter")) in rules:
            yield name, rules[name]


def _prediction(concept: Resource, raised: Mapping[str, Raised]) -> Resource:
    name = concept["display"]
    codings = [{"system": RISK, "code": concept["code"], "display": name}, *values_of(concept, "mapping-to-standard")]
    qualitative = {
        "coding": [{"system": RISK_PROBABILITY, "code": code} for code in values_of(concept, "qualitative")],
        "text": value_of(concept, "qualitative-text"),
    }
    prediction = {
        "outcome": {"coding": codings, "text": name},
        "probabilityRange": _range(value_of(concept, "low"), value_of(concept, "high")),
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
    if value_of(concept, "below"):
        sentences.append(f"Below {value_of(concept, 'high')} percent.")
    if text := value_of(concept, "qualitative-text"):
        sentences.append(f"How often: {text}.")
    if symptoms := value_of(concept, "symptoms"):
        sentences.append(f"It shows as: {symptoms}.")
    emphasised = [raised[code].display for code in values_of(concept, "raised-by") if code in raised]
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
    values, reference = answers.get(str(value_of(concept, "link")), ((), ""))
    showing = set(values_of(concept, "value"))
    given = {"true" if value is True else str(value) for value in values}
    return reference if showing & given else None


def _recorded(concept: Resource, conditions: Sequence[Resource]) -> str | None:
    wanted = {(coding["system"], coding["code"]) for coding in values_of(concept, "mapping-to-standard")}
    for condition in conditions:
        coded = {(c.get("system"), c.get("code")) for c in condition.get("code", {}).get("coding", [])}
        if wanted & coded and not _NOT_STANDING & set(_statuses(condition)):
            return reference_to(condition)
    return None


def _statuses(condition: Resource) -> Iterator[str]:
    for name in ("clinicalStatus", "verificationStatus"):
        yield from (str(coding.get("code")) for coding in condition.get(name, {}).get("coding", []))

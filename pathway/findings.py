"""What the decision table looks at: the answers to `calcinosis-surgery-indications`, and small questions about them.

None of the sixteen indications has a threshold: each is a clinical judgement (ten-thresholds).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pathway.enabled import answers_of
from pathway.ports import Resource

SYMPTOMS = (
    "ind-severe-pain",
    "ind-recurrent-infection",
    "ind-skin-breakdown",
    "ind-mobility-limitation",
    "ind-persistent-symptoms",
)
OTHER_REASONS = (
    "ind-occupational",
    "ind-nonsurgical-failure",
    "ind-autoimmune-refractory",
    "ind-medical-nonresponse",
    "ind-complex-or-large",
)
INDICATIONS = (
    *SYMPTOMS,
    *OTHER_REASONS,
    "ind-rapid-progression",
    "ind-quality-of-life",
    "ind-critical-anatomy",
    "ind-definitive-preference",
    "ind-diagnostic-uncertainty",
    "ind-prevent-complications",
)

FAILURES = (
    "ind-nonsurgical-failure",
    "ind-medical-nonresponse",
    "ind-autoimmune-refractory",
    "ind-persistent-symptoms",
)
EPISODES = "ind-recurrent-infection-episodes"
# Whose list names a treatment (CodeSystem prior-treatment, property named-by); one injection is in both.
TREATMENTS: Mapping[str, frozenset[str]] = {
    "patient": frozenset(
        {"eswt", "medication", "physical-therapy", "minimally-invasive", "intralesional-corticosteroid"}
    ),
    "professional": frozenset({"sodium-thiosulfate-topical", "co2-laser", "intralesional-corticosteroid"}),
}

_FAILED = frozenset({"none", "temporary"})
_STRUCTURE = "ind-prevent-complications-structure"
_GROWTH = "ind-prevent-complications-growth"
_SOURCE = "ind-quality-of-life-source"


@dataclass(frozen=True)
class Findings:
    """The answers by linkId; coded answers as their code. `failed`: treatments that helped not at all or for a time."""

    answers: Mapping[str, tuple[Any, ...]]
    failed: frozenset[str] = frozenset()

    def says(self, link: str, value: Any = True) -> bool:
        return value in self.answers.get(link, ())

    def answered(self, link: str) -> bool:
        return any(value not in (None, "") for value in self.answers.get(link, ()))

    def ticked(self, *links: str) -> tuple[str, ...]:
        """Those of the indications (of all 16 when none is named) that were ticked."""
        return tuple(link for link in links or INDICATIONS if self.says(link))


def read(response: Resource) -> Findings:
    """The answers of a QuestionnaireResponse, at whatever depth they stand."""
    given = answers_of(response)
    plain = {link: tuple(v[1] if isinstance(v, tuple) else v for v in values) for link, values in given.items()}
    return Findings(plain, frozenset(_failed_treatments(response.get("item", []))))


def _failed_treatments(items: Sequence[Resource]) -> Iterator[str]:
    """The earlier treatments whose own answer says that they did not last (dec-prior-response)."""
    for item in items:
        for answer in item.get("answer", []):
            given = [value for values in answers_of(answer).values() for value in values]
            responses = {value[1] for value in given if isinstance(value, tuple)}
            if item["linkId"] == "prior-treatment" and responses & _FAILED:
                yield str(answer.get("valueCoding", {}).get("code"))
        yield from _failed_treatments(item.get("item", []))


def only_measured(findings: Findings) -> bool:
    return findings.answered("dec-size-mm") and not findings.answered("dec-size")


def sized(findings: Findings, small_below_mm: Decimal) -> Findings:
    """The findings with the size that follows from the measure (dec-size, ten-thresholds)."""
    size = "small" if Decimal(str(findings.answers["dec-size-mm"][0])) < small_below_mm else "medium"
    return replace(findings, answers={**findings.answers, "dec-size": (size,)})


def failed_before(findings: Findings, whose_list: str) -> bool:
    """Whether another treatment has failed: ticked so, or a treatment of the list that counts did not last."""
    everybody = frozenset[str]().union(*TREATMENTS.values())
    return bool(findings.ticked(*FAILURES) or findings.failed & TREATMENTS.get(whose_list, everybody))


def infections_counted(findings: Findings) -> int | None:
    """How many infections stand behind a ticked ind-recurrent-infection; None when nobody counted them."""
    counted = findings.answers.get(EPISODES, ())
    return int(counted[0]) if findings.says("ind-recurrent-infection") and counted else None


def unanswered(findings: Findings) -> tuple[str, ...]:
    """The required questions without an answer: symptoms, size, cosmetic concern, diagnosis certainty."""
    symptoms = () if _symptoms_known(findings) else tuple(s for s in SYMPTOMS if not findings.answered(s))
    others = tuple(link for link in ("dec-size", "cosmetic-concern") if not findings.answered(link))
    return (*symptoms, *others, *(() if _diagnosis_known(findings) else ("diagnosis-certain",)))


def evidence_missing(findings: Findings) -> tuple[str, ...]:
    """What a ticked indication still needs before it is a reason (ind-prevent-complications, ind-quality-of-life)."""
    missing: list[str] = []
    if findings.says("ind-prevent-complications"):
        missing += [] if findings.answered(_STRUCTURE) else [_STRUCTURE]
        missing += [] if findings.says(_GROWTH) else [_GROWTH]
    if findings.says("ind-quality-of-life") and not findings.says(_SOURCE, "pain"):
        if not findings.says(_SOURCE, "looks"):
            missing.append(_SOURCE)
        elif not looks_trouble(findings):
            missing.append("cosmetic-concern")
    return tuple(missing)


def uncertain(findings: Findings) -> bool:
    """Doubt wins over a contradicting answer (ten-diagnostic-override)."""
    return findings.says("ind-diagnostic-uncertainty") or findings.says("diagnosis-certain", False)


def pressing(findings: Findings) -> bool:
    """Growth, or a named structure at risk from a growing deposit (rule-urgent-review)."""
    return findings.says("ind-rapid-progression") or prevention_shown(findings)


def prevention_shown(findings: Findings) -> bool:
    named = findings.says("ind-prevent-complications") and findings.answered(_STRUCTURE)
    return named and findings.says(_GROWTH)


def symptom_or_function(findings: Findings) -> bool:
    ticked = findings.ticked(*SYMPTOMS, *OTHER_REASONS)
    return bool(ticked) or pain_harms_wellbeing(findings) or severe_looks_with_impact(findings)


def pain_harms_wellbeing(findings: Findings) -> bool:
    return findings.says("ind-quality-of-life") and findings.says(_SOURCE, "pain")


def severe_looks_with_impact(findings: Findings) -> bool:
    """Severity and impact are two separate facts, and both are needed (ten-cosmetic)."""
    impact = findings.says("quality-of-life-impact") or findings.says("ind-quality-of-life")
    return findings.says("cosmetic-concern", "severe") and impact


def small_and_silent(findings: Findings) -> bool:
    """Small, without symptoms, and of a diagnosis that is not in doubt (dec-small-asymptomatic-default)."""
    certain = _diagnosis_known(findings) and not uncertain(findings)
    return findings.says("dec-size", "small") and _silent(findings) and certain


def close_and_larger(findings: Findings) -> bool:
    larger = findings.answered("dec-size") and not findings.says("dec-size", "small")
    return findings.says("ind-critical-anatomy") and larger


def looks_trouble(findings: Findings) -> bool:
    return any(findings.says("cosmetic-concern", degree) for degree in ("mild", "moderate", "severe"))


def preference_only(findings: Findings) -> bool:
    return findings.ticked() == ("ind-definitive-preference",)


def nothing_ticked(findings: Findings) -> bool:
    return _silent(findings) and not findings.ticked()


def _symptoms_known(findings: Findings) -> bool:
    """One symptom is enough to know that there are symptoms; that there are none takes all five answers."""
    return bool(findings.ticked(*SYMPTOMS)) or all(findings.answered(symptom) for symptom in SYMPTOMS)


def _silent(findings: Findings) -> bool:
    return _symptoms_known(findings) and not findings.ticked(*SYMPTOMS)


def _diagnosis_known(findings: Findings) -> bool:
    return findings.answered("diagnosis-certain") or findings.answered("ind-diagnostic-uncertainty")

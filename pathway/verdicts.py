"""What each row of the decision table says under a site's rules: a result, its reasons, the parameters looked at.

What a site may change is the result of a row, never which facts the rows look for (content specification A18, A19).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from pathway import findings as found
from pathway.findings import OTHER_REASONS, SYMPTOMS, Findings
from pathway.parameters import Value

Rules = Mapping[str, Value]

CONSIDER = "surgery-may-be-considered"
CONSERVATIVE = "conservative-preferred"
INSUFFICIENT = "insufficient-information"
INSUFFICIENT_ALONE = "insufficient-alone"
NO_INDICATION = "no-indication"

# The content's defaults of the parameters that the table reads, for whoever asks without a site.
STATED: Rules = {
    "cosmeticAlone": "advise-conservative",
    "earlyInterventionRequires": "growth-threat-or-doubt",
    "diagnosticUncertaintyOverrides": True,
    "preferenceAlone": "not-sufficient",
    "priorTreatmentList": "union",
    "requireFailedAlternatives": False,
    "thresholds": "none",
    "smallBelowMm": Decimal(10),
    "infectionEpisodes": 2,
}


_MEANINGS: Mapping[str, str] = {
    "ind-severe-pain": "Lasting, intense pain despite treatment",
    "ind-mobility-limitation": "The deposit restricts movement",
    "ind-recurrent-infection": "Open skin over the deposit becomes infected again and again",
    "ind-nonsurgical-failure": "Treatment without an operation did not reduce the calcification",
    "ind-skin-breakdown": "Ulcer or chronic wound over the deposit",
    "ind-rapid-progression": "Sudden growth in size or number",
    "ind-quality-of-life": "Severe harm to well-being",
    "ind-critical-anatomy": "The deposit lies next to a nerve or vessel",
    "ind-autoimmune-refractory": "Autoimmune disease that medical care does not control",
    "ind-medical-nonresponse": "Medicines do not make the deposits smaller",
    "ind-complex-or-large": "Large or intricate deposit",
    "ind-prevent-complications": "A growing deposit puts a structure at risk",
    "ind-persistent-symptoms": "Symptoms go on despite treatment",
    "ind-occupational": "Work or daily duties are impaired",
    "dec-size": "How large the deposit is",
    "cosmetic-concern": "How much its looks trouble the patient",
    "diagnosis-certain": "Whether the diagnosis is certain",
    "ind-prevent-complications-structure": "Which structure is at risk",
    "ind-prevent-complications-growth": "Whether growth is documented",
    "ind-quality-of-life-source": "Where the harm to well-being comes from",
}


@dataclass(frozen=True)
class Verdict:
    """What a row says: its result, why, the parameters it looked at, and the linkIds it still asks for."""

    result: str
    reasons: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def unanswered(findings: Findings, _: Rules) -> Verdict:
    return Verdict(INSUFFICIENT, _sentences(found.unanswered(findings), "Not answered: "))


def uncertain(_: Findings, rules: Rules) -> Verdict:
    used = ("diagnosticUncertaintyOverrides",)
    if rules["diagnosticUncertaintyOverrides"]:
        reason = (
            "The diagnosis is unclear: tissue can settle it, so waiting is not the default "
            "(ind-diagnostic-uncertainty, ten-diagnostic-override)."
        )
        return Verdict(CONSIDER, (reason,), used)
    reason = (
        "The diagnosis is unclear: this site has it settled before anything is proposed "
        "(ind-diagnostic-uncertainty, ten-diagnostic-override)."
    )
    return Verdict(INSUFFICIENT, (reason,), used, ("diagnosis-certain",))


def pressing(findings: Findings, rules: Rules) -> Verdict:
    threat = ("ind-prevent-complications",) if found.prevention_shown(findings) else ()
    reasons = (
        *_sentences((*findings.ticked("ind-rapid-progression"), *threat)),
        "The surgical review should be brought forward (rule-urgent-review, ten-early-vs-conservative).",
    )
    if not found.small_and_silent(findings):
        return Verdict(CONSIDER, reasons)
    used = ("earlyInterventionRequires",)
    enough = {"growth-threat-or-doubt": True, "threat-or-doubt": bool(threat), "doubt": False}
    if enough[str(rules["earlyInterventionRequires"])]:
        return Verdict(CONSIDER, reasons, used)
    waiting = (
        "The deposit is small and without symptoms: here this is not enough for early surgery "
        "(dec-small-asymptomatic-default, ten-early-vs-conservative)."
    )
    return Verdict(CONSERVATIVE, (*reasons, waiting), used)


def symptom_or_function(findings: Findings, rules: Rules) -> Verdict:
    reasons = _sentences(findings.ticked(*SYMPTOMS, *OTHER_REASONS))
    if found.pain_harms_wellbeing(findings):
        reasons += ("Lasting pain severely harms the patient's well-being (ind-quality-of-life).",)
    if found.severe_looks_with_impact(findings):
        reasons += (
            "The looks are a severe burden and impair the quality of life "
            "(dec-severe-cosmetic-exception, ten-cosmetic).",
        )
    return _after_alternatives(findings, rules, reasons)


def small_and_silent(findings: Findings, _: Rules) -> Verdict:
    reasons: tuple[str, ...] = (
        "The deposit is small and without symptoms: surgery may scar, become infected or be followed by new deposits, "
        "so care without an operation comes first (dec-small-asymptomatic-default, alt-conservative-default).",
    )
    if findings.says("ind-critical-anatomy"):
        reasons += (
            "Closeness to a nerve or vessel shapes the operation; it is no reason by itself (ind-critical-anatomy).",
        )
    return Verdict(CONSERVATIVE, reasons)


def close_and_larger(findings: Findings, rules: Rules) -> Verdict:
    return _after_alternatives(findings, rules, _sentences(("ind-critical-anatomy",)))


def looks(findings: Findings, rules: Rules) -> Verdict:
    used = ("cosmeticAlone",)
    if rules["cosmeticAlone"] == "advise-conservative":
        reason = "Looks alone are generally no reason to operate (dec-cosmetic-only-default, ten-cosmetic)."
        return Verdict(CONSERVATIVE, (reason,), used)
    reason = (
        "Looks are the only reason, and this site lets them be considered (dec-cosmetic-only-default, ten-cosmetic)."
    )
    verdict = _after_alternatives(findings, rules, (reason,))
    return replace(verdict, parameters=(*used, *verdict.parameters))


def preference(_: Findings, rules: Rules) -> Verdict:
    used = ("preferenceAlone",)
    if rules["preferenceAlone"] == "not-sufficient":
        reason = (
            "A wish alone is not sufficient: ask what it rests on (ind-definitive-preference, ten-definitive-wish)."
        )
        return Verdict(INSUFFICIENT_ALONE, (reason,), used)
    reason = (
        "A wish is the only reason: care without an operation comes first here, as deposits can return "
        "(ind-definitive-preference, ten-definitive-wish)."
    )
    return Verdict(CONSERVATIVE, (reason,), used)


def unproven(findings: Findings, _: Rules) -> Verdict:
    return Verdict(INSUFFICIENT, _sentences(found.evidence_missing(findings), "Missing evidence: "))


def nothing(_: Findings, __: Rules) -> Verdict:
    reason = "Nothing speaks for surgery now; a watchful follow-up can be offered (dec-symptom-criteria-s2)."
    return Verdict(NO_INDICATION, (reason,))


def few_infections(findings: Findings, rules: Rules) -> Verdict:
    """What is to be said of infections that were counted; it changes no result (ten-thresholds)."""
    counted = found.infections_counted(findings)
    if counted is None:
        return Verdict("", ())
    used = ("infectionEpisodes",)
    if counted >= int(rules["infectionEpisodes"]):
        return Verdict("", (), used)
    reason = (
        f"{counted} counted where this site calls {rules['infectionEpisodes']} repeated: it stays a judgement "
        f"(ind-recurrent-infection, ten-thresholds)."
    )
    return Verdict("", (reason,), used, (found.EPISODES,))


def _after_alternatives(findings: Findings, rules: Rules, reasons: tuple[str, ...]) -> Verdict:
    """Surgery may be considered; where the site wants another treatment to have failed, only after that."""
    if not rules["requireFailedAlternatives"]:
        return Verdict(CONSIDER, reasons, ("requireFailedAlternatives",))
    used = ("requireFailedAlternatives", "priorTreatmentList")
    if found.failed_before(findings, str(rules["priorTreatmentList"])):
        return Verdict(CONSIDER, reasons, used)
    first = (
        "This site wants another treatment to have failed first; none is named (alt-not-mandatory, ten-failed-first)."
    )
    return Verdict(INSUFFICIENT, (*reasons, first), used, ("prior-treatment",))


def _sentences(links: Iterable[str], before: str = "") -> tuple[str, ...]:
    return tuple(f"{before}{_MEANINGS[link]} ({link})." for link in links)

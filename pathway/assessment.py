"""The decision table: answers to `calcinosis-surgery-indications` -> a proposed result with its reasons.

The first row that matches sets the proposal, the other matches are listed beside it, and nothing is added up to a
score (ten-attitude). It proposes; the decision that the surgeon records stands (dec-record-outcome).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pathway import findings as found
from pathway.findings import OTHER_REASONS, SYMPTOMS, Findings
from pathway.ports import Resource

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
class Assessment:
    """A proposed result (a code of CodeSystem rule-result) and why.

    `row`: the order of the row that set it; `also_matched`: the other rows that hold. `reasons`: sentences, each with
    the ids of its statements. `urgent`: the surgical review should be brought forward, whichever row sets the result
    (rule-urgent-review). `missing`: linkIds of the answers or the evidence without which the result may change.
    """

    result: str
    row: int
    reasons: tuple[str, ...]
    also_matched: tuple[int, ...] = ()
    urgent: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row of the table. `first_only`: it says "nothing above", so it never stands beside an earlier match."""

    order: int
    test: Callable[[Findings], bool]
    result: str
    reason: Callable[[Findings], tuple[str, ...]]
    first_only: bool = False


def assess(response: Resource) -> Assessment:
    """The proposed result for a QuestionnaireResponse to `calcinosis-surgery-indications`; there always is one."""
    findings = found.read(response)
    matches: list[Row] = []
    for row in TABLE:
        if row.test(findings) and not (row.first_only and matches):
            matches.append(row)
    first = matches[0]
    return Assessment(
        result=first.result,
        row=first.order,
        reasons=first.reason(findings),
        also_matched=tuple(row.order for row in matches[1:]),
        urgent=found.pressing(findings),
        missing=tuple(dict.fromkeys((*found.unanswered(findings), *found.evidence_missing(findings)))),
    )


def _sentences(links: Iterable[str], before: str = "") -> tuple[str, ...]:
    return tuple(f"{before}{_MEANINGS[link]} ({link})." for link in links)


def _why_unanswered(findings: Findings) -> tuple[str, ...]:
    return _sentences(found.unanswered(findings), "Not answered: ")


def _why_uncertain(_: Findings) -> tuple[str, ...]:
    return (
        "The diagnosis is unclear: tissue can settle it, so waiting is not the default "
        "(ind-diagnostic-uncertainty, ten-diagnostic-override).",
    )


def _why_pressing(findings: Findings) -> tuple[str, ...]:
    shown = ("ind-prevent-complications",) if found.prevention_shown(findings) else ()
    return (
        *_sentences((*findings.ticked("ind-rapid-progression"), *shown)),
        "The surgical review should be brought forward (rule-urgent-review, ten-early-vs-conservative).",
    )


def _why_symptom_or_function(findings: Findings) -> tuple[str, ...]:
    reasons = _sentences(findings.ticked(*SYMPTOMS, *OTHER_REASONS))
    if found.pain_harms_wellbeing(findings):
        reasons += ("Lasting pain severely harms the patient's well-being (ind-quality-of-life).",)
    if found.severe_looks_with_impact(findings):
        reasons += (
            "The looks are a severe burden and impair the quality of life "
            "(dec-severe-cosmetic-exception, ten-cosmetic).",
        )
    return reasons


def _why_small_and_silent(findings: Findings) -> tuple[str, ...]:
    reasons: tuple[str, ...] = (
        "The deposit is small and without symptoms: surgery may scar, become infected or be followed by new deposits, "
        "so care without an operation comes first (dec-small-asymptomatic-default, alt-conservative-default).",
    )
    if findings.says("ind-critical-anatomy"):
        reasons += (
            "Closeness to a nerve or vessel shapes the operation; it is no reason by itself (ind-critical-anatomy).",
        )
    return reasons


def _why_close(_: Findings) -> tuple[str, ...]:
    return _sentences(("ind-critical-anatomy",))


def _why_looks(_: Findings) -> tuple[str, ...]:
    return ("Looks alone are generally no reason to operate (dec-cosmetic-only-default, ten-cosmetic).",)


def _why_preference(_: Findings) -> tuple[str, ...]:
    return ("A wish alone is not sufficient: ask what it rests on (ind-definitive-preference, ten-definitive-wish).",)


def _why_unproven(findings: Findings) -> tuple[str, ...]:
    return _sentences(found.evidence_missing(findings), "Missing evidence: ")


def _why_nothing(_: Findings) -> tuple[str, ...]:
    return ("Nothing speaks for surgery now; a watchful follow-up can be offered (dec-symptom-criteria-s2).",)


_CONSIDER = "surgery-may-be-considered"
_CONSERVATIVE = "conservative-preferred"
_INSUFFICIENT = "insufficient-information"

TABLE = (
    Row(1, lambda f: bool(found.unanswered(f)), _INSUFFICIENT, _why_unanswered),
    Row(2, found.uncertain, _CONSIDER, _why_uncertain),
    Row(3, found.pressing, _CONSIDER, _why_pressing),
    Row(4, found.symptom_or_function, _CONSIDER, _why_symptom_or_function),
    Row(5, found.small_and_silent, _CONSERVATIVE, _why_small_and_silent),
    Row(6, found.close_and_larger, _CONSIDER, _why_close, first_only=True),
    Row(7, found.looks_trouble, _CONSERVATIVE, _why_looks, first_only=True),
    Row(8, found.preference_only, "insufficient-alone", _why_preference),
    Row(9, lambda f: bool(found.evidence_missing(f)), _INSUFFICIENT, _why_unproven),
    Row(10, found.nothing_ticked, "no-indication", _why_nothing),
)

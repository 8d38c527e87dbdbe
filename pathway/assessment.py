"""The decision table: answers to `calcinosis-surgery-indications` -> a proposed result with its reasons.

The first row that matches sets the proposal, the other matches are listed beside it, and nothing is added up to a
score (ten-attitude). It proposes; the decision that the surgeon records stands (dec-record-outcome).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from pathway import codes, verdicts
from pathway import findings as found
from pathway.findings import Findings
from pathway.parameters import Value
from pathway.ports import Resource
from pathway.verdicts import STATED, Rules, Verdict


@dataclass(frozen=True)
class Assessment:
    """A proposed result (a code of CodeSystem rule-result) and why.

    `row`: the order of the row that set it; `also_matched`: the other rows that hold. `reasons`: sentences, each with
    the ids of its statements. `urgent`: the surgical review should be brought forward, whichever row sets the result
    (rule-urgent-review). `missing`: linkIds of the answers or the evidence without which the result may change.
    `parameters`: the site's values that the result or its reasons rest on, by name.
    """

    result: str
    row: int
    reasons: tuple[str, ...]
    also_matched: tuple[int, ...] = ()
    urgent: bool = False
    missing: tuple[str, ...] = ()
    parameters: Rules = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A row of the table: what it looks for, and what it says under a site's rules.

    The order of the rows and what they look for are the same everywhere. `first_only`: it says "nothing above", so it
    never stands beside an earlier match.
    """

    order: int
    test: Callable[[Findings], bool]
    verdict: Callable[[Findings, Rules], Verdict]
    first_only: bool = False


def assess(response: Resource, parameters: Rules = STATED) -> Assessment:
    """The proposed result for a QuestionnaireResponse to `calcinosis-surgery-indications`; there always is one.

    `parameters`: the effective values of the site; a name that is left out has the content's default.
    """
    rules = {**STATED, **parameters}
    findings, used = _measured(found.read(response), rules)
    matches: list[Row] = []
    for row in TABLE:
        if row.test(findings) and not (row.first_only and matches):
            matches.append(row)
    verdict = matches[0].verdict(findings, rules)
    few = verdicts.few_infections(findings, rules)
    used += (*verdict.parameters, *few.parameters)
    missing = (*found.unanswered(findings), *found.evidence_missing(findings), *verdict.missing, *few.missing)
    return Assessment(
        result=verdict.result,
        row=matches[0].order,
        reasons=(*verdict.reasons, *few.reasons),
        also_matched=tuple(row.order for row in matches[1:]),
        urgent=found.pressing(findings),
        missing=tuple(dict.fromkeys(missing)),
        parameters={name: rules[name] for name in dict.fromkeys(used)},
    )


def task_input(assessment: Assessment) -> list[Resource]:
    """The Task.input of who records the decision: the proposal, its reasons, and each parameter that it rests on."""
    proposed = {
        "coding": [{"system": codes.RULE_RESULT, "code": assessment.result}],
        "text": f"Proposed: {assessment.result}",
    }
    return [
        {"type": {"text": "Proposed result"}, "valueCodeableConcept": proposed},
        *({"type": {"text": "Reason"}, "valueString": reason} for reason in assessment.reasons),
        *(_parameter_input(name, value) for name, value in assessment.parameters.items()),
    ]


def _parameter_input(name: str, value: Value) -> Resource:
    concept = {"coding": [{"system": codes.PARAMETERS, "code": name}], "text": f"Rule of the site: {name}"}
    kinds = {bool: "valueBoolean", int: "valueInteger", Decimal: "valueDecimal", str: "valueString"}
    return {"type": concept, kinds[type(value)]: value}


def _measured(findings: Findings, rules: Rules) -> tuple[Findings, tuple[str, ...]]:
    """A measure stands in for the word where the site has a threshold; with the parameters that were looked at."""
    if not found.only_measured(findings):
        return findings, ()
    if rules["thresholds"] != "size-in-mm":
        return findings, ("thresholds",)
    return found.sized(findings, Decimal(str(rules["smallBelowMm"]))), ("thresholds", "smallBelowMm")


TABLE = (
    Row(1, lambda f: bool(found.unanswered(f)), verdicts.unanswered),
    Row(2, found.uncertain, verdicts.uncertain),
    Row(3, found.pressing, verdicts.pressing),
    Row(4, found.symptom_or_function, verdicts.symptom_or_function),
    Row(5, found.small_and_silent, verdicts.small_and_silent),
    Row(6, found.close_and_larger, verdicts.close_and_larger, first_only=True),
    Row(7, found.looks_trouble, verdicts.looks, first_only=True),
    Row(8, found.preference_only, verdicts.preference),
    Row(9, lambda f: bool(found.evidence_missing(f)), verdicts.unproven),
    Row(10, found.nothing_ticked, verdicts.nothing),
)

"""The lists of the content: mitigations, milestones, outcomes, factors, alternatives, questions, sources, codes."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import pytest

from pathway import codes
from pathway.findings import INDICATIONS
from pathway.library import DEFINITIONS, Library
from pathway.ports import Resource
from tests.pathway.test_definitions import FILES, parts, read

MEASURED = ("http://loinc.org", codes.SNOMED)


def concepts(content: Library, name: str) -> dict[str, Resource]:
    system = content.find_code_system(f"{codes.BASE}/CodeSystem/{name}")
    assert system is not None
    return {concept["code"]: concept for concept in system["concept"]}


def values(concept: Resource, name: str) -> list[Any]:
    found = [p for p in concept.get("property", []) if p["code"] == name]
    return [value for p in found for key, value in p.items() if key.startswith("value")]


def one(concept: Resource, name: str) -> Any:
    return next(iter(values(concept, name)), None)


def text(id: str) -> str:
    path = DEFINITIONS / f"DocumentReference-{id}.json"
    return base64.b64decode(read(path)["content"][0]["attachment"]["data"]).decode()


def test_each_mitigation_lowers_a_known_risk_and_has_somebody_who_does_it(content: Library) -> None:
    mitigations, risks, roles = (concepts(content, name) for name in ("mitigation", "risk", "pathway-role"))
    assert (len(mitigations), len(risks)) == (19, 9)
    for mitigation in mitigations.values():
        assert set(values(mitigation, "for-risk")) <= risks.keys()
        assert set(values(mitigation, "done-by")) <= roles.keys()
        assert values(mitigation, "for-risk")
        assert values(mitigation, "done-by")
    lowered = {risk for mitigation in mitigations.values() for risk in values(mitigation, "for-risk")}
    assert lowered == risks.keys()


def test_milestones_have_the_days_of_the_goals(content: Library) -> None:
    milestones = concepts(content, "recovery-milestone")
    assert len(milestones) == 17
    for milestone in milestones.values():
        first, last = one(milestone, "first-day"), one(milestone, "last-day")
        assert first is None or last is None or first <= last
    goal = next(g for g in content.plan(codes.PLAN)["goal"] if g["id"] == "goal-return-to-activity")
    due = {t["measure"]["coding"][0]["code"]: t["due"]["value"] for t in goal["target"] if "due" in t}
    assert len(due) == 6
    assert due == {code: one(milestones[code], "last-day") for code in due}


def test_only_one_outcome_has_a_figure_and_it_is_short_term(content: Library) -> None:
    outcomes = concepts(content, "outcome-statement")
    assert len(outcomes) == 9
    with_figure = {code: (one(c, "low"), one(c, "high"), one(c, "horizon")) for code, c in outcomes.items()}
    assert {code: found for code, found in with_figure.items() if found[0] is not None} == {
        "out-symptom-success": (80, 90, "short term")
    }


def test_factors_improve_or_reduce(content: Library) -> None:
    factors = concepts(content, "outcome-factor")
    assert Counter(one(c, "direction") for c in factors.values()) == {"improves": 6, "reduces": 7}


def test_each_alternative_says_who_names_it(content: Library) -> None:
    alternatives = concepts(content, "prior-treatment")
    named = {code: set(values(c, "named-by")) for code, c in alternatives.items()}
    assert [code for code, by in named.items() if by == {"patient", "professional"}] == ["intralesional-corticosteroid"]
    assert all(by <= {"patient", "professional"} and by for by in named.values())
    assert all(one(c, "statement").startswith("alt-") for c in alternatives.values())


def test_an_indication_belongs_to_one_cluster(content: Library) -> None:
    members = [member for cluster in concepts(content, "cluster").values() for member in values(cluster, "member")]
    assert sorted(members) == sorted(INDICATIONS)


def test_an_emergency_flag_has_the_emergency_route_and_a_routine_one_the_routine_route(content: Library) -> None:
    route = {"emergency": "flag-route-emergency", "contact-now": "flag-route", "routine": "flag-route-routine"}
    plan = content.plan(codes.PLAN)
    flags = next(a for a in plan["action"] if a["id"] == "red-flags")["action"]
    used = {a["id"]: a["definitionCanonical"].rpartition("/")[2].partition("|")[0] for a in flags}
    assert used == {code: route[one(c, "tier")] for code, c in concepts(content, "red-flag").items()}


@pytest.mark.parametrize(
    "id",
    [
        "faq-scarring",
        "faq-insurance-coverage",
        "faq-insurance-actions",
        "faq-untreated",
        "faq-safe",
        "faq-recovery-length",
        "faq-cosmetic",
    ],
)
def test_questions_are_answered_in_lay_words(id: str) -> None:
    lay = text(id)
    assert lay.startswith("# ")
    assert not any(word in lay.lower() for word in ("indication", "contraindicat", "recurrence", "postoperative"))


def test_safe_is_never_said_without_the_figures() -> None:
    assert "2 to 5 of 100" in text("faq-safe")
    assert "1 of 1000" in text("faq-safe")


def test_the_success_figure_is_never_shown_without_horizon_and_missing_source() -> None:
    assert "short term" in text("out-figures")
    assert "not known" in text("out-figures")
    assert "without citation" in text("out-figures-professional")


def test_sources_are_named_without_invented_addresses(content: Library) -> None:
    related = content.plan(codes.PLAN)["relatedArtifact"]
    kinds = Counter(r["type"] for r in related if r["label"].startswith("edu-"))
    assert kinds == {"documentation": 4, "citation": 4}
    for path in FILES:
        addresses = [part["url"] for part in parts(read(path)) if part.get("type") == "documentation" and "url" in part]
        assert all(address.startswith(f"{codes.BASE}/DocumentReference/") for address in addresses)


def test_no_procedure_code_that_needs_a_licence_is_used() -> None:
    systems = {part["system"] for path in FILES for part in parts(read(path)) if isinstance(part.get("system"), str)}
    assert not any("cpt" in system.lower() or "ama-assn" in system for system in systems)


@pytest.mark.parametrize("code", ["449762008", "427832005"])
def test_a_code_from_one_source_is_marked_and_used_as_a_mapping_only(content: Library, code: str) -> None:
    marked = [
        concept
        for name in ("wound-discharge", "red-flag")
        for concept in concepts(content, name).values()
        if code in [mapping["code"] for mapping in values(concept, "mapping-to-standard")]
    ]
    assert [one(concept, "source-confidence") for concept in marked] == ["one-source"]
    places = [path.name for path in FILES for part in parts(read(path)) if part.get("code") == code]
    assert len(places) == 1


def test_the_eight_forms_are_there(content: Library) -> None:
    assert sorted(q["id"].removeprefix("calcinosis-") for q in content.questionnaires()) == [
        "anesthesia-history",
        "operation-record",
        "outcome",
        "postop-visit",
        "preop-checklist",
        "recovery-diary",
        "shared-decision",
        "surgery-indications",
    ]


def test_a_measured_answer_can_be_extracted(content: Library) -> None:
    for questionnaire in content.questionnaires():
        for item in (part for part in parts(questionnaire) if "linkId" in part and "code" in part):
            assert {c["system"] for c in item["code"]} <= set(MEASURED)
            assert any(e["url"].endswith("observationExtract") for e in item["extension"]), item["linkId"]

"""A site's own signed version: what it says of itself, that it holds together, and what a hospital may use."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from fhir_adapters.r4 import admission
from pathway.checks.shape import CANONICAL
from pathway.codes import BASE, PLAN, RECOVERY_DIARY
from pathway.errors import InvalidDefinition, NotFound
from pathway.library import Library
from pathway.ports import Resource
from pathway.signing import (
    APPROVAL_DATE,
    ENDORSER,
    RELEASE_DESCRIPTION,
    Approval,
    Approver,
    in_force,
    is_signed,
    next_version,
    record,
    recorded_approval,
    signed,
    with_changes,
)
from pathway.site import Kind
from tests.pathway.conftest import Clinic
from tests.versions import bumped

OWN = "0.1.0.1"
APPROVAL = Approval(
    approver=Approver(reference="Practitioner/owner", display="Dr. Olga Owner"),
    date=date(2026, 11, 25),
    changes="Read as a whole; nothing changed.",
)


@pytest.fixture(scope="module")
def shipped() -> list[Resource]:
    return Library.load().resources()


@pytest.fixture(scope="module")
def own(shipped: list[Resource]) -> list[Resource]:
    return signed(shipped, OWN, APPROVAL)


def strings(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in strings(value)]
    if isinstance(node, list):
        return [text for item in node for text in strings(item)]
    return [node] if isinstance(node, str) else []


def extensions(resource: Resource) -> dict[str, Resource]:
    return {each["url"]: each for each in resource.get("extension", [])}


def plan_of(definitions: list[Resource], version: str) -> Resource:
    return Library(definitions).plan(f"{PLAN}|{version}")


def test_everything_ships_as_a_draft_under_one_version(shipped: list[Resource]) -> None:
    canonical = [d for d in shipped if d["resourceType"] in CANONICAL]
    assert {(d["status"], d["experimental"]) for d in canonical} == {("draft", True)}
    assert len({d["version"] for d in canonical}) == 1
    assert {d["docStatus"] for d in shipped if d["resourceType"] == "DocumentReference"} == {"preliminary"}


def test_every_artefact_is_active_and_says_who_when_and_what(own: list[Resource]) -> None:
    for artefact in own:
        assert artefact["id"].endswith(f"-{OWN}")
        if artefact["resourceType"] == "DocumentReference":
            assert (artefact["docStatus"], artefact["authenticator"]["reference"]) == ("final", "Practitioner/owner")
            continue
        assert [artefact[name] for name in ("version", "status", "experimental")] == [OWN, "active", False]
        found = extensions(artefact)
        approved = artefact.get("approvalDate") or found[APPROVAL_DATE]["valueDate"]
        [contact] = artefact.get("endorser") or [found[ENDORSER]["valueContactDetail"]]
        assert (approved, contact) == ("2026-11-25", {"name": "Dr. Olga Owner"})
        assert found[RELEASE_DESCRIPTION]["valueMarkdown"] == APPROVAL.changes


def test_every_artefact_and_the_record_of_it_is_r4(own: list[Resource]) -> None:
    provenance = record("north", OWN, own, ["Questionnaire/x"], APPROVAL, "2026-11-25T09:00:00.000Z")
    for resource in [*own, provenance]:
        assert admission.check(resource) == [], resource["id"]
    assert recorded_approval(provenance) == APPROVAL


def test_they_refer_to_each_other_and_to_nothing_unsigned(own: list[Resource]) -> None:
    texts = {f"{BASE}/DocumentReference/{d['id']}" for d in own if d["resourceType"] == "DocumentReference"}
    versioned = {s for d in own for s in strings(d) if s.startswith(f"{BASE}/") and "|" in s}
    named = {s for d in own if d["resourceType"] == "PlanDefinition" for s in strings(d) if "/DocumentReference/" in s}
    assert {s.partition("|")[2] for s in versioned} == {OWN}
    assert named
    assert named <= texts


def test_they_pass_the_checks_of_definitions_beside_the_shipped_ones(
    shipped: list[Resource], own: list[Resource]
) -> None:
    assert Library.check(own) == []
    assert Library.check([*shipped, *own]) == []
    assert Library([*shipped, *own]).plan(PLAN)["version"] == OWN


def test_signing_leaves_the_shipped_ones_alone_and_keeps_other_extensions(shipped: list[Resource]) -> None:
    before = deepcopy(shipped)
    own = signed(shipped, OWN, APPROVAL)
    assert shipped == before
    for old, new in zip(shipped, own, strict=True):
        assert extensions(old).keys() <= extensions(new).keys()


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], "0.1.0.1"),
        (["0.1.0"], "0.1.0.1"),
        (["0.1.0.9", "0.1.0.10", "0.1.0.2"], "0.1.0.11"),
        (["0.2.0.4", "0.1.0.x"], "0.1.0.1"),
    ],
)
def test_each_sign_off_has_the_next_number(known: list[str], expected: str) -> None:
    assert next_version("0.1.0", known) == expected


@pytest.mark.parametrize(
    ("other", "newest"), [("0.1.0", OWN), ("0.1.1", "0.1.1"), ("0.2.0", "0.2.0"), ("0.1.0.2", "0.1.0.2")]
)
def test_a_signed_version_sorts_after_its_draft_and_before_the_next(
    shipped: list[Resource], own: list[Resource], other: str, newest: str
) -> None:
    plans = [plan_of(own, OWN), {**plan_of(shipped, "0.1.0"), "version": other}]
    assert Library(plans).plan(PLAN)["version"] == newest


def test_a_newer_draft_waits_for_its_own_sign_off(shipped: list[Resource], own: list[Resource]) -> None:
    newer = bumped(shipped, "0.2.0")
    library = Library(in_force([*shipped, *own, *newer], "test"))
    assert library.plan(PLAN)["version"] == OWN
    assert {d.get("version") for d in library.resources()} == {"0.1.0", OWN, None}


@pytest.mark.parametrize("kind", ["demo", "test", "real"])
def test_without_a_sign_off_the_newest_draft_counts(shipped: list[Resource], kind: Kind) -> None:
    library = Library(in_force([*shipped, *bumped(shipped, "0.2.0")], kind))
    assert library.plan(PLAN)["version"] == "0.2.0"


def test_a_real_hospital_that_has_signed_finds_no_draft(shipped: list[Resource], own: list[Resource]) -> None:
    library = Library(in_force([*shipped, *own], "real"))
    assert {d["status"] for d in library.resources() if d["resourceType"] in CANONICAL} == {"active"}
    with pytest.raises(NotFound):
        library.plan(f"{PLAN}|0.1.0")


def test_a_retired_version_is_not_signed_any_more(shipped: list[Resource], own: list[Resource]) -> None:
    assert is_signed(plan_of(own, OWN))
    assert not is_signed({**plan_of(own, OWN), "status": "retired"})
    assert not is_signed(plan_of(shipped, "0.1.0"))
    assert not is_signed({**plan_of(shipped, "0.1.0"), "status": "active"})


def test_a_site_s_own_artefact_takes_the_place_of_the_shipped_one(shipped: list[Resource]) -> None:
    old = Library(shipped).questionnaire(RECOVERY_DIARY)
    text = next(d for d in shipped if d["id"] == "faq-safe")
    changed = [
        {**old, "id": "mine", "version": "7", "title": "Our diary"},
        {**text, "id": "mine", "description": "Our answer"},
    ]
    own = signed(with_changes(shipped, changed), OWN, APPROVAL)
    assert len(own) == len(shipped)
    assert {d["id"]: d.get("title") or d.get("description") for d in own}.items() >= {
        f"{old['id']}-{OWN}": "Our diary",
        f"faq-safe-{OWN}": "Our answer",
    }.items()
    assert Library.check(own) == []


def test_what_replaces_nothing_or_comes_twice_is_refused_together(shipped: list[Resource]) -> None:
    diary = Library(shipped).questionnaire(RECOVERY_DIARY)
    stranger = {**diary, "url": "https://elsewhere.example/Questionnaire/x"}
    with pytest.raises(InvalidDefinition) as refused:
        with_changes(shipped, [diary, diary, stranger, {"resourceType": "Questionnaire", "status": "draft"}])
    assert ["elsewhere.example" in str(refused.value), "without a url" in str(refused.value)] == [True, True]
    assert "twice" in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"changes": "  "},
        {"approver": {"reference": "Organization/north", "display": "North"}},
        {"approver": {"reference": "Practitioner/owner", "display": ""}},
        {"date": "soon"},
        {"more": 1},
    ],
)
def test_an_approval_names_a_person_a_day_and_a_reason(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Approval.model_validate({**APPROVAL.model_dump(mode="json"), **wrong})


def test_a_real_hospital_enrols_on_signed_content_only(clinic: Clinic, own: list[Resource]) -> None:
    site = clinic.site.model_copy(update={"kind": "real"})
    clinic.pathway = replace(clinic.pathway, site=site)
    clinic.arrive()
    clinic.refer()
    assert clinic.all("CarePlan") == []
    [task] = clinic.all("Task")
    assert clinic.reviews() == {"referral-content-unsigned": task}
    assert clinic.is_sent(task)
    assert [q.reason for q in clinic.quarantine()] == ["referral-content-unsigned"]
    clinic.pathway = replace(clinic.pathway, library=Library([*clinic.pathway.library.resources(), *own]))
    clinic.react_again("ServiceRequest", "r1")
    [care_plan] = clinic.all("CarePlan")
    assert care_plan["instantiatesCanonical"] == [f"{PLAN}|{OWN}"]

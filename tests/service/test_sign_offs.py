"""The sign-off of a hospital's content: real hospitals need it, running plans keep theirs, processes agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fhir_adapters.store.content import encode
from pathway.codes import BASE, PLAN, RECOVERY_DIARY
from pathway.errors import InvalidResource
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to
from service.bootstrap import Services, wire_clock
from tests.servers.webhook import receiving
from tests.service.conftest import ROLES, Ask, arrive, asking, condition, patient, referral, site
from tests.versions import bumped

WRONG = {"language": "text/fhirpath", "expression": "%nobody.knows"}
BODY: dict[str, Any] = {
    "approver": {"reference": "Practitioner/owner", "display": "Dr. Olga Owner"},
    "date": "2026-01-05",
    "changes": "Read as a whole; nothing changed.",
}


@pytest.fixture
def real(ask: Ask, closed_base: str) -> str:
    """A real hospital that is registered, without a coordinator."""
    roles = {role: {"reference": f"Practitioner/{role}"} for role in ROLES if role != "coordinator"}
    body = {"base_url": closed_base, "site": site(kind="real", roles=roles)}
    assert ask("POST", "/hospitals", json=body).status_code == 201
    return "north"


def upgraded(services: Services, version: str = "0.2.0") -> Services:
    """Another process on the same database, with a later version of the product."""
    return beside(services, Library(bumped(services.library.resources(), version)))


def beside(services: Services, library: Library) -> Services:
    return Services(services.settings, services.store, library, services.http)


def care_plans(services: Services, name: str) -> dict[str, Resource]:
    """By patient."""
    found = services.store.repository(name).search("CarePlan").resources
    return {plan["subject"]["reference"]: plan for plan in found}


def versions(services: Services) -> int:
    with services.store.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM resource_version").scalar_one())


def refer(services: Services, name: str, who: str) -> str:
    """The content a newly referred patient is enrolled on; empty without enrolment."""
    arrive(services, name, patient(who), condition(who), referral(who))
    plan = care_plans(services, name).get(f"Patient/{who}")
    return str(plan["instantiatesCanonical"][0]) if plan else ""


def assert_runs(services: Services, name: str, care_plan: Resource) -> None:
    with services.store.transaction(name) as tx:
        effect = services.pathway(name).advance(tx, reference_to(care_plan), services.now(name), "test")
    assert effect.changes.explanations


def test_a_real_hospital_is_told_everything_it_lacks_and_then_activated(
    ask: Ask, services: Services, real: str
) -> None:
    lacking = ask("GET", f"/hospitals/{real}?reach=false").json()["missing"]
    detail = ask("POST", f"/hospitals/{real}/activate").json()["detail"]
    assert len(lacking) == 3
    assert all(sentence in detail for sentence in lacking)
    assert ["coordinator" in detail, "sign it off" in detail, "ALERT_WEBHOOK_URL" in detail] == [True] * 3

    assert ask("PUT", f"/hospitals/{real}/site", json=site(kind="real")).status_code == 200
    assert ask("POST", f"/hospitals/{real}/sign-offs", json=BODY).status_code == 201
    detail = ask("POST", f"/hospitals/{real}/activate").json()["detail"]
    assert ["coordinator" in detail, "sign it off" in detail, "ALERT_WEBHOOK_URL" in detail] == [False, False, True]

    with receiving() as desk:
        settings = services.settings.model_copy(update={"alert_webhook_url": desk.url})
        reachable = asking(Services(settings, services.store, services.library, services.http))
        detail = reachable("POST", f"/hospitals/{real}/activate").json()["detail"]
        [route] = reachable("GET", f"/hospitals/{real}/alert-routes").json()["alert_routes"]
        place = f"/hospitals/{real}/alert-routes/{route['route']}"
        assert reachable("POST", f"{place}/test").status_code == 200
        [test] = desk.received
    assert "confirmed" in detail
    assert reachable("POST", f"{place}/confirm", json={"code": test["confirmation"]}).status_code == 200
    assert reachable("POST", f"/hospitals/{real}/activate").json()["status"] == "active"


def test_a_referral_to_a_real_hospital_waits_for_the_sign_off(ask: Ask, services: Services, real: str) -> None:
    ask("PUT", f"/hospitals/{real}/site", json=site(kind="real"))
    assert refer(services, real, "p1") == ""
    [task] = services.store.repository(real).search("Task").resources
    assert task["reasonCode"]["coding"][0]["code"] == "referral-content-unsigned"
    [entry] = ask("GET", f"/hospitals/{real}/quarantine").json()["quarantine"]
    ask("POST", f"/hospitals/{real}/sign-offs", json=BODY)
    retried = ask("POST", f"/hospitals/{real}/quarantine/{entry['id']}/retry").json()
    assert retried["outcome"] == "It was acted on, and is resolved"
    assert care_plans(services, real)["Patient/p1"]["instantiatesCanonical"] == [f"{PLAN}|0.1.0.1"]


def test_a_sign_off_says_what_it_made_and_is_listed(ask: Ask, services: Services, registered: str) -> None:
    answered = ask("POST", f"/hospitals/{registered}/sign-offs", json=BODY)
    assert answered.status_code == 201
    made = answered.json()
    assert {name: made[name] for name in BODY} == BODY
    assert made["changed"] == []
    assert (made["version"], made["status"]) == ("0.1.0.1", "active")
    assert sum(made["artefacts"].values()) == len(services.library.resources())
    assert ask("GET", f"/hospitals/{registered}/sign-offs").json() == {"sign_offs": [made]}
    plan = services.store.repository(registered).read("PlanDefinition", "calcinosis-excision-pathway-0.1.0.1")
    assert (plan["status"], plan["approvalDate"]) == ("active", "2026-01-05")
    [record] = services.store.repository(registered).search("Provenance").resources
    assert record["agent"][0]["who"] == BODY["approver"]
    assert {"reference": reference_to(plan)} in record["target"]
    with services.store.engine.connect() as connection:
        signed = "SELECT actor, reference, version FROM audit WHERE action = 'sign-off'"
        assert [tuple(row) for row in connection.exec_driver_sql(signed)] == [("admin", "hospital/north", "0.1.0.1")]


def test_the_same_sign_off_again_changes_nothing_and_another_replaces_it(
    ask: Ask, services: Services, registered: str
) -> None:
    path = f"/hospitals/{registered}/sign-offs"
    first = ask("POST", path, json=BODY).json()
    before = versions(services)
    again = ask("POST", path, json=BODY)
    assert (again.status_code, again.json(), versions(services)) == (201, first, before)
    second = ask("POST", path, json={**BODY, "changes": "Read again."}).json()
    listed = ask("GET", path).json()["sign_offs"]
    assert [(each["version"], each["status"]) for each in listed] == [("0.1.0.1", "retired"), ("0.1.0.2", "active")]
    assert second == listed[1]
    assert refer(services, registered, "p1") == f"{PLAN}|0.1.0.2"


def test_a_running_plan_keeps_its_version(ask: Ask, services: Services, registered: str) -> None:
    assert refer(services, registered, "p1") == f"{PLAN}|0.1.0"
    ask("POST", f"/hospitals/{registered}/sign-offs", json=BODY)
    assert refer(services, registered, "p2") == f"{PLAN}|0.1.0.1"
    ask("POST", f"/hospitals/{registered}/sign-offs", json={**BODY, "changes": "Read again."})
    for care_plan in care_plans(services, registered).values():
        assert_runs(services, registered, care_plan)
    assert [plan["instantiatesCanonical"] for plan in care_plans(services, registered).values()] == [
        [f"{PLAN}|0.1.0"],
        [f"{PLAN}|0.1.0.1"],
    ]


def test_every_process_sees_what_another_signed_and_reads_it_once(
    ask: Ask, services: Services, registered: str
) -> None:
    other = beside(services, services.library)
    before = other.content.library(registered)
    assert other.content.library(registered) is before
    ask("POST", f"/hospitals/{registered}/sign-offs", json=BODY)
    after = other.content.library(registered)
    assert (before.plan(PLAN)["version"], after.plan(PLAN)["version"]) == ("0.1.0", "0.1.0.1")
    assert other.content.library(registered) is after


def test_publishing_again_writes_nothing(services: Services, registered: str) -> None:
    before = versions(services)
    services.content.publish(registered)
    assert versions(services) == before


def test_an_upgrade_is_published_and_older_plans_go_on(services: Services, registered: str) -> None:
    refer(services, registered, "p1")
    later = upgraded(services)
    later.content.publish(registered)
    base = services.store.repository(registered)
    found = [base.read("PlanDefinition", f"calcinosis-excision-pathway{end}")["version"] for end in ("", "-0.1.0")]
    assert found == ["0.2.0", "0.1.0"]
    assert_runs(later, registered, care_plans(services, registered)["Patient/p1"])
    assert refer(later, registered, "p2") == f"{PLAN}|0.2.0"
    assert_runs(services, registered, care_plans(services, registered)["Patient/p2"])


def test_an_older_process_does_not_undo_an_upgrade(ask: Ask, services: Services, registered: str) -> None:
    upgraded(services).content.publish(registered)
    before = versions(services)
    services.content.publish(registered)
    assert versions(services) == before
    refused = ask("POST", f"/hospitals/{registered}/sign-offs", json=BODY)
    assert (refused.status_code, "0.2.0" in refused.json()["detail"]) == (422, True)


def test_after_an_upgrade_the_signed_version_counts_until_the_next_sign_off(
    ask: Ask, services: Services, registered: str
) -> None:
    ask("POST", f"/hospitals/{registered}/sign-offs", json=BODY)
    later = upgraded(services)
    later.content.publish(registered)
    assert refer(later, registered, "p1") == f"{PLAN}|0.1.0.1"
    made = asking(later)("POST", f"/hospitals/{registered}/sign-offs", json=BODY).json()
    assert made["version"] == "0.2.0.1"
    assert refer(later, registered, "p2") == f"{PLAN}|0.2.0.1"
    assert_runs(later, registered, care_plans(later, registered)["Patient/p1"])


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"changes": "  "}, "body.changes"),
        ({"date": "soon"}, "body.date"),
        ({"approver": {"reference": "Organization/north", "display": "North"}}, "body.approver.reference"),
        ({"approver": {"reference": "Practitioner/owner"}}, "body.approver.display"),
        ({"version": "9"}, "body.version"),
    ],
)
def test_a_sign_off_that_says_too_little_is_refused(
    ask: Ask, registered: str, change: dict[str, Any], where: str
) -> None:
    answered = ask("POST", f"/hospitals/{registered}/sign-offs", json={**BODY, **change})
    assert answered.status_code == 422
    assert [error["where"] for error in answered.json()["errors"]] == [where]


def test_a_sign_off_of_a_day_to_come_or_of_an_unknown_hospital_is_refused(ask: Ask, registered: str) -> None:
    later = (wire_clock() + timedelta(days=3)).date().isoformat()
    answered = ask("POST", f"/hospitals/{registered}/sign-offs", json={**BODY, "date": later})
    assert (answered.status_code, answered.headers["content-type"]) == (422, "application/problem+json")
    assert later in answered.json()["detail"]
    assert ask("POST", "/hospitals/nowhere/sign-offs", json=BODY).status_code == 404
    assert ask("GET", "/hospitals/nowhere/sign-offs").status_code == 404
    assert ask("GET", f"/hospitals/{registered}/sign-offs").json() == {"sign_offs": []}


def test_a_site_signs_its_own_changes(ask: Ask, services: Services, registered: str) -> None:
    diary = services.library.questionnaire(RECOVERY_DIARY)
    body = {**BODY, "changed": [{**diary, "title": "Our diary"}]}
    path = f"/hospitals/{registered}/sign-offs"
    made = ask("POST", path, content=encode(body), headers={"content-type": "application/json"}).json()
    assert made["changed"] == ["Questionnaire/calcinosis-recovery-diary"]
    library = services.content.library(registered)
    assert library.questionnaire(RECOVERY_DIARY)["title"] == "Our diary"
    assert library.questionnaire(f"{RECOVERY_DIARY}|0.1.0")["title"] == diary["title"]
    again = ask("POST", path, content=encode(body), headers={"content-type": "application/json"}).json()
    assert again == made
    assert ask("POST", path, json=BODY).json()["version"] == "0.1.0.2"


def test_changes_that_cannot_be_used_are_refused_together(ask: Ask, services: Services, registered: str) -> None:
    path = f"/hospitals/{registered}/sign-offs"
    [first, second] = [
        services.library.activity(f"{BASE}/ActivityDefinition/{id}") for id in ("review", "confirm-date")
    ]
    broken = [{**each, "dynamicValue": [{"path": "x", "expression": WRONG}]} for each in (first, second)]
    refused = ask("POST", path, json={**BODY, "changed": broken})
    assert refused.status_code == 422
    assert all(name in refused.json()["detail"] for name in ("ActivityDefinition-review", "-confirm-date"))
    unreadable = [{**first, "status": "perhaps"}, {"resourceType": "Questionnaire"}]
    refused = ask("POST", path, json={**BODY, "changed": unreadable})
    assert all(name in refused.json()["detail"] for name in ("ActivityDefinition/review", "Questionnaire/None"))
    assert ask("GET", path).json() == {"sign_offs": []}


def test_our_own_definitions_do_not_change_through_the_door(services: Services, registered: str) -> None:
    plan = services.library.plan(PLAN)
    with pytest.raises(InvalidResource, match="sign-off"):
        services.door(registered, "http://here/fhir").check({**plan, "status": "active", "approvalDate": "2026-01-05"})
    services.door(registered, "http://here/fhir").check({**plan, "url": "https://other.example/PlanDefinition/x"})

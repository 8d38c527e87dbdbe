"""PlanDefinition/$apply: the CarePlan, or the transaction, of what would exist for a patient."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace

import httpx
import pytest
from msgspec import json

from pathway.circumstances import Circumstances
from pathway.codes import PERTAINS_TO_GOAL, PLAN
from pathway.keys import key_of
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to, references_in
from pathway.site import Owner
from tests.pathway.applied import ALONE, actions, applied, contained, dangling, led_to, messages, within
from tests.pathway.conftest import Clinic, yes
from tests.pathway.patients.test_patients_are_valid import FHIR

GIVEN = Circumstances(encounter="Encounter/e1", practitioner="Practitioner/okafor", organization="Organization/clinic")


def seen(clinic: Clinic) -> None:
    """A patient of whom nobody has made a plan."""
    clinic.arrive()


def flagged(clinic: Clinic) -> None:
    clinic.operated()
    clinic.at("2026-03-19T09:00")
    clinic.diary(yes("flag-redness"))


STORIES = {"seen": seen, "enrolled": Clinic.enrolled, "decided": Clinic.decided, "operated": Clinic.operated}
STORIES["flagged"] = flagged


@pytest.mark.parametrize("story", STORIES)
def test_everything_that_is_referred_to_exists(clinic: Clinic, story: str) -> None:
    STORIES[story](clinic)
    for circumstances in (ALONE, GIVEN, *([] if story == "seen" else [within(clinic)])):
        assert dangling(clinic, applied(clinic, circumstances)) == []
        assert dangling(clinic, applied(clinic, circumstances, bundle=True)) == []


def test_a_draft_proposal_with_one_activity(clinic: Clinic) -> None:
    clinic.arrive()
    care_plan = applied(clinic, GIVEN)
    assert care_plan["resourceType"] == "CarePlan"
    assert (care_plan["status"], care_plan["intent"]) == ("draft", "proposal")
    assert care_plan["instantiatesCanonical"] == [f"{PLAN}|0.1.0"]
    assert care_plan["subject"] == {"reference": "Patient/p1"}
    assert care_plan["encounter"] == {"reference": "Encounter/e1"}
    assert care_plan["author"] == {"reference": "Practitioner/okafor"}
    assert care_plan["addresses"] == [{"reference": "Condition/c1"}]
    [group] = contained(care_plan, "RequestGroup")
    assert care_plan["activity"] == [{"reference": {"reference": f"#{group['id']}"}}]
    assert (group["status"], group["intent"]) == ("draft", "proposal")
    assert group["instantiatesCanonical"] == [f"{PLAN}|0.1.0"]
    assert group["author"] == {"reference": "Practitioner/okafor"}
    task = led_to(care_plan, "calcinosis-surgery-indications")
    assert (task["status"], task["intent"]) == ("draft", "proposal")
    assert task["basedOn"] == [{"reference": "#"}]
    assert task["requester"] == {"reference": "Practitioner/okafor"}
    assert task["owner"]["reference"] == "PractitionerRole/surgeon"
    assert task["encounter"] == group["encounter"] == {"reference": "Encounter/e1"}


def test_an_organization_asks_where_no_practitioner_does(clinic: Clinic) -> None:
    clinic.arrive()
    care_plan = applied(clinic, Circumstances(organization="Organization/clinic"))
    assert care_plan["author"] == {"reference": "Organization/clinic"}
    assert led_to(care_plan, "calcinosis-surgery-indications")["requester"] == {"reference": "Organization/clinic"}
    assert "author" not in contained(care_plan, "RequestGroup")[0]


def test_an_action_carries_what_the_plan_says_of_it(clinic: Clinic, content: Library) -> None:
    clinic.decided()
    found = actions(applied(clinic))
    choice = found["treatment-choice"]
    assert (choice["selectionBehavior"], choice["groupingBehavior"]) == ("exactly-one", "logical-group")
    task = found["prep-medication-review"]
    said = next(a for a in _actions(content.plan(PLAN)) if a["id"] == "prep-medication-review")
    assert {"title", "documentation", "requiredBehavior", "relatedAction"} <= said.keys()
    assert {name: task[name] for name in said if name in task and name != "participant"} == {
        name: value for name, value in said.items() if name not in ("participant", "definitionCanonical", "goalId")
    }
    assert task["participant"] == [{"reference": "PractitionerRole/surgeon", "display": "surgeon"}]
    transport = found["prep-transport"]
    assert transport["participant"] == [{"reference": "Patient/p1"}]


def test_who_cannot_be_referred_to_there_is_a_name(clinic: Clinic) -> None:
    """R4 lets no organization take part in an action of a RequestGroup; a role may also be nobody's."""
    clinic.decided()
    roles = {**clinic.site.roles, "coordinator": Owner(reference="Organization/clinic", display="The clinic")}
    del roles["anesthesia"]
    clinic.pathway = replace(clinic.pathway, site=clinic.site.model_copy(update={"roles": roles}))
    found = actions(applied(clinic))
    assert found["prep-prior-authorization"]["participant"] == [{"display": "The clinic"}]
    assert found["prep-fasting-override"]["participant"] == [{"display": "anesthesia"}]


def test_an_action_with_a_request_and_actions_below_is_a_group_that_begins_with_the_request(clinic: Clinic) -> None:
    clinic.decided()
    care_plan = applied(clinic)
    group = actions(care_plan)["proc-excision.group"]
    first, *below = group["action"]
    assert first["id"] == "proc-excision"
    assert [action["id"] for action in below] == ["preparation", "recovery"]
    order = led_to(care_plan, "proc-excision")
    assert (order["resourceType"], order["status"], order["intent"]) == ("ServiceRequest", "draft", "proposal")


def test_the_days_of_an_operated_patient(clinic: Clinic) -> None:
    clinic.operated()
    care_plan = applied(clinic)
    days = {"start": "2026-03-23", "end": "2026-03-30"}
    visit, appointment = (led_to(care_plan, name) for name in ("fu-first-visit", "fu-first-visit-appointment"))
    assert actions(care_plan)["fu-first-visit"]["timingPeriod"] == days
    assert visit["restriction"]["period"] == days
    assert visit["focus"] == {"reference": f"#{appointment['id']}"}
    assert appointment["status"] == "proposed"
    assert appointment["requestedPeriod"] == [{"start": "2026-03-26", "end": "2026-03-26"}]
    assert appointment["basedOn"] == [{"reference": f"#{led_to(care_plan, 'proc-excision')['id']}"}]


def test_goals_are_those_of_what_is_in_the_plan(clinic: Clinic) -> None:
    clinic.arrive()
    assert contained(applied(clinic), "Goal") == []
    clinic.refer()
    clinic.indicate()
    clinic.decide("surgery")
    care_plan = applied(clinic)
    proposed = contained(care_plan, "Goal")
    assert [g["lifecycleStatus"] for g in proposed] == ["proposed"] * len(proposed)
    assert care_plan["goal"] == [{"reference": f"#{goal['id']}"} for goal in proposed]
    milestone = led_to(care_plan, "rec-light-activity")
    assert milestone["resourceType"] == "Goal"
    clinic.book()
    clinic.at("2026-03-16T18:00")
    clinic.record(performedDateTime="2026-03-16")
    care_plan = applied(clinic)
    instructions = led_to(care_plan, "rec-wound-instructions")
    aims = {e["valueReference"]["reference"] for e in instructions["extension"] if e["url"] == PERTAINS_TO_GOAL}
    assert aims
    assert aims <= {goal["reference"] for goal in care_plan["goal"]}


def test_a_reported_sign_comes_with_its_flag(clinic: Clinic) -> None:
    flagged(clinic)
    care_plan = applied(clinic)
    task = led_to(care_plan, "flag-redness")
    [flag] = contained(care_plan, "Flag")
    assert task["focus"] == {"reference": f"#{flag['id']}"}
    assert flag["code"]["coding"][0]["code"] == "flag-redness"


def test_an_action_that_comes_again_has_an_id_of_its_own(clinic: Clinic) -> None:
    flagged(clinic)
    clinic.diary(yes("flag-redness"), id="diary-2", authored="2026-03-20T08:00:00+01:00")
    found = actions(applied(clinic))
    assert {"red-flags", "red-flags.2", "flag-redness", "flag-redness.2"} <= found.keys()


class TestRunningPlan:
    """A patient who has a CarePlan of this plan already."""

    def test_is_named_and_does_not_count(self, clinic: Clinic) -> None:
        clinic.enrolled()
        care_plan = applied(clinic)
        [running] = clinic.ours("CarePlan")
        assert care_plan["id"] != running["id"]
        [(severity, sentence)] = messages(care_plan)
        assert severity == "information"
        assert f"CarePlan/{running['id']} of this plan is running" in sentence

    def test_what_exists_of_it_is_referred_to(self, clinic: Clinic) -> None:
        clinic.operated()
        care_plan = applied(clinic, within(clinic))
        [running] = clinic.ours("CarePlan")
        visit = clinic.one("Task", "fu-first-visit")
        assert care_plan["basedOn"] == [{"reference": f"CarePlan/{running['id']}"}]
        assert actions(care_plan)["fu-first-visit"]["resource"] == {"reference": f"Task/{visit['id']}"}
        assert Counter(r["resourceType"] for r in care_plan["contained"]).keys() == {
            "OperationOutcome",
            "RequestGroup",
        }
        goals = [reference_to(goal) for goal in clinic.ours("Goal")]
        assert sorted(goal["reference"] for goal in care_plan["goal"]) == sorted(goals)

    def test_what_is_over_is_left_out(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.one("Task", "rec-discharge"), status="completed")
        found = actions(applied(clinic, within(clinic)))
        assert "rec-discharge" not in found
        assert "fu-first-visit" in found

    def test_an_order_that_is_carried_out_stays_as_the_anchor(self, clinic: Clinic) -> None:
        clinic.operated()
        order = clinic.one("ServiceRequest", "proc-excision")
        clinic.change(order, status="completed")
        found = actions(applied(clinic, within(clinic)))
        assert found["proc-excision"]["resource"] == {"reference": f"ServiceRequest/{order['id']}"}

    def test_what_would_change_is_shown_as_it_would_be(self, clinic: Clinic) -> None:
        clinic.booked()
        moved = {**clinic.read("Appointment", "a1"), "start": "2026-03-23T08:00:00+01:00"}
        moved["end"] = "2026-03-23T09:00:00+01:00"
        circumstances = within(clinic, data=[moved])
        task = led_to(applied(clinic, circumstances), "fu-first-visit")
        there = clinic.one("Task", "fu-first-visit")
        assert task["id"] == there["id"]
        assert task["restriction"]["period"] == {"start": "2026-03-30", "end": "2026-04-06"}
        bundle = applied(clinic, circumstances, bundle=True)
        [put] = [e for e in bundle["entry"] if e["request"]["url"] == f"Task/{there['id']}"]
        assert put["request"]["method"] == "PUT"
        assert put["request"]["ifMatch"] == f'W/"{there["meta"]["versionId"]}"'


class TestData:
    def test_takes_the_place_of_what_is_known(self, clinic: Clinic) -> None:
        clinic.decided()
        decision = deepcopy(clinic.read("QuestionnaireResponse", "decision-1"))
        decision["item"][0]["answer"][0]["valueCoding"]["code"] = "conservative"
        found = actions(applied(clinic, Circumstances(data=[decision])))
        assert "alt-conservative-default" in found
        assert "proc-excision" not in found

    def test_stands_alone_where_nothing_else_may_be_used(self, clinic: Clinic) -> None:
        clinic.decided()
        known = [clinic.read("QuestionnaireResponse", id) for id in ("indications-1", "decision-1")]
        patient = clinic.read("Patient", "p1")
        alone = applied(clinic, Circumstances(use_server_data=False, data=[patient]))
        assert set(actions(alone)) == {"assessment", "calcinosis-surgery-indications"}
        assert messages(alone) == []
        whole = applied(clinic, Circumstances(use_server_data=False, data=[patient, *known]))
        assert "proc-excision" in actions(whole)

    def test_may_be_of_a_patient_that_only_the_caller_knows(self, clinic: Clinic) -> None:
        patient = {"resourceType": "Patient", "id": "elsewhere"}
        care_plan = applied(clinic, Circumstances(data=[patient]), "Patient/elsewhere")
        assert dangling(clinic, care_plan, ["Patient/elsewhere"]) == []
        assert led_to(care_plan, "calcinosis-surgery-indications")["for"] == {"reference": "Patient/elsewhere"}

    def test_that_is_not_used_is_named(self, clinic: Clinic) -> None:
        clinic.arrive()
        observation = {"resourceType": "Observation", "id": "o1", "subject": {"reference": "Patient/p1"}}
        other = {"resourceType": "Condition", "id": "c2", "subject": {"reference": "Patient/p2"}}
        assert messages(applied(clinic, Circumstances(data=[observation, other]))) == [
            ("information", "Observation/o1 in data is not used: the pathway reads no Observation here"),
            ("information", "Condition/c2 in data is not used: it is not about Patient/p1"),
        ]


def test_a_parameter_of_the_pathway_counts_for_this_application(clinic: Clinic) -> None:
    clinic.decided()
    assert "prep-medical-clearance" in actions(applied(clinic))
    assert "prep-medical-clearance" not in actions(applied(clinic, Circumstances(parameters={"clearance": "never"})))


@pytest.mark.parametrize("story", ["decided", "flagged"])
def test_a_transaction_creates_each_thing_once(clinic: Clinic, story: str) -> None:
    STORIES[story](clinic)
    bundle, care_plan = applied(clinic, bundle=True), applied(clinic)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    kinds = Counter(e["resource"]["resourceType"] for e in bundle["entry"])
    inner = Counter(r["resourceType"] for r in care_plan["contained"] if r["resourceType"] != "OperationOutcome")
    assert kinds == inner + Counter(["CarePlan"])
    for entry in bundle["entry"]:
        key = key_of(entry["resource"])
        assert key is not None
        assert entry["request"] == {
            "method": "POST",
            "url": entry["resource"]["resourceType"],
            "ifNoneExist": f"identifier={key.token()}",
        }
        assert "id" not in entry["resource"]
    names = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(names)) == len(names)
    assert bundle["entry"][0]["resource"]["activity"] == [{"reference": {"reference": names[1]}}]


def test_a_fhir_server_finds_nothing_wrong(clinic: Clinic, hapi_base: str) -> None:
    flagged(clinic)
    encoder = json.Encoder(decimal_format="number")
    with httpx.Client(base_url=hapi_base, timeout=120, trust_env=False) as client:
        for circumstances in (GIVEN, within(clinic)):
            for bundle in (False, True):
                answer = applied(clinic, circumstances, bundle=bundle)
                answer = {name: value for name, value in answer.items() if name != "id"}
                path = f"/{answer['resourceType']}/$validate"
                outcome = client.post(path, content=encoder.encode(answer), headers=FHIR).json()
                assert [i for i in outcome["issue"] if i["severity"] in ("fatal", "error")] == []


def test_a_fhir_server_takes_the_transaction_and_keeps_each_thing_once(clinic: Clinic, hapi_base: str) -> None:
    flagged(clinic)
    bundle = applied(clinic, GIVEN, bundle=True)
    named = {reference for reference in references_in(bundle) if not reference.startswith("urn:uuid:")}
    encoder = json.Encoder(decimal_format="number")
    with httpx.Client(base_url=hapi_base, timeout=120, trust_env=False) as client:
        for reference in named:
            type, id = reference.split("/")
            assert client.put(f"/{reference}", json={"resourceType": type, "id": id}).status_code == 201
        for status in ("201", "200"):
            answer = client.post("", content=encoder.encode(bundle), headers=FHIR).json()
            assert {entry["response"]["status"][:3] for entry in answer["entry"]} == {status}


def _actions(group: Resource) -> list[Resource]:
    return [one for action in group.get("action", []) for one in (action, *_actions(action))]

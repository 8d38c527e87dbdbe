"""Who is on the pathway, and the timeline of one of them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pathway import codes
from pathway.ports import Resource, Update, search_all
from pathway.references import reference_to
from pathway.situation import Now
from pathway.statements import sentences
from service.admin import timeline
from service.admin.reading import FullReading, Post, read_fully
from service.bootstrap import Services, wire_clock
from tests.service.conftest import Ask, arrive, condition, patient, referral

BERLIN = ZoneInfo("Europe/Berlin")


def answers(questionnaire: str, id: str, care_plan: str, *items: Resource) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "questionnaire": questionnaire,
        "status": "completed",
        "basedOn": [{"reference": f"CarePlan/{care_plan}"}],
        "subject": {"reference": "Patient/p1"},
        "author": {"reference": "Practitioner/surgeon"},
        "authored": wire_clock().isoformat(timespec="seconds"),
        "item": list(items),
    }


def group(link: str, *items: Resource) -> Resource:
    return {"linkId": link, "item": list(items)}


def answer(link: str, **value: Any) -> Resource:
    return {"linkId": link, "answer": [value]}


def coded(link: str, system: str, code: str) -> Resource:
    return answer(link, valueCoding={"system": f"{codes.BASE}/CodeSystem/{system}", "code": code})


def operated(services: Services, care_plan: str) -> date:
    """Indications, a decision for surgery, and the operation; the day on which it was done."""
    done_on = (wire_clock().astimezone(BERLIN) - timedelta(days=2)).date()
    indications = answers(
        codes.INDICATIONS,
        "i1",
        care_plan,
        group("indications", answer("ind-severe-pain", valueBoolean=True)),
        group("cause", coded("cause-autoimmune", "autoimmune-cause", "systemic-sclerosis")),
        group("lesion", coded("dec-size", "deposit-size", "medium")),
    )
    decision = answers(
        codes.SHARED_DECISION, "d1", care_plan, coded("dec-record-outcome", "decision-outcome", "surgery")
    )
    arrive(services, "north", indications, decision)
    request = next(r for r in search_all(services.store.repository("north"), "ServiceRequest") if r["id"] != "r-p1")
    procedure = {
        "resourceType": "Procedure",
        "id": "op1",
        "status": "completed",
        "basedOn": [{"reference": reference_to(request)}],
        "code": {"coding": [{"system": codes.PROCEDURE, "code": "calcinosis-excision"}]},
        "subject": {"reference": "Patient/p1", "display": "Erna Nobodysname"},
        "performedDateTime": done_on.isoformat(),
    }
    arrive(services, "north", procedure)
    return done_on


def test_an_enrolled_patient_is_listed_by_references_only(ask: Ask, enrolled: str) -> None:
    answered = ask("GET", "/hospitals/north/patients")
    (found,) = answered.json()["patients"]
    assert (found["care_plan"], found["patient"], found["status"]) == (f"CarePlan/{enrolled}", "Patient/p1", "active")
    assert found["problem"] is None
    assert [task["owner"] for task in found["open_tasks"]] == ["Practitioner/surgeon"]
    assert (found["surgeries"], found["follow_ups"], found["overdue"]) == ([], [], False)
    assert "Nobodysname" not in answered.text


def test_the_list_comes_in_pages_each_patient_once(ask: Ask, services: Services, enrolled: str) -> None:
    for id in ("p2", "p3"):
        arrive(services, "north", patient(id), condition(id), referral(id))
    first = ask("GET", "/hospitals/north/patients?limit=2").json()
    second = ask("GET", f"/hospitals/north/patients?limit=2&cursor={first['next']}").json()
    found = [each["patient"] for each in first["patients"] + second["patients"]]
    assert sorted(found) == ["Patient/p1", "Patient/p2", "Patient/p3"]
    assert second["next"] is None
    assert enrolled


def test_a_hospitals_own_care_plan_is_not_ours_to_show(ask: Ask, services: Services, enrolled: str) -> None:
    own = {
        "resourceType": "CarePlan",
        "id": "theirs",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/p1"},
    }
    arrive(services, "north", own)
    assert len(ask("GET", "/hospitals/north/patients").json()["patients"]) == 1
    assert ask("GET", "/hospitals/north/patients/theirs").status_code == 404
    assert ask("GET", "/hospitals/north/patients/none").status_code == 404
    assert ask("GET", f"/hospitals/north/patients/{enrolled}").status_code == 200


def test_the_timeline_of_an_enrolled_patient(ask: Ask, enrolled: str) -> None:
    answered = ask("GET", f"/hospitals/north/patients/{enrolled}")
    found = answered.json()
    entries = found["entries"]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    kinds = {entry["reference"]: entry["kind"] for entry in entries}
    assert kinds[f"CarePlan/{enrolled}"] == "plan"
    assert kinds["ServiceRequest/r-p1"] == kinds["Condition/c-p1"] == "record"
    plan = next(e for e in entries if e["kind"] == "plan")
    assert plan["why"] == "Referred by ServiceRequest/r-p1"
    assert plan["sent"]["state"] == "waiting"
    task = next(e for e in entries if e["kind"] == "request")
    assert task["why"] == "always part of the pathway"
    assert task["who"] == "Practitioner/surgeon"
    change = next(e for e in entries if e["kind"] == "change")
    assert change["who"] == "Calcinosis pathway service"
    assert task["reference"] in change["what"]
    assert "Nobodysname" not in answered.text
    explained = {each["action"]: each for each in found["explanations"]}
    assert explained["calcinosis-surgery-indications"]["included"] is True
    assert explained["cause-workup-open"]["included"] is False
    assert explained["cause-workup-open"]["why"] == "not so: indications answered, cause left open"
    assert explained["flag-fever"]["parameters"] == {"feverC": 38.0, "flagLimitMinutes": 60}


def test_an_action_has_its_expressions_and_the_statements_behind_it(
    ask: Ask, services: Services, enrolled: str
) -> None:
    operated(services, enrolled)
    found = ask("GET", f"/hospitals/north/patients/{enrolled}").json()["explanations"]
    explained = {each["action"]: each for each in found}
    visit = explained["fu-first-visit-appointment"]
    condition, standing = visit["expressions"]
    assert standing["meaning"] == "the visit took place"
    assert (condition["element"], condition["meaning"]) == ("condition[0]", "the surgery is done")
    assert (condition["expression"], condition["outcome"]) == ("%operation.exists()", "true")
    assert condition["read"] == {"%operation": ["Procedure/op1/_history/1"]}
    assert visit["sources"][0] == {"id": "fu-first-visit", "sentence": sentences()["fu-first-visit"]}
    assert {one["outcome"] for one in explained["flag-fever"]["expressions"]} == {"not-looked-at"}
    assert {one["outcome"] for one in explained["prep-labs"]["expressions"]} == {"missing"}


def test_looking_changes_nothing(ask: Ask, services: Services, enrolled: str) -> None:
    before = services.store.counts("north")
    ask("GET", f"/hospitals/north/patients/{enrolled}")
    ask("GET", "/hospitals/north/patients")
    assert services.store.counts("north") == before


def test_after_the_surgery_the_follow_up_has_window_day_and_reason(ask: Ask, services: Services, enrolled: str) -> None:
    done_on = operated(services, enrolled)
    found = ask("GET", f"/hospitals/north/patients/{enrolled}").json()
    (surgery,), (visit,) = found["surgeries"], found["follow_ups"]
    assert (surgery["done_on"], surgery["operation"]) == (done_on.isoformat(), "Procedure/op1")
    assert visit["window"] == {"first": str(done_on + timedelta(days=7)), "last": str(done_on + timedelta(days=14))}
    assert visit["appointment_status"] == "proposed"
    assert visit["window"]["first"] <= visit["date"] <= visit["window"]["last"]
    assert (visit["overdue"], visit["provisional"], visit["status"]) == (False, False, "requested")
    appointment = next(e for e in found["entries"] if e["reference"] == visit["appointment"])
    assert "clinic" in appointment["why"]
    due = [entry for entry in found["entries"] if entry["kind"] == "due"]
    assert due
    assert all(entry["due"]["zone"] == "Europe/Berlin" and entry["due"]["wall_time"] and entry["why"] for entry in due)
    assert all(entry["status"] == "scheduled" for entry in due)


def test_goals_and_risks_stand_in_the_timeline(ask: Ask, services: Services, enrolled: str) -> None:
    operated(services, enrolled)
    entries = ask("GET", f"/hospitals/north/patients/{enrolled}").json()["entries"]
    found = {entry["what"]: entry for entry in entries if entry["kind"] == "request"}
    goal, risks = found["All visits kept and wound care followed"], found["RiskAssessment"]
    assert (goal["status"], goal["why"]) == ("proposed", "a goal of the plan, to be agreed with the patient")
    assert (risks["status"], risks["why"]) == ("final", "the decision is recorded")
    assert (goal["sent"]["state"], risks["sent"]["state"]) == ("waiting", "waiting")


def test_a_visit_that_did_not_take_place_is_overdue(ask: Ask, services: Services, enrolled: str) -> None:
    done_on = operated(services, enrolled)
    for day, overdue in ((14, False), (15, True)):
        noon = datetime.combine(done_on + timedelta(days=day), time(12), BERLIN)
        ask("POST", "/hospitals/north/clock", json={"until": noon.isoformat()})
        (found,) = ask("GET", "/hospitals/north/patients").json()["patients"]
        assert (day, found["overdue"]) == (day, overdue)


def test_due_work_by_state_and_plan(ask: Ask, services: Services, enrolled: str) -> None:
    operated(services, enrolled)
    everything = ask("GET", "/hospitals/north/due").json()
    assert everything["due"]
    assert [d["due_at"] for d in everything["due"]] == sorted(d["due_at"] for d in everything["due"])
    assert ask("GET", "/hospitals/north/due?state=done").json()["due"] == []
    for plan in (enrolled, f"CarePlan/{enrolled}"):
        assert ask("GET", f"/hospitals/north/due?state=scheduled&care_plan={plan}").json()["due"] == everything["due"]
    assert ask("GET", "/hospitals/north/due?care_plan=none").json()["due"] == []
    assert ask("GET", "/hospitals/north/due?care_plan=Patient/p1").status_code == 404


def test_a_plan_of_an_unknown_version_is_shown_with_the_problem(ask: Ask, services: Services, enrolled: str) -> None:
    store = services.store.repository("north")
    plan = store.read("CarePlan", enrolled)
    store.transact([Update({**plan, "instantiatesCanonical": ["https://example.org/PlanDefinition/gone|9"]})])
    found = ask("GET", f"/hospitals/north/patients/{enrolled}").json()
    assert "There is no PlanDefinition" in found["problem"]
    assert found["explanations"] == []
    assert found["entries"]
    assert ask("GET", "/hospitals/north/patients").json()["patients"][0]["problem"] == found["problem"]


@pytest.fixture
def reading(services: Services, enrolled: str) -> FullReading:
    now = Now(services.store.clinical_now("north"), wire_clock())
    with services.store.transaction("north", read_only=True) as tx:
        return read_fully(tx, services.pathway("north"), tx.read("CarePlan", enrolled), now)


def test_what_is_not_asked_to_be_sent_is_kept_here() -> None:
    assert timeline.sent(Post(None, None)).state == "kept-here"


def test_a_hospitals_own_texts_do_not_appear(reading: FullReading) -> None:
    told = timeline.timeline(reading).model_dump_json()
    assert "Nobodysname" not in told
    assert "Condition/c-p1" in told

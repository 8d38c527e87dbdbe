"""A second pathway is content only: wound debridement, with a nested plan and a form that the plan names directly."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import pytest

from fhir_adapters.store.memory import MemoryStore
from pathway.codes import SNOMED
from pathway.errors import InvalidDefinition
from pathway.intake import Pathway
from pathway.library import DEFINITIONS, Library
from pathway.nested import nested_plan_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Code
from pathway.situation import AUTHORED_TYPES
from tests.pathway.applied import actions, applied, contained, dangling
from tests.pathway.conftest import Clinic, WireClock, coded, period, yes

BASE = "https://wound.example/fhir"
FOLDER = Path(__file__).parent / "wound" / "definition"
PLAN = f"{BASE}/PlanDefinition/wound-debridement"
REFERRAL = {"coding": [{"system": BASE, "code": "wound-referral"}]}
DEBRIDEMENT = {"coding": [{"system": SNOMED, "code": "36777000"}]}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load(DEFINITIONS, FOLDER)


@pytest.fixture
def clinic(store: MemoryStore, wire: WireClock, library: Library) -> Clinic:
    """The hospital `north` with its pathway for calcinosis; it knows debridements too."""
    clinic = Clinic(store, wire, library)
    codes = (*clinic.site.surgery_codes, Code(system=SNOMED, code="36777000"))
    clinic.site = clinic.site.model_copy(update={"surgery_codes": codes})
    clinic.pathway = Pathway(library, clinic.site, clinic.choosing)
    return clinic


@pytest.fixture
def wounds(clinic: Clinic, library: Library) -> Clinic:
    """The same hospital with its pathway for wounds."""
    wounds = copy(clinic)
    referral = (Code(system=BASE, code="wound-referral"),)
    wounds.site = clinic.site.model_copy(update={"referral_codes": referral})
    wounds.pathway = Pathway(library, wounds.site, wounds.choosing, plan=PLAN)
    return wounds


def form(name: str) -> str:
    return f"{BASE}/Questionnaire/{name}"


def enrolled(wounds: Clinic) -> None:
    wounds.arrive()
    wounds.refer("wound-referral", code=REFERRAL)


def decided(wounds: Clinic, outcome: str = "debridement") -> None:
    enrolled(wounds)
    bed = coded("bed", f"{BASE}/CodeSystem/wound-bed", "dead-tissue")
    wounds.answer(form("wound-assessment"), "assessment", "2026-03-02T10:00:00+01:00", [bed])
    item = coded("outcome", f"{BASE}/CodeSystem/wound-outcome", outcome)
    wounds.answer(form("wound-decision"), "wound-decision", "2026-03-03T10:00:00+01:00", [item])


def debridement(wounds: Clinic) -> Resource:
    return wounds.one("ServiceRequest", "debridement")


def operated(wounds: Clinic, day: str = "2026-03-16") -> None:
    decided(wounds)
    wounds.book(day, "wound-booking", debridement(wounds))
    wounds.at(f"{day}T18:00")
    based_on = [{"reference": reference_to(debridement(wounds))}]
    wounds.record("debrided", code=DEBRIDEMENT, performedPeriod=period(day), basedOn=based_on)


def diary(wounds: Clinic, *items: Resource, id: str = "wound-diary-1", at: str = "2026-03-18") -> None:
    wounds.answer(form("wound-diary"), id, f"{at}T08:00:00+01:00", list(items))


def window(resource: Resource) -> Resource:
    found: Resource = resource["restriction"]["period"]
    return found


def test_alone_it_lacks_the_parameters_of_the_product() -> None:
    with pytest.raises(InvalidDefinition, match="there is no pathway parameter 'feverC'"):
        Library.load(FOLDER)


def test_a_referral_asks_for_the_form_that_the_plan_names(wounds: Clinic) -> None:
    enrolled(wounds)
    [plan] = wounds.ours("CarePlan")
    assert plan["instantiatesCanonical"] == [f"{PLAN}|0.1.0"]
    [task] = wounds.ours("Task")
    assert (task["code"]["text"], task["status"]) == ("Assess the wound", "requested")
    assert task["code"]["coding"][0]["code"] == "complete-questionnaire"
    assert task["input"][0]["valueCanonical"] == f"{form('wound-assessment')}|0.1.0"
    assert task["owner"]["reference"] == "PractitionerRole/surgeon"
    assert wounds.is_sent(task)


def test_a_decision_drafts_the_order_and_the_answers_complete_their_tasks(wounds: Clinic) -> None:
    decided(wounds)
    assert wounds.statuses("ServiceRequest") == {"debridement": "draft"}
    assert wounds.statuses("Task") == {"wound-assessment": "completed", "wound-decision": "completed"} | {
        "debridement-preparation": "requested"
    }
    assert wounds.quarantine() == []


def test_the_other_choice_dresses_the_wound(wounds: Clinic) -> None:
    decided(wounds, "dressings")
    assert wounds.ours("ServiceRequest") == []
    assert wounds.statuses("Task")["dressings-only"] == "requested"


def test_a_booking_gives_the_preparation_its_last_day(wounds: Clinic) -> None:
    decided(wounds)
    wounds.book("2026-03-16", "wound-booking", debridement(wounds))
    assert window(wounds.one("Task", "debridement-preparation")) == {"end": "2026-03-14"}
    check = wounds.one("Task", "wound-check")
    assert (check["status"], window(check)) == ("draft", {"start": "2026-03-19", "end": "2026-03-23"})
    assert not wounds.is_sent(check)


def test_the_operation_brings_the_visit_in_its_window(wounds: Clinic) -> None:
    operated(wounds)
    visit = wounds.one("Appointment", "wound-check-appointment")
    assert visit["status"] == "proposed"
    assert visit["requestedPeriod"] == [{"start": "2026-03-23", "end": "2026-03-23"}]
    assert visit["basedOn"] == [{"reference": reference_to(debridement(wounds))}]
    check = wounds.one("Task", "wound-check")
    assert (check["status"], check["focus"]) == ("requested", {"reference": reference_to(visit)})
    assert wounds.is_sent(visit)
    assert wounds.quarantine() == []


def test_the_nested_plan_is_part_of_it_in_its_time(wounds: Clinic, library: Library) -> None:
    operated(wounds)
    for action in ("home-dressing", "home-diary"):
        task = wounds.one("Task", action)
        assert window(task) == {"start": "2026-03-17", "end": "2026-03-23"}
        assert task["for"] == task["owner"] == {"reference": "Patient/p1"}
    surgery = library.plan(PLAN)["action"][2]["action"][0]
    assert nested_plan_of(surgery["action"][-1]) == f"{BASE}/PlanDefinition/wound-care-at-home|0.1.0"


def test_another_day_moves_what_nobody_has_taken_on(wounds: Clinic) -> None:
    operated(wounds)
    based_on = [{"reference": reference_to(debridement(wounds))}]
    wounds.at("2026-03-18T18:00")
    wounds.record("debrided", code=DEBRIDEMENT, performedPeriod=period("2026-03-18"), basedOn=based_on)
    assert wounds.one("Appointment", "wound-check-appointment")["requestedPeriod"][0]["start"] == "2026-03-25"
    assert window(wounds.one("Task", "wound-check")) == {"start": "2026-03-21", "end": "2026-03-25"}
    assert window(wounds.one("Task", "home-diary")) == {"start": "2026-03-19", "end": "2026-03-25"}


def test_the_patient_is_reminded_of_a_booked_check(wounds: Clinic) -> None:
    operated(wounds)
    visit = wounds.one("Appointment", "wound-check-appointment")
    wounds.change(visit, status="booked", start="2026-03-20T10:00:00+01:00", end="2026-03-20T10:30:00+01:00")
    assert wounds.due("wound-check-reminder") == [("wound-check-reminder", "scheduled", "2026-03-19T09:00:00", 1)]
    wounds.at("2026-03-19T09:00")
    wounds.release()
    reminder = wounds.one("CommunicationRequest", "wound-check-reminder")
    assert reminder["about"] == [{"reference": reference_to(visit)}]


def test_a_warning_sign_raises_a_flag_and_a_task(wounds: Clinic) -> None:
    operated(wounds)
    diary(wounds, {"linkId": "temperature", "answer": [{"valueDecimal": 37.0}]}, id="wound-diary-0")
    assert wounds.ours("Flag") == []
    diary(wounds, yes("sign-redness"))
    task, flag = wounds.one("Task", "sign-redness"), wounds.one("Flag", "sign-redness")
    assert (task["priority"], task["focus"]) == ("urgent", {"reference": reference_to(flag)})
    assert flag["status"] == "active"
    assert [alert.code for alert in wounds.alerts()] == ["sign-redness"]


def test_a_check_that_took_place_asks_for_the_closing(wounds: Clinic) -> None:
    operated(wounds)
    wounds.change(wounds.one("Appointment", "wound-check-appointment"), status="fulfilled")
    assert wounds.statuses("Task")["wound-check"] == "completed"
    assert wounds.statuses("Task")["wound-closing"] == "requested"


def both(clinic: Clinic, wounds: Clinic) -> None:
    """One patient is prepared for an excision and for a debridement."""
    clinic.decided()
    wounds.refer("wound-referral", code=REFERRAL)
    bed = coded("bed", f"{BASE}/CodeSystem/wound-bed", "dead-tissue")
    wounds.answer(form("wound-assessment"), "assessment", "2026-03-02T10:00:00+01:00", [bed])
    item = coded("outcome", f"{BASE}/CodeSystem/wound-outcome", "debridement")
    wounds.answer(form("wound-decision"), "wound-decision", "2026-03-03T10:00:00+01:00", [item])


def of_pathway(clinic: Clinic, name: str, *types: str) -> dict[str, Resource]:
    found = [(r["identifier"][0]["value"].split(":"), r) for type in types for r in clinic.ours(type)]
    return {":".join(key): resource for key, resource in found if key[2] == name}


OURS = ("CarePlan", *AUTHORED_TYPES)
CALCINOSIS = "calcinosis-excision-pathway"


def test_a_wound_changes_nothing_of_the_excision_of_the_same_patient(clinic: Clinic, wounds: Clinic) -> None:
    both(clinic, wounds)
    before = of_pathway(clinic, CALCINOSIS, *OURS)
    wounds.book("2026-03-10", "wound-booking", debridement(wounds))
    wounds.at("2026-03-10T18:00")
    wounds.record("debrided", code=DEBRIDEMENT, performedPeriod=period("2026-03-10"))
    wounds.at("2026-03-12T09:00")
    diary(wounds, yes("sign-redness"), at="2026-03-12")
    assert of_pathway(clinic, CALCINOSIS, *OURS) == before
    assert set(of_pathway(clinic, "wound-debridement", "Flag", "Appointment")) == {
        "north:wound-referral:wound-debridement:sign-redness:wound-diary-1",
        "north:wound-referral:wound-debridement:wound-check-appointment:wound-decision",
    }
    assert clinic.quarantine() == []


def test_an_excision_changes_nothing_of_the_wound_of_the_same_patient(clinic: Clinic, wounds: Clinic) -> None:
    both(clinic, wounds)
    before = of_pathway(clinic, "wound-debridement", *OURS)
    clinic.book()
    clinic.at("2026-03-16T18:00")
    clinic.record(performedPeriod=period("2026-03-16"))
    clinic.at("2026-03-19T09:00")
    clinic.diary(yes("flag-redness"))
    assert of_pathway(clinic, "wound-debridement", *OURS) == before
    assert set(of_pathway(clinic, CALCINOSIS, "Flag", "Appointment")) == {
        "north:r1:calcinosis-excision-pathway:flag-redness:diary-1",
        "north:r1:calcinosis-excision-pathway:fu-first-visit-appointment:decision-1",
    }
    assert clinic.quarantine() == []


def test_a_late_warning_sign_still_reaches_the_pathway_that_asked(clinic: Clinic, wounds: Clinic) -> None:
    both(clinic, wounds)
    wounds.book("2026-03-10", "wound-booking", debridement(wounds))
    wounds.at("2026-03-10T18:00")
    wounds.record("debrided", code=DEBRIDEMENT, performedPeriod=period("2026-03-10"))
    wounds.change(wounds.one("Task", "home-diary"), status="completed")
    diary(wounds, yes("sign-redness"), at="2026-03-20")
    assert len(of_pathway(clinic, "wound-debridement", "Flag")) == 1


def test_a_record_that_fits_both_pathways_is_for_a_person(clinic: Clinic, wounds: Clinic) -> None:
    both(clinic, wounds)
    either = {"coding": [*DEBRIDEMENT["coding"], *clinic.one("ServiceRequest", "proc-excision")["code"]["coding"]]}
    wounds.at("2026-03-16T18:00")
    wounds.record("either", code=either, performedPeriod=period("2026-03-16"))
    assert list(wounds.reviews()) == ["surgery-ambiguous"]


def test_a_nested_plan_is_applied_as_a_request_group_of_its_own(wounds: Clinic) -> None:
    operated(wounds)
    care_plan = applied(wounds)
    whole, nested = contained(care_plan, "RequestGroup")
    assert whole["instantiatesCanonical"] == [f"{PLAN}|0.1.0"]
    assert nested["instantiatesCanonical"] == [f"{BASE}/PlanDefinition/wound-care-at-home|0.1.0"]
    [group] = [a for a in actions(care_plan).values() if a.get("resource") == {"reference": f"#{nested['id']}"}]
    assert "action" not in group
    assert dangling(wounds, care_plan) == []

"""A running plan under a changed premise: what-if, another version of the definition, a clinician's own steps."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fhir_adapters.r4.admission import check
from pathway.codes import PLAN
from pathway.errors import NotFound, Refused
from pathway.individual import Individual
from pathway.intake import Pathway
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.revising import Revising, Wish
from pathway.timing import Window
from tests.pathway.conftest import Clinic

SURGEON = {"reference": "Practitioner/okafor", "display": "Dr Okafor"}
WISH = Wish(SURGEON, "the patient travels")


def revising(clinic: Clinic, act: Any, pathway: Pathway | None = None) -> Resource:
    """What `act` answers, with valid FHIR."""
    id = clinic.one("CarePlan", "calcinosis-excision-pathway")["id"]
    with clinic.store.transaction(clinic.hospital) as tx:
        answer: Resource = act(Revising.of(pathway or clinic.pathway, tx, id, clinic.now()))
    assert check(answer) == []
    return answer


def shown(answer: Resource, name: str) -> dict[str, dict[str, Any]]:
    """What is added, changed, revoked or kept, by the action in its key."""
    found = {}
    for parameter in answer["parameter"]:
        if parameter["name"] == name:
            said = {p["name"]: v for p in parameter["part"] for n, v in p.items() if n != "name"}
            found[said["key"].split(":")[-1 if said["reference"]["reference"].startswith("CarePlan/") else 3]] = said
    return found


def step(action: str, change: Any, days: Window | None = None, occurrence: str = "") -> Individual:
    return Individual(action, occurrence, change, "the patient travels", SURGEON, "2026-03-05T09:00:00Z", days)


class TestWhatIf:
    def test_shows_what_another_date_of_surgery_would_move_and_writes_nothing(self, clinic: Clinic) -> None:
        clinic.booked()
        appointment = clinic.read("Appointment", "a1")
        before = clinic.everything()
        moved = {**appointment, "start": "2026-03-23T08:00:00+01:00", "end": "2026-03-23T09:00:00+01:00"}
        answer = revising(clinic, lambda r: r.what_if([moved]))
        assert shown(answer, "change")["fu-first-visit"]["was"] == "2026-03-23 to 2026-03-30"
        assert shown(answer, "change")["fu-first-visit"]["days"] == "2026-03-30 to 2026-04-06"
        assert shown(answer, "revoke") == {}
        assert clinic.everything() == before

    def test_shows_what_an_answer_would_lead_to(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        before = clinic.everything()
        clinic.decide("surgery")
        decision = clinic.read("QuestionnaireResponse", "decision-1")
        assert clinic.everything() != before
        conservative = deepcopy(decision)
        for item in conservative["item"]:
            if item["linkId"] == "dec-record-outcome":
                item["answer"][0]["valueCoding"]["code"] = "conservative"
        answer = revising(clinic, lambda r: r.what_if([conservative]))
        assert "proc-excision" in shown(answer, "revoke")
        assert "alt-conservative-default" in shown(answer, "add")

    def test_without_any_change_everything_is_kept(self, clinic: Clinic) -> None:
        clinic.operated()
        answer = revising(clinic, lambda r: r.what_if())
        assert {p["name"] for p in answer["parameter"]} == {"care-plan", "keep"}
        assert "fu-first-visit" in shown(answer, "keep")


def with_version(clinic: Clinic, change: Any) -> Pathway:
    """The clinic's pathway with a version 0.2.0 of the plan, changed by `change`."""
    plan = deepcopy(clinic.pathway.library.plan(PLAN))
    plan["version"] = "0.2.0"
    change(plan)
    return replace(clinic.pathway, library=Library([*clinic.pathway.library.resources(), plan]))


class TestVersions:
    def drop_transport_and_move_the_visit(self, plan: Resource) -> None:
        excision = next(a for a in plan["action"] if a["id"] == "treatment-choice")["action"][0]
        groups = {a["id"]: a for a in excision["action"]}
        preparation = groups["preparation"]["action"]
        groups["preparation"]["action"] = [
            a for a in preparation if a["id"] not in ("prep-transport", "rule-escort-gate")
        ]
        visit = next(a for a in groups["follow-up"]["action"] if a["id"] == "fu-first-visit")
        high = visit["relatedAction"][0]["offsetRange"]["high"]
        visit["relatedAction"][0]["offsetRange"]["high"] = {"value": 12, "system": high["system"], "code": high["code"]}
        more = deepcopy(next(a for a in groups["preparation"]["action"] if a["id"] == "prep-medication-review"))
        more["id"] = "prep-review-again"
        groups["preparation"]["action"].append(more)

    def test_a_running_plan_stays_on_its_version(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.pathway = with_version(clinic, self.drop_transport_and_move_the_visit)
        before = clinic.everything()
        clinic.react_again("Appointment", "a1")
        assert clinic.everything() == before

    def test_migrating_shows_first_and_writes_when_somebody_wishes_it(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.pathway = with_version(clinic, self.drop_transport_and_move_the_visit)
        before = clinic.everything()
        answer = revising(clinic, lambda r: r.migrated("0.2.0", None))
        assert clinic.everything() == before
        assert set(shown(answer, "revoke")) == {"prep-transport"}
        assert set(shown(answer, "add")) == {"prep-review-again"}
        assert shown(answer, "change")["fu-first-visit"]["days"] == "2026-03-23 to 2026-03-28"
        assert revising(clinic, lambda r: r.migrated("0.2.0", WISH)) == answer
        plan = clinic.one("CarePlan", "calcinosis-excision-pathway")
        assert plan["instantiatesCanonical"] == [f"{PLAN}|0.2.0"]
        assert clinic.one("Task", "prep-transport")["status"] == "cancelled"
        again = revising(clinic, lambda r: r.migrated("0.2.0", None))
        assert {p["name"] for p in again["parameter"]} <= {"care-plan", "keep"}

    def test_and_who_wanted_it_stands_in_the_provenance(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.pathway = with_version(clinic, self.drop_transport_and_move_the_visit)
        revising(clinic, lambda r: r.migrated("0.2.0", WISH))
        [record] = [p for p in clinic.all("Provenance") if p["agent"][0]["who"] == SURGEON]
        assert "from version 0.1.0 to 0.2.0: the patient travels" in record["reason"][0]["text"]

    def test_what_is_accepted_is_asked_about_not_revoked(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.change(clinic.one("Task", "prep-transport"), status="accepted")
        clinic.pathway = with_version(clinic, self.drop_transport_and_move_the_visit)
        revising(clinic, lambda r: r.migrated("0.2.0", WISH))
        assert clinic.one("Task", "prep-transport")["status"] == "accepted"
        assert clinic.one("Task", "confirm-cancellation")["status"] == "requested"

    def test_a_version_that_cannot_be_worked_out_leaves_the_plan_where_it_is(self, clinic: Clinic) -> None:
        clinic.booked()

        def broken(plan: Resource) -> None:
            plan["action"][0]["condition"] = [
                {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": "'yes'"}}
            ]

        clinic.pathway = with_version(clinic, broken)
        before = clinic.everything()
        with pytest.raises(Refused, match=r"stays on version 0\.1\.0.*assessment"):
            revising(clinic, lambda r: r.migrated("0.2.0", WISH))
        assert clinic.everything() == before

    def test_an_unknown_version_is_refused(self, clinic: Clinic) -> None:
        clinic.booked()
        with pytest.raises(NotFound, match=r"9\.9\.9"):
            revising(clinic, lambda r: r.migrated("9.9.9", WISH))


class TestIndividualPlan:
    def test_a_step_is_left_out_with_a_reason(self, clinic: Clinic) -> None:
        clinic.booked()
        answer = revising(clinic, lambda r: r.individualized(step("prep-transport", "skip")))
        assert "prep-transport" in shown(answer, "revoke")
        task = clinic.one("Task", "prep-transport")
        assert task["status"] == "cancelled"
        assert task["statusReason"]["text"] == "left out by Dr Okafor on 2026-03-05: the patient travels"
        detail = clinic.one("CarePlan", "calcinosis-excision-pathway")["activity"][-1]["detail"]
        assert detail["doNotPerform"] is True
        before = clinic.everything()
        clinic.react_again("Appointment", "a1")
        assert clinic.everything() == before

    def test_and_taken_back(self, clinic: Clinic) -> None:
        clinic.booked()
        revising(clinic, lambda r: r.individualized(step("prep-transport", "skip")))
        revising(clinic, lambda r: r.restored("prep-transport", "", WISH))
        assert [t["status"] for t in clinic.ours("Task", "prep-transport")] == ["cancelled", "requested"]

    def test_the_surgeons_dates_win_over_the_plans(self, clinic: Clinic) -> None:
        clinic.operated()
        days = Window(date(2026, 3, 24), date(2026, 3, 24))
        revising(clinic, lambda r: r.individualized(step("fu-first-visit-appointment", "change", days)))
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert visit["requestedPeriod"] == [{"start": "2026-03-24", "end": "2026-03-24"}]
        assert visit["comment"] == "changed by Dr Okafor on 2026-03-05: the patient travels"

    def test_a_step_that_the_patient_did_not_need_is_added(self, clinic: Clinic) -> None:
        clinic.decided()
        assert clinic.ours("ServiceRequest", "prep-imaging") == []
        revising(clinic, lambda r: r.individualized(step("prep-imaging", "add")))
        assert len(clinic.ours("ServiceRequest", "prep-imaging") + clinic.ours("Task", "prep-imaging")) == 1

    def test_a_request_of_the_clinicians_own_is_added_once(self, clinic: Clinic) -> None:
        clinic.decided()
        own = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "description": "Call the dermatologist",
        }
        revising(clinic, lambda r: r.with_request(own, WISH))
        revising(clinic, lambda r: r.with_request(own, WISH))
        [task] = clinic.ours("Task", "individual")
        assert task["owner"]["reference"] == "PractitionerRole/coordinator"
        assert clinic.is_sent(task)
        listed = clinic.one("CarePlan", "calcinosis-excision-pathway")["activity"]
        assert {"reference": {"reference": reference_to(task)}} in listed
        clinic.decide("conservative", "decision-2", "2026-03-04T10:00:00+01:00")
        assert clinic.one("Task", "individual")["status"] == "requested"

    def test_an_added_order_is_a_draft(self, clinic: Clinic) -> None:
        clinic.decided()
        own = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "code": {"text": "X-ray"}}
        revising(clinic, lambda r: r.with_request(own, WISH))
        assert clinic.one("ServiceRequest", "individual")["status"] == "draft"

    def test_only_shown_when_it_is_not_to_be_written(self, clinic: Clinic) -> None:
        clinic.booked()
        before = clinic.everything()
        answer = revising(clinic, lambda r: r.individualized(step("prep-transport", "skip"), written=False))
        assert "prep-transport" in shown(answer, "revoke")
        assert clinic.everything() == before

    def test_a_step_that_the_plan_has_not_is_refused_with_those_it_has(self, clinic: Clinic) -> None:
        clinic.booked()
        with pytest.raises(NotFound, match="prep-transport"):
            revising(clinic, lambda r: r.individualized(step("prep-transprt", "skip")))

    @pytest.mark.parametrize(
        ("author", "reason", "said"),
        [
            ({"reference": "Patient/p1"}, "because", "clinician"),
            ({"display": "Dr Okafor"}, "because", "clinician"),
            (SURGEON, "  ", "reason"),
        ],
    )
    def test_without_a_clinician_or_a_reason_nothing_changes(self, author: Resource, reason: str, said: str) -> None:
        with pytest.raises(Refused, match=said):
            Wish(author, reason)

    def test_a_plan_that_is_over_does_not_change(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.change(clinic.one("CarePlan", "calcinosis-excision-pathway"), status="completed")
        with pytest.raises(Refused, match="completed"):
            revising(clinic, lambda r: r.what_if())


class TestDatesSetAtTheHospital:
    def test_win_over_the_plans_and_are_not_moved_back(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        clinic.change(visit, requestedPeriod=[{"start": "2026-03-30", "end": "2026-03-30"}])
        kept = clinic.one("Appointment", "fu-first-visit-appointment")
        assert kept["requestedPeriod"] == [{"start": "2026-03-30", "end": "2026-03-30"}]
        detail = clinic.one("CarePlan", "calcinosis-excision-pathway")["activity"][-1]["detail"]
        assert detail["statusReason"]["text"] == "the date was changed in the hospital's own system"
        before = clinic.everything()
        clinic.react_again("Appointment", visit["id"])
        clinic.react_again("Procedure", "pr1")
        assert clinic.everything() == before

    def test_and_a_person_is_asked_when_the_surgery_turns_out_to_be_another_day(self, clinic: Clinic) -> None:
        clinic.booked()
        task = clinic.one("Task", "fu-first-visit")
        clinic.change(task, restriction={"period": {"start": "2026-03-25", "end": "2026-03-27"}})
        clinic.book("2026-03-20")
        assert clinic.one("Task", "fu-first-visit")["restriction"]["period"]["start"] == "2026-03-25"
        [question] = [t for t in clinic.ours("Task", "confirm-date") if t["status"] == "requested"]
        assert "it would now be 2026-03-27 to 2026-04-03" in question["description"]

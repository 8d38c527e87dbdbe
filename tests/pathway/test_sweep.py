"""The sweep: what was lost comes back, what is missing is counted, and one plan that fails stops no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir_adapters.store.content import encode
from pathway.codes import PLAN
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.version import VERSION
from schedules.duties import sweep
from schedules.duties.sweep import Report
from tests.pathway.conftest import CALCINOSIS, REFERRAL, Clinic, period

VISIT, APPOINTMENT = "fu-first-visit", "fu-first-visit-appointment"


def swept(clinic: Clinic) -> Report:
    return sweep.run(clinic.store, lambda: clinic.pathway, clinic.now)


def figures(report: Report) -> dict[str, int]:
    """What is not zero."""
    return {name: value for name, value in vars(report).items() if isinstance(value, int) and value}


def lose(clinic: Clinic, resource: Resource) -> None:
    """It is gone as if it had never been written."""
    state, name = clinic.store.state(clinic.hospital), (resource["resourceType"], resource["id"])
    for kept in (state.versions, state.order, state.found, state.outbox, state.links):
        kept.pop(name, None)  # type: ignore[attr-defined]
    state.owners = {key: owner for key, owner in state.owners.items() if (key[0], owner) != name}


def put_aside(clinic: Clinic, reason: str) -> list[str | None]:
    return [entry.reference for entry in clinic.quarantine() if entry.reason == reason]


def refer_another(clinic: Clinic, id: str) -> str:
    """Another patient is referred; the reference of the CarePlan."""
    patient = {"reference": f"Patient/{id}"}
    clinic.put({"resourceType": "Patient", "id": id})
    clinic.put({"resourceType": "Condition", "id": f"c-{id}", "code": CALCINOSIS, "subject": patient})
    order = {"resourceType": "ServiceRequest", "id": f"r-{id}", "status": "active", "intent": "order"}
    clinic.put({**order, "code": REFERRAL, "subject": patient})
    [plan] = [p for p in clinic.ours("CarePlan") if p["subject"]["reference"] == patient["reference"]]
    return reference_to(plan)


class TestWhatIsWell:
    def test_changes_nothing(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        before = clinic.everything()
        report = swept(clinic)
        assert figures(report) == {"plans": 1, "surgeries": 1, "planned": 1, "inside": 1}
        assert report.good
        assert clinic.everything() == before

    def test_a_booked_visit_that_the_surgery_moved_away_from_is_asked_about_once(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.record(performedPeriod=period("2026-03-10"), basedOn=[clinic.excision()])
        clinic.release()
        [question] = clinic.ours("Task", "confirm-date")
        assert question["description"].endswith(
            "planned for 2026-03-26, but the date it depends on has changed, it would now be 2026-03-20."
        )
        for day in ("2026-03-21", "2026-03-23", "2026-03-25"):
            clinic.at(f"{day}T12:00")
            clinic.release()
            assert (swept(clinic).mended, clinic.ours("Task", "confirm-date")) == (0, [question])

    def test_a_hospital_without_plans(self, clinic: Clinic) -> None:
        report = swept(clinic)
        assert (figures(report), report.good, report.ended is not None) == ({}, True, True)

    def test_a_surgery_that_is_only_planned_is_none_yet(self, clinic: Clinic) -> None:
        clinic.booked()
        assert figures(swept(clinic)) == {"plans": 1}

    def test_what_falls_due_just_now_was_not_lost(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-19T00:00")
        assert figures(swept(clinic)) == {"plans": 1, "surgeries": 1, "planned": 1, "inside": 1}
        assert clinic.one("Task", "rule-visit-unbooked")["status"] == "requested"

    def test_all_pages_are_looked_at(self, clinic: Clinic) -> None:
        with clinic.store.transaction(clinic.hospital) as tx:
            for number in range(sweep.PAGE + 3):
                tx.receive({"resourceType": "Patient", "id": f"p{number}"}, "north")
                order = {"resourceType": "ServiceRequest", "id": f"r{number}", "status": "active", "intent": "order"}
                order |= {"code": REFERRAL, "subject": {"reference": f"Patient/p{number}"}}
                written = tx.receive(order, "north")
                assert written is not None
                clinic.pathway.react(tx, written.resource, clinic.now())
        assert figures(swept(clinic)) == {"plans": sweep.PAGE + 3}


class TestWhatWasLost:
    def test_the_follow_up_comes_back_and_somebody_is_told(self, clinic: Clinic) -> None:
        clinic.operated()
        task, appointment = clinic.one("Task", VISIT), clinic.one("Appointment", APPOINTMENT)
        for lost in (task, appointment):
            lose(clinic, lost)
        assert clinic.ours("Task", VISIT) == []
        report = swept(clinic)
        assert figures(report) == {"plans": 1, "surgeries": 1, "planned": 1, "inside": 1, "mended": 1}
        again = clinic.one("Task", VISIT)
        assert (again["id"], again["restriction"]) == (task["id"], task["restriction"])
        assert clinic.one("Appointment", APPOINTMENT)["requestedPeriod"] == appointment["requestedPeriod"]
        assert clinic.is_sent(again)
        [entry] = [e for e in clinic.quarantine() if e.reason == "sweep-mended"]
        assert entry.reference == reference_to(clinic.one("CarePlan", "r1"))
        assert "1 Task, 1 Appointment" in entry.explanation
        assert figures(swept(clinic)) == {"plans": 1, "surgeries": 1, "planned": 1, "inside": 1}

    def test_due_work_comes_back(self, clinic: Clinic) -> None:
        clinic.operated()
        before = clinic.due()
        ahead = {w.key for w in clinic.due_work() if w.state == "scheduled"}
        state = clinic.store.state(clinic.hospital)
        state.due = {key: held for key, held in state.due.items() if key not in ahead}
        report = swept(clinic)
        assert (report.mended, report.missing) == (1, 0)
        assert clinic.due() == before
        [entry] = [e for e in clinic.quarantine() if e.reason == "sweep-mended"]
        assert f"{len(ahead)} in the due table" in entry.explanation

    def test_what_should_be_on_its_way_is_sent_again(self, clinic: Clinic) -> None:
        clinic.operated()
        task = clinic.one("Task", VISIT)
        del clinic.store.state(clinic.hospital).outbox["Task", task["id"]]
        assert swept(clinic).mended == 1
        assert clinic.is_sent(task)

    def test_what_the_hospital_does_not_take_is_not_lost(self, clinic: Clinic) -> None:
        clinic.operated()
        outbox = clinic.store.state(clinic.hospital).outbox
        kept_here = [name for name in outbox if name[0] in ("Goal", "RiskAssessment")]
        assert {type for type, _ in kept_here} == {"Goal", "RiskAssessment"}
        for name in kept_here:
            del outbox[name]
        report = swept(clinic)
        assert (report.mended, put_aside(clinic, "sweep-mended")) == (0, [])

    def test_a_recorded_surgery_of_nobodys_plan_keeps_its_review(self, clinic: Clinic) -> None:
        clinic.arrive()
        clinic.record(performedDateTime="2026-03-01")
        review = clinic.reviews()["surgery-unplanned"]
        assert figures(swept(clinic)) == {"unplanned": 1}
        lose(clinic, review)
        assert figures(swept(clinic)) == {"unplanned": 1, "mended": 1}
        assert clinic.reviews()["surgery-unplanned"]["id"] == review["id"]
        assert put_aside(clinic, "sweep-mended") == ["Procedure/pr1"]


class TestWhatIsMissing:
    def test_a_follow_up_that_the_hospital_called_a_mistake_is_missing(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.one("Appointment", APPOINTMENT), status="entered-in-error")
        clinic.change(clinic.one("Task", VISIT), status="entered-in-error")
        report = swept(clinic)
        assert (report.surgeries, report.planned, report.missing, report.good) == (1, 0, 1, False)
        assert put_aside(clinic, "sweep-missing") == [reference_to(clinic.one("CarePlan", "r1"))]

    def test_it_is_said_until_there_is_one(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.one("Task", VISIT)
        clinic.change(clinic.one("Appointment", APPOINTMENT), status="entered-in-error")
        clinic.change(visit, status="entered-in-error")
        for _ in range(2):
            swept(clinic)
            assert len(put_aside(clinic, "sweep-missing")) == 1
        clinic.change(visit, status="requested")
        assert (swept(clinic).good, put_aside(clinic, "sweep-missing")) == (True, [])

    def test_one_that_somebody_cancelled_is_with_people(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.one("Appointment", APPOINTMENT), status="cancelled")
        clinic.change(clinic.one("Task", VISIT), status="cancelled", statusReason={"text": "moved to another city"})
        report = swept(clinic)
        assert (report.surgeries, report.planned, report.with_people, report.missing) == (1, 0, 1, 0)

    def test_a_day_after_the_window_is_a_follow_up_outside_of_it(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit("2026-03-31")
        report = swept(clinic)
        assert (report.planned, report.inside, report.missing) == (1, 0, 0)

    def test_day_7_and_day_14_are_inside(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        assert [inside_on(clinic, day) for day in ("22", "23", "30", "31")] == [0, 1, 1, 0]

    def test_a_review_that_cannot_be_made_again_is_counted(self, clinic: Clinic) -> None:
        clinic.arrive()
        clinic.record(performedDateTime="2026-03-01")
        lose(clinic, clinic.reviews()["surgery-unplanned"])
        del clinic.site.roles["coordinator"]
        report = swept(clinic)
        assert (figures(report), report.good) == ({"unplanned": 1, "unreviewed": 1}, False)

    def test_the_sentence_names_no_patient(self, clinic: Clinic) -> None:
        clinic.operated()
        sentence = swept(clinic).sentence()
        assert sentence.startswith("north: 0 missing. 1 plans, 1 surgeries: 1 with a follow-up, 1 of them inside")


class TestPoison:
    def test_a_plan_that_fails_stops_no_other(self, clinic: Clinic) -> None:
        clinic.operated()
        others = [refer_another(clinic, id) for id in ("p2", "p3", "p4")]
        lost = [t for t in clinic.ours("Task") if t["basedOn"] == [{"reference": others[2]}]]
        poisoned(clinic, others[0], instantiatesCanonical=["https://nowhere.example/PlanDefinition/none|1"])
        poisoned(clinic, others[1], instantiatesCanonical=7)
        for task in lost:
            lose(clinic, task)
        report = swept(clinic)
        expected = {"plans": 4, "surgeries": 1, "planned": 1, "inside": 1, "failed": 2, "mended": 1}
        assert (figures(report), report.good) == (expected, False)
        assert sorted(map(str, put_aside(clinic, "sweep-failed"))) == sorted(others[:2])
        assert [t["id"] for t in clinic.ours("Task") if t["basedOn"] == [{"reference": others[2]}]] == [
            t["id"] for t in lost
        ]
        swept(clinic)
        assert len(put_aside(clinic, "sweep-failed")) == 2
        poisoned(clinic, others[1], instantiatesCanonical=[f"{PLAN}|{VERSION}"])
        assert swept(clinic).failed == 1
        assert put_aside(clinic, "sweep-failed") == others[:1]

    def test_a_round_may_be_left_after_each_step(self, clinic: Clinic) -> None:
        clinic.enrolled()
        refer_another(clinic, "p2")
        steps = sweep.steps(clinic.store, lambda: clinic.pathway, clinic.now)
        assert next(steps).plans == 1
        clinic.put({"resourceType": "Patient", "id": "written-in-between"})
        *_, report = steps
        assert (report.plans, report.ended is not None) == (2, True)


def poisoned(clinic: Clinic, care_plan: str, **elements: Any) -> None:
    """Written past every check."""
    state, name = clinic.store.state(clinic.hospital), tuple(care_plan.split("/"))
    *before, current = state.versions[name]  # type: ignore[index]
    broken = replace(current, content=encode({**current.resource(), **elements}))
    state.versions[name] = (*before, broken)  # type: ignore[index]


def inside_on(clinic: Clinic, day: str) -> int:
    """Whether the visit is inside the window when it is on a day of March, late in the evening."""
    clinic.change(clinic.one("Appointment", APPOINTMENT), start=f"2026-03-{day}T21:30:00Z")
    return swept(clinic).inside

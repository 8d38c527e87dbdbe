"""Who does the work for one patient: whoever the patient's CareTeam names, else whoever the site names."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pathway.care_team import owner_of
from pathway.codes import ROLE, SNOMED
from pathway.intake import Pathway
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Code
from pathway.situation import Situation
from tests.pathway.conftest import Clinic, site

SURGEON = {"coding": [{"system": ROLE, "code": "surgeon"}]}
THEIR_SURGEON = {"coding": [{"system": SNOMED, "code": "304292004", "display": "Surgeon"}]}
OFFICE = "PractitionerRole/surgeon"
TODAY = date(2026, 3, 2)


def member(reference: str, role: Resource = SURGEON, **elements: Any) -> Resource:
    return {"role": [role], "member": {"reference": reference, "display": "Dr Adams"}, **elements}


def team(*participants: Resource, id: str = "team-1", **elements: Any) -> Resource:
    return {
        "resourceType": "CareTeam",
        "id": id,
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "participant": list(participants),
        **elements,
    }


def surgeon_of(*teams: Resource, today: date = TODAY, in_person: bool = False, named: tuple[str, ...] = ()) -> str:
    codes = {"surgeon": (Code(system=SNOMED, code="304292004"),)}
    own = site("north").model_copy(update={"care_team_roles": codes})
    plan = {"resourceType": "CarePlan", "id": "cp", "careTeam": [{"reference": reference} for reference in named]}
    situation = Situation(own, {"resourceType": "Patient", "id": "p1"}, plan, None, teams)
    owner = owner_of(situation, "surgeon", today, in_person=in_person)
    assert owner is not None
    return owner.reference


@pytest.mark.parametrize(
    ("participant", "owner"),
    [
        (member("Practitioner/adams"), "Practitioner/adams"),
        (member("PractitionerRole/adams"), "PractitionerRole/adams"),
        (member("Organization/surgery"), "Organization/surgery"),
        (member("Practitioner/adams", THEIR_SURGEON), "Practitioner/adams"),
        (member("Practitioner/adams", onBehalfOf={"reference": "Organization/surgery"}), "Practitioner/adams"),
        (member("RelatedPerson/daughter"), OFFICE),
        (member("Patient/p1"), OFFICE),
        (member("https://elsewhere.example/fhir/Practitioner/adams"), OFFICE),
        (member("Practitioner/adams", {"coding": [{"system": ROLE, "code": "anesthesia"}]}), OFFICE),
        (member("Practitioner/adams", {"coding": [{"system": SNOMED, "code": "surgeon"}]}), OFFICE),
        (member("Practitioner/adams", {"text": "surgeon"}), OFFICE),
        ({"role": [SURGEON]}, OFFICE),
        ({"member": {"reference": "Practitioner/adams"}}, OFFICE),
        ({"role": [SURGEON], "member": {"display": "Dr Adams"}}, OFFICE),
    ],
)
def test_a_member_with_the_role_owns_its_work(participant: Resource, owner: str) -> None:
    assert surgeon_of(team(participant)) == owner


@pytest.mark.parametrize(
    ("period", "lasts"),
    [
        ({}, True),
        ({"start": "2026-03-02"}, True),
        ({"start": "2026-03-03"}, False),
        ({"end": "2026-03-02"}, True),
        ({"end": "2026-03-01"}, False),
        ({"start": "2026-03", "end": "2026"}, True),
        ({"start": "2026-04"}, False),
        ({"end": "2025"}, False),
        ({"start": "2026-03-02T23:30:00Z"}, False),  # the next day at the clinic
        ({"end": "2026-03-01T23:30:00Z"}, True),
    ],
)
def test_only_while_the_period_lasts_by_the_clinics_calendar(period: Resource, lasts: bool) -> None:
    expected = "Practitioner/adams" if lasts else OFFICE
    assert surgeon_of(team(member("Practitioner/adams", period=period))) == expected
    assert surgeon_of(team(member("Practitioner/adams"), period=period)) == expected


@pytest.mark.parametrize("status", ["proposed", "suspended", "inactive", "entered-in-error"])
def test_only_an_active_team_counts(status: str) -> None:
    assert surgeon_of(team(member("Practitioner/adams"), status=status)) == OFFICE


def test_the_team_that_the_plan_names_counts_before_others() -> None:
    first, second = team(member("Practitioner/adams")), team(member("Practitioner/baker"), id="team-2")
    assert surgeon_of(first, second, named=("CareTeam/team-2",)) == "Practitioner/baker"
    assert surgeon_of(first, named=("CareTeam/gone",)) == "Practitioner/adams"


def test_several_members_with_the_role_leave_the_work_with_the_site() -> None:
    both = team(member("Practitioner/adams"), member("Practitioner/baker"))
    assert surgeon_of(both) == OFFICE
    assert surgeon_of(team(member("Practitioner/adams"), member("Practitioner/adams"))) == "Practitioner/adams"


def test_an_organization_takes_no_part_in_an_appointment() -> None:
    assert surgeon_of(team(member("Organization/surgery")), in_person=True) == OFFICE
    assert surgeon_of(team(member("Practitioner/adams")), in_person=True) == "Practitioner/adams"


# What is asked of whom

MINE = {"reference": "Practitioner/adams", "display": "Dr Adams"}


def owner(clinic: Clinic, action: str) -> str:
    return str(clinic.one("Task", action)["owner"]["reference"])


def test_a_new_task_is_for_the_member_and_others_are_for_the_site(clinic: Clinic) -> None:
    clinic.put(team(member("Practitioner/adams")))
    clinic.operated()
    assert clinic.one("Task", "fu-first-visit")["owner"] == MINE
    assert owner(clinic, "prep-prior-authorization") == "PractitionerRole/coordinator"
    actors = [p["actor"] for p in clinic.one("Appointment", "fu-first-visit-appointment")["participant"]]
    assert actors == [{"reference": "Patient/p1"}, MINE]
    assert clinic.one("ServiceRequest", "proc-excision")["performer"] == [MINE]


def test_a_site_says_which_of_its_codes_mean_our_roles(clinic: Clinic) -> None:
    codes = {"surgeon": (Code(system=SNOMED, code="304292004"),)}
    clinic.site = clinic.site.model_copy(update={"care_team_roles": codes})
    clinic.pathway = Pathway(clinic.pathway.library, clinic.site, clinic.choosing)
    clinic.put(team(member("Practitioner/adams", THEIR_SURGEON)))
    clinic.enrolled()
    assert owner(clinic, "calcinosis-surgery-indications") == "Practitioner/adams"


def test_a_task_that_nobody_has_accepted_goes_to_whoever_has_the_role_now(clinic: Clinic) -> None:
    clinic.enrolled()
    assert owner(clinic, "calcinosis-surgery-indications") == OFFICE
    clinic.put(team(member("Practitioner/adams")))
    assert owner(clinic, "calcinosis-surgery-indications") == "Practitioner/adams"
    clinic.put(team(member("Practitioner/baker")))
    assert owner(clinic, "calcinosis-surgery-indications") == "Practitioner/baker"
    clinic.put(team(member("Practitioner/baker"), status="inactive"))
    task = clinic.one("Task", "calcinosis-surgery-indications")
    assert (task["owner"]["reference"], task["meta"].get("tag")) == (OFFICE, None)


def test_who_has_accepted_a_task_keeps_it(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.change(clinic.one("Task", "calcinosis-surgery-indications"), status="accepted")
    clinic.put(team(member("Practitioner/adams")))
    assert owner(clinic, "calcinosis-surgery-indications") == OFFICE


@pytest.mark.parametrize("chosen", ["Practitioner/zimmer", OFFICE, "Practitioner/baker"])
def test_an_owner_chosen_at_the_hospital_stays(clinic: Clinic, chosen: str) -> None:
    clinic.put(team(member("Practitioner/adams")))
    clinic.enrolled()
    clinic.change(clinic.one("Task", "calcinosis-surgery-indications"), owner={"reference": chosen})
    clinic.put(team(member("Practitioner/cook")))
    assert owner(clinic, "calcinosis-surgery-indications") == chosen


def test_a_question_is_for_the_member_too(clinic: Clinic) -> None:
    coordinator = {"coding": [{"system": ROLE, "code": "coordinator"}]}
    clinic.put(team(member("Practitioner/cook", coordinator)))
    clinic.booked()
    clinic.change(clinic.one("ServiceRequest", "proc-excision"), status="active")
    clinic.decide("conservative", "decision-2", "2026-03-04T10:00:00+01:00")
    [question] = clinic.ours("Task", "confirm-cancellation")
    assert question["owner"]["reference"] == "Practitioner/cook"


def test_applying_again_changes_nothing(clinic: Clinic) -> None:
    clinic.put(team(member("Practitioner/adams")))
    clinic.operated()
    before = clinic.everything()
    clinic.react_again("CareTeam", "team-1")
    clinic.react_again("Procedure", "pr1")
    assert clinic.everything() == before
    assert reference_to(clinic.read("CareTeam", "team-1")) == "CareTeam/team-1"

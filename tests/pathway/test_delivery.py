"""A message is completed by a confirmed delivery and by nothing else; one that nobody confirms becomes visible."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Parameters
from tests.pathway.conftest import Clinic

ASKED = "message-unconfirmed"


def reminded(clinic: Clinic) -> Resource:
    """On Monday, 23 March at nine: the visit is on Thursday."""
    clinic.operated()
    clinic.book_visit()
    clinic.at("2026-03-23T09:00")
    clinic.release()
    return clinic.one("CommunicationRequest", "fu-attend-all-3d")


def told(clinic: Clinic, message: Resource, **elements: Any) -> None:
    known = {"resourceType": "Communication", "id": "m1", "status": "completed", "subject": {"reference": "Patient/p1"}}
    clinic.put({**known, "basedOn": [{"reference": reference_to(message)}], **elements})


def status(clinic: Clinic) -> str:
    return str(clinic.one("CommunicationRequest", "fu-attend-all-3d")["status"])


def test_a_completed_communication_based_on_it_completes_it(clinic: Clinic) -> None:
    message = reminded(clinic)
    told(clinic, message)
    assert status(clinic) == "completed"
    assert clinic.is_sent(message)
    before = clinic.everything()
    clinic.react_again("Communication", "m1")
    assert clinic.everything() == before


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "in-progress"},
        {"status": "not-done"},
        {"status": "entered-in-error"},
        {"basedOn": [{"reference": "CommunicationRequest/another"}]},
        {"basedOn": []},
    ],
)
def test_nothing_else_does(clinic: Clinic, elements: Resource) -> None:
    told(clinic, reminded(clinic), **elements)
    assert status(clinic) == "active"
    clinic.at("2026-03-25T15:00")
    clinic.release()
    assert status(clinic) == "active"


def test_the_hospital_may_complete_it_itself(clinic: Clinic) -> None:
    clinic.change(reminded(clinic), status="completed")
    clinic.at("2026-03-24T09:00")
    clinic.release()
    assert status(clinic) == "completed"
    assert clinic.ours("Task", ASKED) == []


def test_a_day_without_confirmation_and_the_coordinator_is_asked(clinic: Clinic) -> None:
    message = reminded(clinic)
    assert clinic.due(ASKED) == [(ASKED, "scheduled", "2026-03-24T09:00:00", 1)]
    clinic.at("2026-03-24T09:00")
    clinic.release()
    task = clinic.one("Task", ASKED)
    assert (task["status"], task["focus"]) == ("requested", {"reference": reference_to(message)})
    assert task["owner"]["reference"] == "PractitionerRole/coordinator"
    assert clinic.alerts() == []


def test_a_confirmation_answers(clinic: Clinic) -> None:
    message = reminded(clinic)
    clinic.at("2026-03-24T09:00")
    clinic.release()
    told(clinic, message)
    assert clinic.one("Task", ASKED)["status"] == "completed"


def test_a_message_that_is_not_wanted_any_more_is_not_asked_about(clinic: Clinic) -> None:
    reminded(clinic)
    clinic.change(clinic.one("Appointment", "fu-first-visit-appointment"), status="cancelled")
    assert status(clinic) == "revoked"
    clinic.at("2026-03-24T09:00")
    clinic.release()
    assert clinic.ours("Task", ASKED) == []


def test_a_hospital_that_confirms_nothing_is_not_asked(clinic: Clinic) -> None:
    clinic.site = clinic.site.model_copy(update={"parameters": Parameters(pathway={"messagesAreConfirmed": False})})
    clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choosing)
    reminded(clinic)
    assert clinic.due(ASKED) == []

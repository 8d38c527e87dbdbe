"""Transitions of requests: what may become what, and how a request is withdrawn."""

from __future__ import annotations

import pytest

from pathway.codes import BUSINESS_STATUS
from pathway.errors import Refused
from pathway.ports import Resource
from pathway.tasks import is_movable, is_open, moved_to, was_withdrawn, withdrawn

AT = "2026-03-16T09:00:00.000Z"
OPEN = ("draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold")
OVER = ("completed", "cancelled", "failed", "rejected", "entered-in-error")


def task(status: str) -> Resource:
    return {"resourceType": "Task", "id": "t1", "status": status, "intent": "plan"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("draft", "requested"),
        ("draft", "cancelled"),
        ("draft", "completed"),
        ("requested", "received"),
        ("requested", "accepted"),
        ("requested", "rejected"),
        ("requested", "in-progress"),
        ("received", "rejected"),
        ("accepted", "in-progress"),
        ("in-progress", "on-hold"),
        ("on-hold", "in-progress"),
        ("in-progress", "completed"),
        ("in-progress", "failed"),
        ("ready", "cancelled"),
        ("accepted", "entered-in-error"),
    ],
)
def test_legal(before: str, after: str) -> None:
    changed = moved_to(task(before), after, at=AT)
    assert changed == {**task(after), "lastModified": AT}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("draft", "accepted"),
        ("draft", "in-progress"),
        ("draft", "rejected"),
        ("accepted", "rejected"),
        ("in-progress", "rejected"),
        ("requested", "draft"),
        ("received", "requested"),
        ("accepted", "requested"),
        ("in-progress", "draft"),
        ("on-hold", "received"),
        *((status, "requested") for status in OVER),
        *((status, "cancelled") for status in OVER if status != "cancelled"),
        ("requested", "banana"),
        ("banana", "completed"),
    ],
)
def test_illegal(before: str, after: str) -> None:
    with pytest.raises(Refused, match=f"A Task that is {before} cannot become {after}"):
        moved_to(task(before), after, at=AT)


def test_the_reason_is_kept() -> None:
    changed = moved_to(task("requested"), "completed", at=AT, reason="answered")
    assert changed["statusReason"] == {"text": "answered"}


@pytest.mark.parametrize("element", ["authoredOn", "lastModified"])
def test_a_clock_that_went_back_takes_no_change_back_before_the_one_before(element: str) -> None:
    known = task("requested") | {element: "2026-03-17T09:00:00.000Z"}
    assert moved_to(known, "completed", at=AT)["lastModified"] == "2026-03-17T09:00:00.000Z"
    assert moved_to(known | {element: "2026-03-16T09:59:00+02:00"}, "completed", at=AT)["lastModified"] == AT
    assert moved_to(known | {element: "2026"}, "completed", at=AT)["lastModified"] == AT


def test_the_task_that_was_given_is_left_as_it_was() -> None:
    given = task("requested")
    moved_to(given, "completed", at=AT, reason="answered")
    assert given == task("requested")


@pytest.mark.parametrize("status", OPEN)
def test_an_open_task(status: str) -> None:
    assert is_open(task(status))


@pytest.mark.parametrize("status", OVER)
def test_a_task_that_is_over(status: str) -> None:
    assert not is_open(task(status))
    assert not is_movable(task(status))


@pytest.mark.parametrize(
    ("type", "status", "movable"),
    [
        ("Task", "draft", True),
        ("Task", "requested", True),
        ("Task", "received", True),
        ("Task", "accepted", False),
        ("Task", "in-progress", False),
        ("Task", "on-hold", False),
        ("Appointment", "proposed", True),
        ("Appointment", "waitlist", True),
        ("Appointment", "pending", False),
        ("Appointment", "booked", False),
        ("Appointment", "arrived", False),
        ("ServiceRequest", "draft", True),
        ("ServiceRequest", "active", False),
        ("CommunicationRequest", "active", True),
        ("CommunicationRequest", "completed", False),
        ("Flag", "active", False),
    ],
)
def test_what_is_still_ours_to_move(type: str, status: str, movable: bool) -> None:
    assert is_movable({"resourceType": type, "id": "x", "status": status}) is movable


WITHDRAWN = {"system": BUSINESS_STATUS, "code": "withdrawn", "display": "Withdrawn by the pathway"}


def test_only_what_the_pathway_withdrew_counts_as_withdrawn() -> None:
    assert was_withdrawn(withdrawn(task("requested"), at=AT, reason="no surgery"))
    assert not was_withdrawn(task("cancelled"))


def test_a_withdrawn_task_is_cancelled_with_its_reason() -> None:
    assert withdrawn(task("requested"), at=AT, reason="not so: decision = surgery") == {
        **task("cancelled"),
        "lastModified": AT,
        "statusReason": {"text": "not so: decision = surgery"},
        "meta": {"tag": [WITHDRAWN]},
    }


def test_a_withdrawn_appointment_is_cancelled_with_a_comment() -> None:
    proposed = {"resourceType": "Appointment", "id": "a", "status": "proposed", "comment": "the target day"}
    assert withdrawn(proposed, at=AT, reason="no surgery") == {
        **proposed,
        "status": "cancelled",
        "comment": "no surgery",
        "meta": {"tag": [WITHDRAWN]},
    }


def test_another_withdrawn_request_is_revoked_with_a_note_after_its_own() -> None:
    draft = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "note": [{"text": "Draft"}]}
    changed = withdrawn(draft, at=AT, reason="no surgery")
    assert changed["status"] == "revoked"
    assert changed["note"] == [{"text": "Draft"}, {"text": "no surgery"}]

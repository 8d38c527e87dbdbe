"""What may happen to what exists of a plan: pure transitions of Task, Appointment, other requests and Goal."""

from __future__ import annotations

from collections.abc import Mapping

from pathway.codes import ACTIVITY_TYPE, BUSINESS_STATUS
from pathway.errors import Refused
from pathway.ports import Resource
from pathway.timing import instant

OPEN_TASK = frozenset({"draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold"})
_NOT_ACCEPTED = frozenset({"draft", "requested", "received"})
_AFTER_ACCEPTED = OPEN_TASK - _NOT_ACCEPTED | {"cancelled", "failed", "completed", "entered-in-error"}
_LEGAL: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"requested", "cancelled", "completed", "entered-in-error"}),
    "requested": _AFTER_ACCEPTED | {"received", "rejected"},
    "received": _AFTER_ACCEPTED | {"rejected"},
    **dict.fromkeys(("accepted", "ready", "in-progress", "on-hold"), _AFTER_ACCEPTED),
}
_MOVABLE: Mapping[str, frozenset[str]] = {
    "Task": _NOT_ACCEPTED,
    "Appointment": frozenset({"proposed", "waitlist"}),
    "ServiceRequest": frozenset({"draft"}),
    "CommunicationRequest": frozenset({"draft", "active"}),
    "Goal": frozenset({"proposed"}),
}
_OVER: Mapping[str, frozenset[str]] = {
    "Task": frozenset({"completed", "cancelled", "failed", "rejected", "entered-in-error"}),
    "Appointment": frozenset({"fulfilled", "cancelled", "noshow", "entered-in-error"}),
    "ServiceRequest": frozenset({"completed", "revoked", "entered-in-error"}),
    "CommunicationRequest": frozenset({"completed", "revoked", "entered-in-error"}),
    "Goal": frozenset({"completed", "cancelled", "entered-in-error", "rejected"}),
}


def status_of(resource: Resource) -> str | None:
    """The status of a resource, also where it is called `lifecycleStatus`."""
    return resource.get("lifecycleStatus") if resource["resourceType"] == "Goal" else resource.get("status")


def is_open(resource: Resource) -> bool:
    """Whether something can still come of it."""
    return status_of(resource) not in _OVER.get(resource["resourceType"], frozenset())


def is_movable(resource: Resource) -> bool:
    """Whether it is still ours to move or withdraw: proposed, not accepted, booked or started by anybody."""
    return status_of(resource) in _MOVABLE.get(resource["resourceType"], frozenset())


def calls(task: Resource) -> bool:
    """Whether a Task hands on what somebody else did not answer: a person is called, as for a warning sign."""
    codings = task.get("code", {}).get("coding", []) if task["resourceType"] == "Task" else []
    return any((c.get("system"), c.get("code")) == (ACTIVITY_TYPE, "escalation") for c in codings)


def moved_to(task: Resource, status: str, *, at: str, reason: str | None = None) -> Resource:
    """The Task in its new status; `at` is the FHIR instant of the change. Raises Refused for an illegal transition."""
    current = str(task.get("status"))
    if status != current and status not in _LEGAL.get(current, frozenset()):
        raise Refused(f"A Task that is {current} cannot become {status}")
    changed = {**task, "status": status, "lastModified": modified(task, at)}
    if reason:
        changed["statusReason"] = {"text": reason}
    return changed


def fell_through(resource: Resource) -> bool:
    """Whether a visit was missed, or cancelled at the hospital after it had been booked: it is asked for once more."""
    if resource["resourceType"] != "Appointment" or was_withdrawn(resource):
        return False
    return resource["status"] == "noshow" or (resource["status"] == "cancelled" and "start" in resource)


def was_refused(resource: Resource) -> bool:
    """Whether the hospital cancelled a visit that was only proposed. Proposing it again could go on for ever."""
    cancelled = resource["resourceType"] == "Appointment" and resource["status"] == "cancelled"
    return cancelled and "start" not in resource and not was_withdrawn(resource)


def modified(task: Resource, at: str) -> str:
    """`lastModified` of a Task that changes at a FHIR instant: it never goes back, even when our clock did.

    A hospital refuses one that lies before `authoredOn` (inv-1).
    """
    known = [str(task[element]) for element in ("authoredOn", "lastModified") if element in task]
    try:
        return max([at, *known], key=instant)
    except ValueError:
        return at


_WITHDRAWN = {"system": BUSINESS_STATUS, "code": "withdrawn", "display": "Withdrawn by the pathway"}


def was_withdrawn(resource: Resource) -> bool:
    """Whether the pathway withdrew it, as opposed to somebody at the hospital."""
    return not is_open(resource) and _WITHDRAWN in resource.get("meta", {}).get("tag", [])


def withdrawn(resource: Resource, *, at: str, reason: str) -> Resource:
    """What is no longer wanted: Task, Appointment and Goal cancelled, other requests revoked; tagged as ours."""
    meta = resource.get("meta", {})
    resource = {**resource, "meta": {**meta, "tag": [*meta.get("tag", []), _WITHDRAWN]}}
    if resource["resourceType"] == "Task":
        return moved_to(resource, "cancelled", at=at, reason=reason)
    if resource["resourceType"] == "Appointment":
        return {**resource, "status": "cancelled", "comment": reason}
    if resource["resourceType"] == "Goal":
        return {**resource, "lifecycleStatus": "cancelled", "statusDate": at[:10], "statusReason": reason}
    return {**resource, "status": "revoked", "note": [*resource.get("note", []), {"text": reason}]}

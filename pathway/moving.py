"""A request that exists, brought to what is proposed now: what of it is ours to change, and why it changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pathway.care_team import reowned
from pathway.ports import Resource
from pathway.proposing import Proposal
from pathway.requests import PROVISIONAL
from pathway.review import days_of
from pathway.tasks import modified
from pathway.visits import proposed_days, same_terms, with_terms_of

_OURS: Mapping[str, tuple[str, ...]] = {
    "Task": ("restriction", "focus", "businessStatus", "input"),
    "Appointment": ("requestedPeriod", "slot"),
    "ServiceRequest": ("occurrencePeriod",),
    "CommunicationRequest": ("occurrenceDateTime", "payload"),
}
_URGENCY: Mapping[str, int] = {"routine": 0, "urgent": 1, "asap": 2, "stat": 3}
_CAN_GO = {"businessStatus": PROVISIONAL}
_GOES_WITH_THE_DAY = ("requestedPeriod", "slot")


def moved(existing: Resource, proposal: Proposal, instant: str) -> Resource | None:
    """The existing request brought to what is proposed; None when there is nothing to change."""
    proposed, managed = proposal.resource, _OURS[existing["resourceType"]]
    owned = reowned(existing, proposed, proposal.usual_owner)
    changed = {name: proposed[name] for name in managed if name in proposed and proposed[name] != existing.get(name)}
    left_out = [n for n in managed if n in existing and n not in proposed]
    gone = [n for n in left_out if n in _GOES_WITH_THE_DAY or existing[n] == _CAN_GO.get(n)]
    if existing["resourceType"] == "Task" and existing["status"] == "draft" and proposed["status"] == "requested":
        changed["status"] = "requested"
    if existing["resourceType"] == "Appointment":
        owned = owned if same_terms(existing, proposed) else with_terms_of(existing, proposed)
        if existing["status"] != proposed["status"]:
            changed["status"] = proposed["status"]
    if _is_raised(existing, proposed):
        changed["priority"] = proposed["priority"]
    if existing["resourceType"] == "Appointment" and (changed or gone or owned is not existing):
        changed["comment"] = proposed.get("comment")
    if not changed and not gone and owned is existing:
        return None
    if existing["resourceType"] == "Task":
        changed["lastModified"] = modified(existing, instant)
    return {name: value for name, value in {**owned, **changed}.items() if name not in gone}


def _is_raised(existing: Resource, proposed: Resource) -> bool:
    """A priority is raised as the answers say, never lowered: somebody may have raised it knowingly."""
    known = [_URGENCY.get(str(r.get("priority", "routine")), 0) for r in (existing, proposed)]
    return known[1] > known[0]


def _days(resource: Resource) -> Resource:
    """The days for which a request is sought: a time of day makes no other day of it."""
    period: Resource = resource.get("restriction", {}).get("period") or resource.get("occurrencePeriod") or {}
    period = next(iter(resource.get("requestedPeriod", [])), period)
    at = resource.get("occurrenceDateTime")
    return {"at": at} if at else {end: str(period[end])[:10] for end in ("start", "end") if end in period}


def why_moved(existing: Resource, newer: Resource, proposal: Proposal) -> str:
    if _days(existing) != _days(proposal.resource):
        why = f"moved from {days_of(existing)} to {days_of(proposal.resource)}, as what it depends on moved"
        return f"{why}; {proposal.why}" if "comment" in proposal.resource else why
    if newer.get("owner") != existing.get("owner"):
        return f"given to {newer['owner']['reference']}, who has the role for this patient now"
    return proposal.why


def are_other_days(existing: Resource, proposed: Resource) -> bool:
    """Of a visit those of its window count: within it the hospital may have booked any day."""
    known, now = proposed_days(existing), proposed_days(proposed)
    if known is None:
        return _days(existing) != _days(proposed)
    return now is None or now.window != known.window

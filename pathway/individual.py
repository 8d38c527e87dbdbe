"""The individual plan: what a clinician adds to, changes in or leaves out of one patient's plan, with a reason.

It stands in the CarePlan itself: an activity with a `detail` says which step of which occurrence is meant (`code`),
what is wanted (`status`, `scheduledPeriod`) and why (`statusReason`); its `progress` says who wrote it and when
(https://hl7.org/fhir/R4/careplan-definitions.html#CarePlan.activity.detail).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Literal

from pathway.codes import ACTION, OCCURRENCE
from pathway.errors import Refused
from pathway.keys import action_key, id_of, key_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Owner, coding_of
from pathway.timing import Window

# The action in the key of a request that a clinician added and the plan does not know.
INDIVIDUAL = "individual"

Change = Literal["skip", "change", "add"]
_STATUS: Mapping[Change, str] = {"skip": "cancelled", "change": "scheduled", "add": "not-started"}
_CHANGES: Mapping[str, Change] = {status: change for change, status in _STATUS.items()}


@dataclass(frozen=True)
class Individual:
    """A clinician's word on one step. `occurrence`: "" for every occurrence; `days`: in place of the plan's own.

    `instead`: the plan's own days when it was written, in words; when they change, a person is asked.
    """

    action: str
    occurrence: str
    change: Change
    reason: str
    author: Resource
    at: str
    days: Window | None = None
    instead: str = ""

    @property
    def why(self) -> str:
        """As a sentence for an explanation."""
        done = {"skip": "left out", "change": "changed", "add": "added"}[self.change]
        who = self.author.get("display") or self.author.get("reference")
        return f"{done} by {who} on {self.at[:10]}: {self.reason}"

    def activity(self, title: str) -> Resource:
        """As a CarePlan.activity."""
        occurrence = [{"system": OCCURRENCE, "code": self.occurrence}] if self.occurrence else []
        detail = {
            "code": {"coding": [{"system": ACTION, "code": self.action}, *occurrence], "text": title},
            "status": _STATUS[self.change],
            "statusReason": {"text": self.reason},
            "doNotPerform": self.change == "skip",
            "scheduledPeriod": self.days.period() if self.days else None,
            "description": self.instead or None,
        }
        return {
            "progress": [{**_author(self.author), "time": self.at, "text": f"{self.change}: {self.reason}"}],
            "detail": {name: value for name, value in detail.items() if value is not None},
        }


def individuals(care_plan: Resource) -> Mapping[tuple[str, str], Individual]:
    """A CarePlan's individual steps by action and occurrence; of several about the same the newest."""
    found = {}
    for activity in care_plan.get("activity", []):
        detail = activity.get("detail", {})
        action = coding_of(detail.get("code"), ACTION)
        if action is None or not activity.get("progress"):
            continue
        individual = _read(action, activity)
        found[individual.action, individual.occurrence] = individual
    return found


def with_individual(care_plan: Resource, individual: Individual, title: str) -> Resource:
    """The CarePlan with a clinician's word on a step, in place of an earlier one on the same."""
    rest = without(care_plan, individual.action, individual.occurrence)
    return {**rest, "activity": [*rest.get("activity", []), individual.activity(title)]}


def without(care_plan: Resource, action: str, occurrence: str) -> Resource:
    """The CarePlan as the pathway has it for this step: a clinician's word on it is taken back."""
    kept = [a for a in care_plan.get("activity", []) if not _is_about(a, action, occurrence)]
    return {**{n: v for n, v in care_plan.items() if n != "activity"}, **({"activity": kept} if kept else {})}


def _is_about(activity: Resource, action: str, occurrence: str) -> bool:
    detail = activity.get("detail", {})
    return coding_of(detail.get("code"), ACTION) == action and _occurrence(detail) == occurrence


def _read(action: str, activity: Resource) -> Individual:
    detail, note = activity["detail"], activity["progress"][-1]
    period = detail.get("scheduledPeriod")
    days = Window(_day(period, "start"), _day(period, "end")) if period else None
    reason = str(detail.get("statusReason", {}).get("text", ""))
    return Individual(
        action=action,
        occurrence=_occurrence(detail),
        change=_CHANGES[detail["status"]],
        reason=reason,
        author=note.get("authorReference") or {"display": str(note.get("authorString", "somebody"))},
        at=str(note.get("time", "")),
        days=days,
        instead=str(detail.get("description", "")),
    )


def _author(who: Resource) -> Resource:
    return {"authorReference": who} if "reference" in who else {"authorString": who["display"]}


def _occurrence(detail: Resource) -> str:
    return coding_of(detail.get("code"), OCCURRENCE) or ""


def _day(period: Resource, edge: str) -> date | None:
    return date.fromisoformat(str(period[edge])[:10]) if edge in period else None


def added(request: Resource, care_plan: Resource, owner: Owner, instant: str) -> Resource:
    """A request that the plan does not know, as a clinician adds it: ours, for the plan's patient, never without owner.

    The same request added twice is one. Raises Refused for a type that a plan does not lead to.
    """
    build = _ADDED.get(str(request.get("resourceType")))
    if build is None:
        raise Refused(f"A plan can be given a {', '.join(_ADDED)}, not a {request.get('resourceType')}")
    content = {name: value for name, value in request.items() if name not in ("id", "meta", "identifier")}
    plan_key = key_of(care_plan)
    assert plan_key is not None
    digest = sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
    key = action_key(plan_key, INDIVIDUAL, digest)
    kind = content.pop("resourceType")
    own = {"resourceType": kind, "id": id_of(kind, key), "identifier": [key.identifier()]}
    return {**own, **content, **build(content, care_plan, owner, instant)}


def _task(content: Resource, care_plan: Resource, owner: Owner, instant: str) -> Resource:
    return {
        "status": "requested",
        "intent": content.get("intent", "plan"),
        "basedOn": [_to(care_plan)],
        "for": care_plan["subject"],
        "authoredOn": instant,
        "lastModified": instant,
        "owner": content.get("owner", {"reference": owner.reference}),
    }


def _service_request(content: Resource, care_plan: Resource, _: Owner, instant: str) -> Resource:
    """A draft until a clinician signs it."""
    return {
        "status": "draft",
        "intent": content.get("intent", "plan"),
        "basedOn": [_to(care_plan)],
        "subject": care_plan["subject"],
        "authoredOn": instant,
    }


def _communication_request(_: Resource, care_plan: Resource, __: Owner, instant: str) -> Resource:
    return {"status": "active", "basedOn": [_to(care_plan)], "subject": care_plan["subject"], "authoredOn": instant}


def _to(care_plan: Resource) -> Resource:
    return {"reference": reference_to(care_plan)}


_ADDED: Mapping[str, Callable[[Resource, Resource, Owner, str], Resource]] = {
    "Task": _task,
    "ServiceRequest": _service_request,
    "CommunicationRequest": _communication_request,
}

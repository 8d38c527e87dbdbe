"""From an ActivityDefinition to the request it describes: Task, Appointment, ServiceRequest, CommunicationRequest.

https://hl7.org/fhir/R4/activitydefinition.html#12.17.3.3; the structural elements, then what the action adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pathway import codes
from pathway.errors import InvalidDefinition
from pathway.keys import id_of
from pathway.ports import Key, Resource
from pathway.references import reference_to
from pathway.site import Owner
from pathway.timing import Window
from pathway.visits import Visit

COLLECT_WITH = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-collectWith"
PROVISIONAL = {
    "coding": [{"system": codes.BUSINESS_STATUS, "code": "provisional", "display": "Provisional"}],
    "text": "Provisional: planned from the intended date of surgery",
}


@dataclass(frozen=True)
class Brief:
    """Everything a request is built from besides its ActivityDefinition."""

    key: Key
    definition: str
    title: str
    subject: Resource | None
    care_plan: Resource | None
    authored: str
    owners: Sequence[Owner] = ()
    to_patient: bool = False
    window: Window | None = None
    visit: Visit | None = None
    occurs: str | None = None
    provisional: bool = False
    focus: str | None = None
    surgery: Resource | None = None
    group: str | None = None
    inputs: Sequence[Resource] = field(default_factory=tuple)
    reason: str | None = None


def build(activity: Resource, brief: Brief) -> Resource:
    """The proposed request of the activity's kind."""
    kind = str(activity["kind"])
    resource = {
        "resourceType": kind,
        "id": id_of(kind, brief.key),
        "identifier": [brief.key.identifier()],
        **_BUILDERS[kind](activity, brief),
    }
    return {name: value for name, value in resource.items() if value not in (None, [], {})}


def _task(activity: Resource, brief: Brief) -> Resource:
    return {
        "instantiatesCanonical": brief.definition,
        "basedOn": _plan(brief),
        "groupIdentifier": {"system": codes.KEY_SYSTEM, "value": brief.group} if brief.group else None,
        "status": "draft" if brief.provisional else "requested",
        "businessStatus": PROVISIONAL if brief.provisional else None,
        "intent": activity.get("intent", "plan"),
        "priority": activity.get("priority", "routine"),
        "code": {**activity.get("code", {}), "text": brief.title},
        "description": activity.get("description"),
        "focus": {"reference": brief.focus} if brief.focus else None,
        "for": _subject(brief),
        "authoredOn": brief.authored,
        "lastModified": brief.authored,
        "owner": _owner(brief),
        "reasonCode": {"text": brief.reason} if brief.reason else None,
        "restriction": {"period": brief.window.period()} if brief.window else None,
        "input": [*_asks_for(activity), *brief.inputs],
    }


def _asks_for(activity: Resource) -> list[Resource]:
    return [
        {
            "type": {"coding": [{"system": codes.SDC_TASK, "code": "questionnaire"}], "text": "Questionnaire"},
            "valueCanonical": form,
        }
        for form in forms_of(activity)
    ]


def forms_of(activity: Resource) -> list[str]:
    """The Questionnaires whose answers an activity asks for."""
    return [e["valueCanonical"] for e in activity.get("extension", []) if e["url"] == COLLECT_WITH]


def _service_request(activity: Resource, brief: Brief) -> Resource:
    return {
        "instantiatesCanonical": [brief.definition],
        "basedOn": _plan(brief),
        "status": "draft",
        "intent": activity.get("intent", "plan"),
        "category": activity.get("topic"),
        "priority": activity.get("priority"),
        "code": {**activity.get("code", {}), "text": brief.title},
        "subject": _subject(brief),
        "occurrencePeriod": brief.window.period() if brief.window else None,
        "authoredOn": brief.authored,
        "performer": [_reference(owner) for owner in brief.owners],
        "reasonReference": (brief.care_plan or {}).get("addresses"),
        "note": [{"text": "Draft proposed by the pathway service: it becomes an order when a clinician signs it."}],
    }


def _appointment(activity: Resource, brief: Brief) -> Resource:
    coding = activity.get("code", {}).get("coding", [])
    visit = brief.visit
    sought = _sought(visit) if visit else None
    return {
        "status": "proposed" if sought else "waitlist",
        "appointmentType": {"coding": [c for c in coding if c.get("system") == codes.APPOINTMENT_TYPE]},
        "serviceType": [
            {"coding": [c], "text": brief.title} for c in coding if c.get("system") != codes.APPOINTMENT_TYPE
        ],
        "description": brief.title,
        "comment": visit.why if visit else None,
        "supportingInformation": _plan(brief),
        "basedOn": [{"reference": reference_to(brief.surgery)}] if brief.surgery else None,
        "created": brief.authored,
        "participant": [
            {"actor": _subject(brief), "required": "required", "status": "needs-action"},
            *(
                {"actor": _participant(owner), "required": "required", "status": "needs-action"}
                for owner in brief.owners
            ),
        ],
        "slot": [{"reference": reference_to(visit.slot)}] if visit and visit.slot else None,
        "requestedPeriod": [sought] if sought else None,
    }


def _sought(visit: Visit) -> Resource | None:
    """When it is sought, as a Period."""
    if visit.times:
        return dict(zip(("start", "end"), visit.times, strict=True))
    return {"start": visit.day.isoformat(), "end": visit.day.isoformat()} if visit.day else None


def _communication_request(activity: Resource, brief: Brief) -> Resource:
    return {
        "basedOn": _plan(brief),
        "status": "active",
        "category": activity.get("topic"),
        "priority": activity.get("priority"),
        "subject": _subject(brief),
        "about": [{"reference": brief.focus}] if brief.focus else None,
        "payload": [{"contentString": activity.get("description", brief.title)}],
        "occurrenceDateTime": brief.occurs,
        "authoredOn": brief.authored,
        "recipient": [_subject(brief)],
    }


_BUILDERS: Mapping[str, Callable[[Resource, Brief], Resource]] = {
    "Task": _task,
    "ServiceRequest": _service_request,
    "Appointment": _appointment,
    "CommunicationRequest": _communication_request,
}
KINDS = frozenset(_BUILDERS)


def place(resource: Resource, path: str, value: Any) -> None:
    """Set an element of a request, such as `priority` or `payload[0].contentString`; the steps to it are made.

    Raises InvalidDefinition for a path that leads nowhere.
    """
    try:
        _place(resource, path, value)
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidDefinition(f"'{path}' is not the path of an element that can be set") from error


def _place(resource: Resource, path: str, value: Any) -> None:
    steps = [step for step in re.split(r"[.\[\]]+", path) if step]
    here: Any = resource
    for step, after in pairwise(steps):
        made: Any = [] if after.isdigit() else {}
        if not step.isdigit():
            here = here.setdefault(step, made)
            continue
        while len(here) <= int(step):
            here.append(made)
        here = here[int(step)]
    here[steps[-1]] = value


def flag(key: Key, code: Resource, brief: Brief) -> Resource:
    """An active Flag: a sign somebody reported that has to be looked at (rule-red-flag)."""
    return {
        "resourceType": "Flag",
        "id": id_of("Flag", key),
        "identifier": [key.identifier()],
        "status": "active",
        "category": [{"coding": [{"system": codes.FLAG_CATEGORY, "code": "clinical", "display": "Clinical"}]}],
        "code": code,
        "subject": _subject(brief),
        "period": {"start": brief.authored},
    }


def _subject(brief: Brief) -> Resource | None:
    return {"reference": reference_to(brief.subject)} if brief.subject else None


def _plan(brief: Brief) -> list[Resource]:
    return [{"reference": reference_to(brief.care_plan)}] if brief.care_plan else []


def _owner(brief: Brief) -> Resource | None:
    if brief.owners:
        return _reference(brief.owners[0])
    return _subject(brief) if brief.to_patient else None


def _reference(owner: Owner) -> Resource:
    return {"reference": owner.reference, **({"display": owner.display} if owner.display else {})}


def _participant(owner: Owner) -> Resource:
    return {"reference": owner.healthcare_service} if owner.healthcare_service else _reference(owner)

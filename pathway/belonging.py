"""Which of a patient's pathways a record is about, when it does not say so itself.

What we made says it by its key, what is based on that by the reference. Anything else belongs to the only pathway that
ran when it came; of several, a form to the one that asked for it then, a warning sign to all of them, an operation to
the only one of a kind that orders it, and the rest to none: a person has to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from pathway.codes import RECOVERY_DIARY, RUNNING
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.tasks import is_open, was_withdrawn
from pathway.timing import instant

_TO_BE_CLAIMED = ("QuestionnaireResponse", "Procedure")


def belonging(data: Sequence[Resource], care_plan: Resource, plans: Sequence[Resource]) -> list[Resource]:
    """The patient's data that is about `care_plan`, one of the patient's `plans`."""
    return [resource for resource in data if care_plan["id"] in {p["id"] for p in plans_of(resource, data, plans)}]


def plans_of(resource: Resource, data: Sequence[Resource], plans: Sequence[Resource]) -> list[Resource]:
    """The pathways a record is about; none when nobody can say."""
    if key_of(resource) is not None and resource["resourceType"] != "Procedure":
        return [plan for plan in plans if _is_of(resource, plan)]
    if resource["resourceType"] not in _TO_BE_CLAIMED:
        return list(plans)
    named = {str(r.get("reference")) for r in resource.get("basedOn", [])}
    ours = [p for p in plans if named & {reference_to(p), *(reference_to(r) for r in data if _is_of(r, p))}]
    if ours or any(reference.startswith("CarePlan/") for reference in named):
        return ours
    return _meant(resource, data, _running_when_it_came(resource, plans))


def _meant(resource: Resource, data: Sequence[Resource], plans: list[Resource]) -> list[Resource]:
    if len(plans) <= 1:
        return plans
    questionnaire = str(resource.get("questionnaire", "")).split("|")[0]
    if questionnaire == RECOVERY_DIARY:
        return plans
    if resource["resourceType"] == "Procedure":
        ordered = [p for p in plans if any(_orders(request, resource) for request in data if _is_of(request, p))]
        return _only([p for p in plans if _definition(p) in map(_definition, ordered)])
    came = str(resource.get("meta", {}).get("lastUpdated", ""))
    tasks = {p["id"]: [t for t in data if _is_of(t, p) and _names(t, questionnaire)] for p in plans}
    asking = [p for p in plans if any(_was_open(task, came) for task in tasks[p["id"]])]
    return _only(asking) or _only([p for p in plans if tasks[p["id"]]])


def _only(plans: list[Resource]) -> list[Resource]:
    return plans if len(plans) == 1 else []


def _running_when_it_came(resource: Resource, plans: Sequence[Resource]) -> list[Resource]:
    """What came before any plan is for the first; what came later for those that still run, if one does."""
    came = str(resource.get("meta", {}).get("lastUpdated", ""))
    before = [plan for plan in plans if str(plan.get("created", "")) < came]
    before = before or sorted(plans, key=lambda plan: str(plan.get("created", "")))[:1]
    return [plan for plan in before if plan.get("status") in RUNNING] or before


def _names(task: Resource, questionnaire: str) -> bool:
    """Whether a Task asks, or asked before it was over, for a form."""
    forms = {str(i.get("valueCanonical", "")).split("|")[0] for i in task.get("input", [])}
    return task["resourceType"] == "Task" and questionnaire in forms and not was_withdrawn(task)


def _was_open(task: Resource, came: str) -> bool:
    """Whether a Task was asking at an instant: the answer that completes it stays its answer."""
    try:
        asked, changed, at = instant(task["authoredOn"]), instant(task["lastModified"]), instant(came)
    except (KeyError, ValueError):
        return is_open(task)
    return asked <= at and (is_open(task) or changed >= at)


def _orders(request: Resource, procedure: Resource) -> bool:
    """Whether a request of ours is for this kind of operation."""
    wanted = {(c.get("system"), c.get("code")) for c in procedure.get("code", {}).get("coding", [])}
    ordered = {(c.get("system"), c.get("code")) for c in request.get("code", {}).get("coding", [])}
    return request["resourceType"] == "ServiceRequest" and bool(wanted & ordered)


def _definition(plan: Resource) -> str:
    return str(next(iter(plan.get("instantiatesCanonical", [])), "")).split("|")[0]


def _is_of(resource: Resource, plan: Resource) -> bool:
    key, own = key_of(plan), key_of(resource)
    return key is not None and own is not None and own.value.startswith(f"{key.value}:")

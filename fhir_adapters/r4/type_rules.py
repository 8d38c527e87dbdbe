"""R4's rules (ElementDefinition.constraint) of single resource types, for resources the schema has found sound.

Where HL7's text and expression differ, the expression counts, as it does for other validators; que-12 is the exception.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from fhir_adapters.r4 import dates
from pathway.issues import Issue

Json = dict[str, Any]
Findings = Iterator[Issue]

_UCUM = "http://unitsofmeasure.org"
_CONDITION_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_CONDITION_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def check(resource: Json, resource_type: str, place: str) -> Findings:
    """The broken rules of one resource; `place` is its own, the beginning of every expression."""
    rule = _RULES.get(resource_type)
    return rule(resource, place) if rule else iter(())


def _broken(rule: str, sentence: str, place: str) -> Issue:
    return Issue("error", "invariant", f"{place}: {sentence} ({rule})", place)


def _each(node: Json, key: str, place: str) -> Iterator[tuple[Json, str]]:
    return ((item, f"{place}.{key}[{index}]") for index, item in enumerate(node.get(key, [])))


def _has(node: Json, choice: str) -> bool:
    return any(key.removeprefix("_").startswith(choice) for key in node)


def _coded(concept: Json | None, system: str, *codes: str) -> bool:
    return any(c.get("system") == system and c.get("code") in codes for c in (concept or {}).get("coding", []))


def _task(task: Json, place: str) -> Findings:
    if "lastModified" in task and "authoredOn" in task and dates.later(task["authoredOn"], task["lastModified"]):
        yield _broken("inv-1", "lastModified is before authoredOn", place)


def _appointment(appointment: Json, place: str) -> Findings:
    start, end, status = "start" in appointment, "end" in appointment, appointment.get("status")
    for participant, here in _each(appointment, "participant", place):
        if "type" not in participant and "actor" not in participant:
            yield _broken("app-1", "a participant needs a type or an actor", here)
    if start != end:
        yield _broken("app-2", "start and end are given together or not at all", place)
    if not (start and end) and status not in ("proposed", "cancelled", "waitlist"):
        yield _broken("app-3", f"an appointment that is {status} needs start and end", place)
    if "cancelationReason" in appointment and status != "cancelled":
        yield _broken("app-4", "cancelationReason is only for cancelled appointments", place)


def _care_plan(plan: Json, place: str) -> Findings:
    for activity, here in _each(plan, "activity", place):
        if "detail" in activity and "reference" in activity:
            yield _broken("cpl-3", "an activity has a reference or a detail, not both", here)


def _goal(goal: Json, place: str) -> Findings:
    for target, here in _each(goal, "target", place):
        if _has(target, "detail") and "measure" not in target:
            yield _broken("gol-1", "a target with a detail needs its measure", here)


def _risk_assessment(assessment: Json, place: str) -> Findings:
    for prediction, here in _each(assessment, "prediction", place):
        if prediction.get("probabilityDecimal", 0) > 100:
            yield _broken("ras-2", "a probability is at most 100", here)
        for end in ("low", "high"):
            bound = prediction.get("probabilityRange", {}).get(end)
            if bound is not None and (bound.get("code"), bound.get("system")) != ("%", _UCUM):
                yield _broken("ras-1", f"{end} must be a percentage (UCUM code %)", here)


def _condition(condition: Json, place: str) -> Findings:
    status, verification = condition.get("clinicalStatus"), condition.get("verificationStatus")
    if _has(condition, "abatement") and not _coded(status, _CONDITION_STATUS, "resolved", "remission", "inactive"):
        yield _broken("con-4", "an abated condition is inactive, resolved or in remission", place)
    if status is not None and _coded(verification, _CONDITION_VERIFICATION, "entered-in-error"):
        yield _broken("con-5", "a condition entered in error has no clinicalStatus", place)
    for stage, here in _each(condition, "stage", place):
        if "summary" not in stage and "assessment" not in stage:
            yield _broken("con-1", "a stage needs a summary or an assessment", here)
    for evidence, here in _each(condition, "evidence", place):
        if "code" not in evidence and "detail" not in evidence:
            yield _broken("con-2", "evidence needs a code or a detail", here)


def _observation(observation: Json, place: str) -> Findings:
    if "dataAbsentReason" in observation and _has(observation, "value"):
        yield _broken("obs-6", "dataAbsentReason is only for an observation without a value", place)
    for reference_range, here in _each(observation, "referenceRange", place):
        if not {"low", "high", "text"} & reference_range.keys():
            yield _broken("obs-3", "a reference range needs low, high or text", here)


def _service_request(request: Json, place: str) -> Findings:
    if "orderDetail" in request and "code" not in request:
        yield _broken("prr-1", "orderDetail needs a code", place)


def _request_group(group: Json, place: str) -> Findings:
    for action, here in _each(group, "action", place):
        if ("resource" in action) == ("action" in action):
            yield _broken("rqg-1", "an action has either a resource or actions of its own", here)


def _patient(patient: Json, place: str) -> Findings:
    for contact, here in _each(patient, "contact", place):
        if not {"name", "telecom", "address", "organization"} & contact.keys():
            yield _broken("pat-1", "a contact needs a name, telecom, address or organization", here)


def _organization(organization: Json, place: str) -> Findings:
    if "identifier" not in organization and "name" not in organization:
        yield _broken("org-1", "an organization needs a name or an identifier", place)
    for rule, key in (("org-2", "address"), ("org-3", "telecom")):
        for item, here in _each(organization, key, place):
            if item.get("use") == "home":
                yield _broken(rule, f"an organization has no {key} at home", here)


def _consent(consent: Json, place: str) -> Findings:
    if "policy" not in consent and "policyRule" not in consent:
        yield _broken("ppc-1", "a consent needs a policy or a policyRule", place)


def _audit_event(event: Json, place: str) -> Findings:
    for entity, here in _each(event, "entity", place):
        if "name" in entity and "query" in entity:
            yield _broken("sev-1", "an entity has a name or a query, not both", here)


def _questionnaire(questionnaire: Json, place: str) -> Findings:
    items = list(_items(questionnaire, place))
    for link_id, count in Counter(item.get("linkId") for item, _ in items).items():
        if link_id is not None and count > 1:
            yield _broken("que-2", f"the linkId {link_id[:80]!r} is used {count} times", place)
    for item, here in items:
        yield from _item(item, here)


def _items(node: Json, place: str) -> Iterator[tuple[Json, str]]:
    for item, here in _each(node, "item", place):
        yield item, here
        yield from _items(item, here)


def _item(item: Json, place: str) -> Findings:
    kind, nested, initial = item.get("type"), "item" in item, item.get("initial", [])
    if (kind == "group" and not nested) or (kind == "display" and nested):
        yield _broken("que-1", "a group needs items, a display has none", place)
    if kind == "display":
        for rule, key in (("que-3", "code"), ("que-6", "required"), ("que-6", "repeats"), ("que-9", "readOnly")):
            if key in item:
                yield _broken(rule, f"a display has no {key}", place)
    if "answerOption" in item and "answerValueSet" in item:
        yield _broken("que-4", "answerOption and answerValueSet exclude each other", place)
    if kind in ("group", "display") and initial:
        yield _broken("que-8", f"a {kind} has no initial value", place)
    if "answerOption" in item and initial:
        yield _broken("que-11", "an item with answerOption marks its initial value there, not in initial", place)
    if len(initial) > 1 and item.get("repeats") is not True:
        yield _broken("que-13", "several initial values need an item that repeats", place)
    if len(item.get("enableWhen", [])) > 1 and "enableBehavior" not in item:
        yield _broken("que-12", "several enableWhen need an enableBehavior", place)
    for condition, here in _each(item, "enableWhen", place):
        if condition.get("operator") == "exists" and "answerBoolean" not in condition:
            yield _broken("que-7", "the operator exists needs answerBoolean", here)


def _response(response: Json, place: str) -> Findings:
    for item, here in _each(response, "item", place):
        if "answer" in item and "item" in item:
            yield _broken("qrs-1", "items stand beneath the item or beneath its answer, not both", here)
        yield from _response(item, here)
        for answer, there in _each(item, "answer", here):
            yield from _response(answer, there)


def _value_set(value_set: Json, place: str) -> Findings:
    compose = value_set.get("compose", {})
    for key in ("include", "exclude"):
        for part, here in _each(compose, key, f"{place}.compose"):
            if "valueSet" not in part and "system" not in part:
                yield _broken("vsd-1", f"an {key} needs a system or a valueSet", here)
            if ("concept" in part or "filter" in part) and "system" not in part:
                yield _broken("vsd-2", "concepts and filters need a system", here)
            if "concept" in part and "filter" in part:
                yield _broken("vsd-3", "concept and filter exclude each other", here)


def _bundle(bundle: Json, place: str) -> Findings:
    kind = bundle.get("type")
    if "total" in bundle and kind not in ("searchset", "history"):
        yield _broken("bdl-1", "total is only for a searchset or a history", place)
    asked = kind in ("batch", "transaction", "history")
    answered = kind in ("batch-response", "transaction-response", "history")
    seen: set[tuple[str, str]] = set()
    for entry, here in _each(bundle, "entry", place):
        if "search" in entry and kind != "searchset":
            yield _broken("bdl-2", "search is only for a searchset", here)
        for rule, key, needed in (("bdl-3", "request", asked), ("bdl-4", "response", answered)):
            if (key in entry) != needed:
                yield _broken(rule, f"an entry of a {kind} {'needs' if needed else 'has no'} {key}", here)
        if not {"resource", "request", "response"} & entry.keys():
            yield _broken("bdl-5", "an entry needs a resource, a request or a response", here)
        if "fullUrl" in entry and kind != "history":
            url = (entry["fullUrl"], _version(entry.get("resource")))
            if url in seen:
                yield _broken("bdl-7", "another entry has the same fullUrl and version", here)
            seen.add(url)
        if "/_history/" in entry.get("fullUrl", ""):
            yield _broken("bdl-8", "fullUrl names a resource, not one version of it", here)


def _version(resource: Json | None) -> str:
    meta = (resource or {}).get("meta")
    return str(meta.get("versionId")) if isinstance(meta, dict) else ""


def _parameters(parameters: Json, place: str, key: str = "parameter") -> Findings:
    for parameter, here in _each(parameters, key, place):
        if sum((_has(parameter, "value"), "resource" in parameter, "part" in parameter)) != 1:
            yield _broken("inv-1", "a parameter has one of value, resource and part", here)
        yield from _parameters(parameter, here, "part")


_RULES: dict[str, Callable[[Json, str], Findings]] = {
    "Appointment": _appointment,
    "AuditEvent": _audit_event,
    "Bundle": _bundle,
    "CarePlan": _care_plan,
    "Condition": _condition,
    "Consent": _consent,
    "Goal": _goal,
    "Observation": _observation,
    "Organization": _organization,
    "Parameters": _parameters,
    "Patient": _patient,
    "Questionnaire": _questionnaire,
    "QuestionnaireResponse": _response,
    "RequestGroup": _request_group,
    "RiskAssessment": _risk_assessment,
    "ServiceRequest": _service_request,
    "Task": _task,
    "ValueSet": _value_set,
}

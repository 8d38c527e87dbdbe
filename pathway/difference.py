"""What would change, as a FHIR Parameters resource: what is added, changed, revoked and kept, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pathway.due_work import DueWork
from pathway.explain import text_parts
from pathway.keys import key_of
from pathway.ports import Create, Resource, Update
from pathway.progress import Changes
from pathway.references import reference_to
from pathway.review import days_of, title_of
from pathway.situation import Situation
from pathway.tasks import is_open, was_withdrawn

_NOT_SHOWN = frozenset({"meta", "lastModified"})


def difference(situation: Situation, changes: Changes, due: Sequence[DueWork]) -> Resource:
    """`situation` and `due` are what is there now. One parameter for each request, alert, due row and issue.

    `add`, `change`, `revoke`, `keep`: parts reference, title, days, was, element, why. `due`: parts action, at, why.
    """
    reasons = dict(changes.reasons)
    before = {reference_to(r): r for r in [situation.care_plan, *situation.data]}
    parameters = [_changed(change, before.get(reference_to(change.resource)), reasons) for change in changes.resources]
    touched = {reference_to(change.resource) for change in changes.resources}
    kept = [r for r in situation.by_key.values() if is_open(r) and reference_to(r) not in touched]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "care-plan", "valueReference": {"reference": reference_to(situation.care_plan)}},
            *parameters,
            *(_named("keep", resource, []) for resource in kept),
            *({"name": "alert", "part": text_parts(code=a.code, priority=a.priority)} for a in changes.alerts),
            *_due(changes.due, due),
            *({"name": "issue", "part": text_parts(text=issue.diagnostics)} for issue in changes.issues),
        ],
    }


def _changed(change: Create | Update, before: Resource | None, reasons: dict[str, str]) -> Resource:
    resource = change.resource
    why = text_parts(why=reasons.get(reference_to(resource), ""))
    if before is None or isinstance(change, Create):
        return _named("add", resource, why)
    if was_withdrawn(resource):
        return _named("revoke", resource, why)
    names = sorted(n for n in {*resource, *before} - _NOT_SHOWN if resource.get(n) != before.get(n))
    was = text_parts(was=days_of(before)) if days_of(before) != days_of(resource) else []
    return _named("change", resource, [*was, *(p for name in names for p in text_parts(element=name)), *why])


def _named(name: str, resource: Resource, more: Iterable[Resource]) -> Resource:
    key = key_of(resource)
    said = text_parts(key=key.value if key else "", title=title_of(resource), days=days_of(resource))
    return {
        "name": name,
        "part": [{"name": "reference", "valueReference": {"reference": reference_to(resource)}}, *said, *more],
    }


def _due(wanted: Sequence[DueWork], there: Sequence[DueWork]) -> list[Resource]:
    known = {(work.key, work.due_at) for work in there if work.state == "scheduled"}
    return [
        {
            "name": "due",
            "part": [
                *text_parts(action=work.action),
                {"name": "at", "valueDateTime": work.due_at.isoformat()},
                *text_parts(why=work.why),
            ],
        }
        for work in wanted
        if (work.key, work.due_at) not in known
    ]

"""What a CarePlan names of all that came of it: requests as its activities, its goals, its RiskAssessment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pathway.ports import Resource

NOT_ACTIVITIES = ("CarePlan", "Flag", "Goal", "RiskAssessment")


def listing(care_plan: Resource, references: Iterable[str]) -> Resource | None:
    """The CarePlan that names all of `references`, in the order they came; None when it does so already."""
    known = list(dict.fromkeys(references))
    activities = care_plan.get("activity", [])
    listed = [activity["reference"] for activity in activities if "reference" in activity]
    requests = _missing(listed, [r for r in known if r.partition("/")[0] not in NOT_ACTIVITIES])
    goals = _missing(care_plan.get("goal", []), [r for r in known if r.startswith("Goal/")])
    risks = _missing(care_plan.get("supportingInfo", []), [r for r in known if r.startswith("RiskAssessment/")])
    added = {
        "activity": [*activities, *({"reference": request} for request in requests)] if requests else None,
        "goal": [*care_plan.get("goal", []), *goals] if goals else None,
        "supportingInfo": [*care_plan.get("supportingInfo", []), *risks] if risks else None,
    }
    changed = {name: value for name, value in added.items() if value}
    return {**care_plan, **changed} if changed else None


def _missing(listed: Sequence[Resource], references: Sequence[str]) -> list[Resource]:
    there = {reference.get("reference") for reference in listed}
    return [{"reference": reference} for reference in references if reference not in there]

"""A Questionnaire that an action names directly: the activity that asks for its answers.

R4 allows it as `action.definitionCanonical` (https://hl7.org/fhir/R4/plandefinition-definitions.html); the request it
leads to is the Task to complete it, as SDC describes one (http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-task).
"""

from __future__ import annotations

from pathway import codes
from pathway.nested import pinned
from pathway.ports import Resource
from pathway.requests import COLLECT_WITH

_COMPLETE = {"system": codes.SDC_TASK, "code": "complete-questionnaire", "display": "Complete Questionnaire"}


def collecting(questionnaire: Resource) -> Resource:
    """An ActivityDefinition for a Task that asks for answers to the Questionnaire; it is not published anywhere."""
    described: Resource = {n: questionnaire[n] for n in ("name", "title", "description") if n in questionnaire}
    return {
        "resourceType": "ActivityDefinition",
        "extension": [{"url": COLLECT_WITH, "valueCanonical": pinned(questionnaire)}],
        "status": questionnaire["status"],
        **described,
        "kind": "Task",
        "code": {"coding": [_COMPLETE]},
        "intent": "plan",
        "priority": "routine",
    }

"""$apply of a PlanDefinition and of an ActivityDefinition, as their OperationDefinitions describe it.

Each function takes what answers it and returns the operation for a `Door`.
"""

from __future__ import annotations

from fhir_adapters.server.operation import Operation, Parameter, Run
from pathway import codes

_COMMON = (
    Parameter("subject", "string", min=1, max="*"),
    *(Parameter(name, "string") for name in ("encounter", "practitioner", "organization")),
    *(
        Parameter(name, "CodeableConcept")
        for name in ("userType", "userLanguage", "userTaskContext", "setting", "settingContext")
    ),
    Parameter("parameters", "Parameters"),
    Parameter("useServerData", "boolean"),
    Parameter("data", "Bundle"),
)


def apply_plan(run: Run) -> Operation:
    """What a plan would ask for, for a patient; nothing is kept."""
    parameters = (
        *_which("PlanDefinition", "planDefinition"),
        *_COMMON,
        Parameter("carePlan", "string"),
        Parameter("bundle", "boolean"),
    )
    return Operation("apply", "PlanDefinition", codes.APPLY_PLAN, run, affects_state=False, parameters=parameters)


def apply_activity(run: Run) -> Operation:
    """The request of one activity, for a patient; nothing is kept."""
    parameters = (*_which("ActivityDefinition", "activityDefinition"), *_COMMON)
    return Operation(
        "apply", "ActivityDefinition", codes.APPLY_ACTIVITY, run, affects_state=False, parameters=parameters
    )


def _which(type: str, name: str) -> tuple[Parameter, ...]:
    return (
        Parameter(name, type),
        Parameter("canonical", "canonical"),
        Parameter("url", "uri"),
        Parameter("version", "string"),
    )

"""This product's own operations on a CarePlan, as `pathway/definition/OperationDefinition-CarePlan-*.json` define them.

Each function takes what answers it and returns the operation for a `Door`.
"""

from __future__ import annotations

from fhir_adapters.server.operation import Level, Operation, Parameter, Run
from pathway import codes

_INSTANCE: frozenset[Level] = frozenset({"instance"})


def explain(run: Run) -> Operation:
    """Why each action is in the plan or not, also as it was at an earlier version of the CarePlan."""
    parameters = (Parameter("version", "positiveInt"),)
    return Operation("explain", "CarePlan", codes.EXPLAIN, run, _INSTANCE, affects_state=False, parameters=parameters)


def what_if(run: Run) -> Operation:
    """What would be different with other data or at another time; nothing is kept."""
    parameters = (Parameter("data", "Bundle"), Parameter("now", "dateTime"))
    return Operation("what-if", "CarePlan", codes.WHAT_IF, run, _INSTANCE, affects_state=False, parameters=parameters)


def migrate(run: Run) -> Operation:
    """Go on by another version of the plan's definition, or see what that would change."""
    parameters = (
        Parameter("version", "string"),
        Parameter("apply", "boolean"),
        Parameter("reason", "string"),
        Parameter("author", "Reference"),
    )
    return Operation("migrate", "CarePlan", codes.MIGRATE, run, _INSTANCE, affects_state=True, parameters=parameters)


def individualize(run: Run) -> Operation:
    """Skip, restore, move or add something for this patient, with the reason and who decided it."""
    parameters = (
        Parameter("action", "string"),
        Parameter("occurrence", "string"),
        Parameter("change", "code", min=1),
        Parameter("period", "Period"),
        Parameter("activity", "Resource"),
        Parameter("reason", "string", min=1),
        Parameter("author", "Reference", min=1),
        Parameter("apply", "boolean"),
    )
    return Operation(
        "individualize", "CarePlan", codes.INDIVIDUALIZE, run, _INSTANCE, affects_state=True, parameters=parameters
    )

"""The Structured Data Capture operations on forms and answers (https://hl7.org/fhir/uv/sdc/).

Each function takes what answers it and returns the operation for a `Door`.
"""

from __future__ import annotations

from fhir_adapters.server.operation import Operation, Parameter, Run

_SDC = "http://hl7.org/fhir/uv/sdc/OperationDefinition"


def populate(run: Run) -> Operation:
    """A response to a form with what is known of the subject filled in; nothing is kept."""
    context = Parameter(
        "context",
        max="*",
        parts=(Parameter("name", "string", min=1), Parameter("content", "Reference", min=1, max="*")),
    )
    parameters = (
        Parameter("questionnaire", "Questionnaire"),
        Parameter("canonical", "uri"),
        Parameter("subject", "Reference", min=1),
        context,
    )
    return Operation(
        "populate",
        "Questionnaire",
        f"{_SDC}/Questionnaire-populate",
        run,
        affects_state=False,
        parameters=parameters,
    )


def extract(run: Run) -> Operation:
    """What finished answers say as resources of their own, as a transaction to be sent; nothing is kept."""
    parameters = (Parameter("questionnaire-response", "QuestionnaireResponse"),)
    return Operation(
        "extract",
        "QuestionnaireResponse",
        f"{_SDC}/QuestionnaireResponse-extract",
        run,
        affects_state=False,
        parameters=parameters,
    )

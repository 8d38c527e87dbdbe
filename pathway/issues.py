"""What is wrong with a request or a resource, in the form FHIR reports it (OperationOutcome.issue, R4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Issue:
    """One finding: `code` is of FHIR's issue-type value set, `diagnostics` a sentence, `expression` a FHIRPath."""

    severity: Literal["fatal", "error", "warning", "information"]
    code: str
    diagnostics: str
    expression: str = ""


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The issues as an OperationOutcome; without any, one that says all is well (R4: at least one issue)."""
    found = [_as_fhir(issue) for issue in issues]
    return {
        "resourceType": "OperationOutcome",
        "issue": found or [{"severity": "information", "code": "informational", "diagnostics": "No issues found"}],
    }


def _as_fhir(issue: Issue) -> dict[str, Any]:
    written: dict[str, Any] = {"severity": issue.severity, "code": issue.code, "diagnostics": issue.diagnostics}
    if issue.expression:
        written["expression"] = [issue.expression]
    return written

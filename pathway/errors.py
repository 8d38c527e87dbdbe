"""The tree of errors. A class's docstring is its message when none is given.

PathwayError
├── InvalidResource         the sender can mend it: bad JSON, bad FHIR, a broken reference
├── InvalidDefinition       a PlanDefinition, ActivityDefinition or Questionnaire cannot be used
├── Refused                 a rule of the service or of a hospital forbids it
├── NotFound                no such resource, version, hospital or entry
│   └── Gone                it was here and was deleted
├── Conflict                somebody else changed it first
├── MultipleMatches         a condition that should pick one resource picked several
└── HospitalError           a hospital's server did not do what was asked
    ├── Unreachable         no answer: down, cut off or too slow; what happened there is unknown
    ├── TooBusy             it asked to be called later
    ├── NotLetIn            it does not know who we are (any more): a token to renew, nothing wrong with the request
    ├── Forbidden           it does not let us
    └── Rejected            it will never accept this request
"""

from __future__ import annotations

from collections.abc import Sequence

from pathway.issues import Issue

# What Python raises on a record that nobody foresaw, as opposed to a disk or a database that fails.
UNFORESEEN = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class PathwayError(Exception):
    """Something went wrong in the pathway service."""

    code = "exception"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())

    @property
    def issues(self) -> Sequence[Issue]:
        """The error as FHIR OperationOutcome issues."""
        return [Issue("error", self.code, str(self))]


class InvalidResource(PathwayError):
    """The resource is not valid FHIR R4."""

    code = "invalid"

    def __init__(self, issues: Sequence[Issue] | str) -> None:
        self._issues = [Issue("error", self.code, issues)] if isinstance(issues, str) else list(issues)
        super().__init__("; ".join(issue.diagnostics for issue in self._issues))

    @property
    def issues(self) -> Sequence[Issue]:
        return self._issues


class InvalidDefinition(PathwayError):
    """The definition cannot be used."""

    code = "invalid"


class Refused(PathwayError):
    """A rule of this service forbids the request."""

    code = "business-rule"


class NotFound(PathwayError):
    """There is no such resource."""

    code = "not-found"


class Gone(NotFound):
    """The resource was deleted."""

    code = "deleted"


class Conflict(PathwayError):
    """The resource was changed by somebody else first: read it again and repeat the change."""

    code = "conflict"


class MultipleMatches(PathwayError):
    """Several resources match a condition that should pick one."""

    code = "multiple-matches"


class HospitalError(PathwayError):
    """The hospital's server did not do what was asked."""

    code = "transient"

    def __init__(self, message: str | None = None, *, status: int | None = None, outcome: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome


class Unreachable(HospitalError):
    """The hospital's server gave no answer; whether it acted on the request is unknown."""

    code = "timeout"


class TooBusy(HospitalError):
    """The hospital's server asked to be called later."""

    code = "throttled"

    def __init__(self, message: str | None = None, *, retry_after: float | None = None, status: int = 429) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class NotLetIn(HospitalError):
    """The hospital's server does not accept our credentials."""

    code = "login"


class Forbidden(HospitalError):
    """The hospital's server does not permit this request."""

    code = "forbidden"


class Rejected(HospitalError):
    """The hospital's server will never accept this request as it is."""

    code = "processing"

"""What can be wrong with a request itself; part of the tree in `pathway.errors`.

PathwayError
├── InvalidResource
│   └── Malformed             it cannot be read: bad JSON, a bad header or search parameter
│       ├── TooLarge
│       └── UnsupportedMediaType
├── Conflict
│   └── PreconditionFailed    If-Match or If-None-Match does not hold
├── NotAcceptable
├── InteractionNotSupported
├── Unauthorized
└── EntryFailed               a transaction was undone because of one entry
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pathway.errors import Conflict, InvalidResource, PathwayError
from pathway.issues import Issue


class Malformed(InvalidResource):
    """The request cannot be read."""


class TooLarge(Malformed):
    """The body is larger than this server accepts."""

    code = "too-long"


class UnsupportedMediaType(Malformed):
    """This server reads JSON: send Content-Type application/fhir+json."""

    code = "not-supported"


class PreconditionFailed(Conflict):
    """The condition sent with the request does not hold."""


class NotAcceptable(PathwayError):
    """This server writes JSON only: accept application/fhir+json."""

    code = "not-supported"


class InteractionNotSupported(PathwayError):
    """This server does not have the interaction."""

    code = "not-supported"

    def __init__(self, message: str | None = None, *, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed


class Unauthorized(PathwayError):
    """Send the bearer token of this base in the header Authorization."""

    code = "login"


class EntryFailed(PathwayError):
    """`cause` undid a transaction; `index` is the entry's place in the Bundle."""

    def __init__(self, index: int, cause: PathwayError) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.place = f"Bundle.entry[{index}]"

    @property
    def issues(self) -> Sequence[Issue]:
        return [replace(issue, expression=self._within(issue.expression)) for issue in self.cause.issues]

    def _within(self, expression: str) -> str:
        _, dot, path = expression.partition(".")
        return f"{self.place}.resource{dot}{path}" if expression else self.place

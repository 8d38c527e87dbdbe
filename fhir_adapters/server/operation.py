"""An operation as data: what it is called, what it takes and what answers it (https://hl7.org/fhir/R4/operations.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from fhir_adapters.r4 import tables
from pathway.ports import Resource, Transaction

Level = Literal["type", "instance"]
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Parameter:
    """What an operation takes, in the terms of `OperationDefinition.parameter`.

    `type` is a datatype, `Reference`, a resource type, `Resource` for any resource, or `Any`. A Reference may be sent
    as its string as well. One with `parts` has no type. `max` is a number, or `*`.
    """

    name: str
    type: str = ""
    min: int = 0
    max: str = "1"
    parts: tuple[Parameter, ...] = ()

    @property
    def is_resource(self) -> bool:
        return self.type == "Resource" or self.type in tables.codes()["resource-types"]["codes"]

    @property
    def key(self) -> str:
        """What holds it in a Parameters resource: `valueDateTime`, `resource` or `part`."""
        if self.parts:
            return "part"
        return "resource" if self.is_resource else f"value{self.type[:1].upper()}{self.type[1:]}"


@dataclass(frozen=True)
class Asked:
    """What an operation is asked: the `id` of the instance (None on the type), and the values of every parameter.

    `values` has each declared name, with what was sent in that order. A value is text, bool, int, Decimal or, for a
    datatype or a resource, a dict; that of a parameter with parts is again an Asked, without id.
    """

    values: Mapping[str, Sequence[Any]]
    id: str | None = None

    def all(self, name: str, kind: type[_Kind]) -> Sequence[_Kind]:
        """Every value of a declared parameter. Raises KeyError for another name, TypeError for another kind."""
        values = self.values[name]
        if not all(isinstance(value, kind) for value in values):
            raise TypeError(f"The parameter {name} is no {kind.__name__}")
        return values

    def one(self, name: str, kind: type[_Kind]) -> _Kind | None:
        """The value of a parameter, None when it was not sent. Raises KeyError, TypeError."""
        return next(iter(self.all(name, kind)), None)

    def required(self, name: str, kind: type[_Kind]) -> _Kind:
        """The value of a parameter with a `min` of 1. Raises KeyError, TypeError."""
        return self.all(name, kind)[0]

    def resource(self, name: str) -> Resource | None:
        """The resource sent as a parameter, None when none was. Raises KeyError."""
        return self.one(name, dict)

    @property
    def instance(self) -> str:
        """The id, for an operation on instances only. Raises LookupError on the type."""
        if self.id is None:
            raise LookupError("The operation was asked of the type, not of an instance")
        return self.id


Run = Callable[[Transaction, Asked], Resource]


@dataclass(frozen=True)
class Operation:
    """An operation on a resource type, its instances, or both: `$name`, and the canonical of its OperationDefinition.

    `run` gets a transaction that cannot write unless the operation `affects_state`, and returns the resource that is
    the answer. It raises what reading and writing raise.
    """

    name: str
    type: str
    definition: str
    run: Run
    levels: frozenset[Level] = frozenset({"type", "instance"})
    affects_state: bool = field(kw_only=True)
    parameters: tuple[Parameter, ...] = ()

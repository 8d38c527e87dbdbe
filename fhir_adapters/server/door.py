"""What the API of one hospital's base needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fhir_adapters.server.operation import Operation
from pathway.ports import Resource, Store, Transaction


@dataclass(frozen=True)
class Door:
    """One hospital's FHIR base.

    `base` is its public URL without a slash at the end. `react` is called inside the transaction of a write, after all
    its changes are stored, once for each resource that got a new version; not for deletions. `check` raises
    InvalidResource for what is valid FHIR and still cannot be accepted. `token` is the bearer token every request but
    the one for the CapabilityStatement must carry; None leaves the base open. `operations` are offered besides
    FHIR's own.
    """

    store: Store
    hospital: str
    base: str
    react: Callable[[Transaction, Resource], None]
    check: Callable[[Resource], None]
    software: str
    token: str | None = field(default=None, repr=False)
    operations: tuple[Operation, ...] = ()

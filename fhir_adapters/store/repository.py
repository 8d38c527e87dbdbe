"""A hospital's base as a plain FHIR server, for those who need no larger transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pathway.ports import Change, FhirServer, Page, Query, Resource, Written


@dataclass(frozen=True)
class EachCallATransaction:
    """Implements `FhirServer`: each call is a transaction of its own, one that `reading` or `writing` begins."""

    reading: Callable[[], AbstractContextManager[FhirServer]]
    writing: Callable[[], AbstractContextManager[FhirServer]]

    def read(self, type: str, id: str) -> Resource:
        with self.reading() as tx:
            return tx.read(type, id)

    def vread(self, type: str, id: str, version: str) -> Resource:
        with self.reading() as tx:
            return tx.vread(type, id, version)

    def search(self, type: str, query: Query = (), *, page: str | None = None) -> Page:
        with self.reading() as tx:
            return tx.search(type, query, page=page)

    def history(self, type: str, id: str) -> Sequence[Resource]:
        with self.reading() as tx:
            return tx.history(type, id)

    def transact(self, changes: Sequence[Change]) -> Sequence[Written]:
        with self.writing() as tx:
            return tx.transact(changes)

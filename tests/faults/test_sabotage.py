"""The worlds find what is broken: each protection is taken away, and some world ends wrong and says how."""

from __future__ import annotations

import pytest

from fhir_adapters.hospital import merge
from fhir_adapters.hospital.outbound import Letter, Outbound
from fhir_adapters.store.outbox import OutboxClaim
from fhir_adapters.store.sql_due import SqlDueStore
from pathway.ports import Create, Written
from tests.faults.world import run

WORLDS = range(1, 40)
STEPS = 60


def found(words: str, first: int) -> bool:
    """Whether one of the worlds ends with this said; `first`: where it is known to, so that few have to run."""
    return any(words in violation for seed in (first, *WORLDS) for violation in run(seed, STEPS).violations)


def test_a_claim_that_is_never_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    close = SqlDueStore.finish
    monkeypatch.setattr(SqlDueStore, "finish", lambda *args, **more: close(*args, **more) or True)
    assert found("effects of", 37)


def test_an_outbox_that_forgets_that_it_may_have_been_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def created(self: Outbound, claim: OutboxClaim, letter: Letter) -> Written:
        return self.client.transact([Create({**letter.body, "id": claim.id})])[0]

    monkeypatch.setattr(Outbound, "_create", created)
    assert found("with the key", 9)


def test_a_late_move_of_what_somebody_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "_as_sent", lambda ours, _: dict(ours))
    assert found("accepted became accepted, and its restriction", 1)

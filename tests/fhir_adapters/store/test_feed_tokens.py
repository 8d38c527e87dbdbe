"""Who may read a hospital's visits, by the hash of a token; and when a duty last went well."""

from __future__ import annotations

import pytest

from fhir_adapters.store.feed_tokens import CLINIC, FeedToken
from fhir_adapters.store.sql import SqlStore
from pathway.errors import Conflict, NotFound
from tests.fhir_adapters.store.ticking import START, Clock


def made(store: SqlStore, hash: str, hospital: str = "demo", scope: str = CLINIC) -> FeedToken:
    with store.transaction(hospital) as tx:
        return tx.feed_tokens.add("Front desk", scope, hash, "admin")


def test_a_token_opens_its_feed_until_it_is_revoked(sql: SqlStore, clock: Clock) -> None:
    feed = made(sql, "h1", scope="Practitioner/kim")
    assert sql.feed_of("h1") == feed
    assert (feed.hospital, feed.label, feed.scope, feed.created_at) == ("demo", "Front desk", "Practitioner/kim", START)
    later = clock.forward(days=1)
    with sql.transaction("demo") as tx:
        assert tx.feed_tokens.revoke(feed.id, "kim")
        assert not tx.feed_tokens.revoke(feed.id, "lee")
    [revoked] = _all(sql)
    assert (revoked.revoked_at, revoked.revoked_by) == (later, "kim")
    said = set()
    for hash in ("h1", "h2"):
        with pytest.raises(NotFound) as error:
            sql.feed_of(hash)
        said.add(str(error.value))
    assert len(said) == 1


def test_use_is_noted_to_the_hour(sql: SqlStore, clock: Clock) -> None:
    feed = made(sql, "h1")
    noted = []
    for minutes in (0, 59, 1, 30):
        clock.forward(minutes=minutes)
        with sql.transaction("demo") as tx:
            tx.feed_tokens.used(feed.id)
        noted.append((_all(sql)[0].last_used_at or START) - START)
    assert [gap.total_seconds() / 60 for gap in noted] == [0, 0, 60, 60]


def test_hospitals_see_only_their_own(sql: SqlStore) -> None:
    sql.register("south", "demo", "https://south.example/fhir")
    feed = made(sql, "h1")
    with sql.transaction("south") as tx:
        assert tx.feed_tokens.all() == []
        with pytest.raises(NotFound):
            tx.feed_tokens.revoke(feed.id, "kim")
    assert sql.feed_of("h1").hospital == "demo"


def test_one_token_is_never_two_feeds(sql: SqlStore) -> None:
    made(sql, "h1")
    with pytest.raises(Conflict):
        made(sql, "h1")


def test_a_duty_that_fails_is_alive_and_not_well(sql: SqlStore, clock: Clock) -> None:
    sql.heartbeat("demo.pull", "failed: nobody there", well=False)
    assert [(beat.at, beat.well_at) for beat in sql.heartbeats()] == [(START, None)]
    well = clock.forward(minutes=1)
    sql.heartbeat("demo.pull", "done: 3")
    failed = clock.forward(minutes=1)
    sql.heartbeat("demo.pull", "failed: nobody there", well=False)
    assert [(beat.at, beat.well_at) for beat in sql.heartbeats()] == [(failed, well)]


def _all(store: SqlStore) -> list[FeedToken]:
    with store.transaction("demo", read_only=True) as tx:
        return list(tx.feed_tokens.all())

"""The database is lost and only a backup from the middle of the story is left: what came since comes back, once."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from pathway.ports import Resource
from service.demo.acts import Act
from service.demo.story import STORIES, play
from tests.service.test_killed import EXPECTED
from tests.service.test_stories import (
    Theatre,
    assert_every_task_has_an_owner,
    assert_exactly_one_of_everything,
    of_ours,
    theatre,
    told,
)

TYPES = ("CarePlan", "Task", "Appointment", "ServiceRequest", "CommunicationRequest", "Goal")


def there(played: Theatre) -> dict[str, Any]:
    """What the hospital has of ours: what each is, by reference."""
    found = [resource for type in TYPES for resource in of_ours(played.stage, type)]
    return {f"{resource['resourceType']}/{resource['id']}": standing(resource) for resource in found}


def standing(resource: Resource) -> tuple[Any, ...]:
    return resource.get("status"), resource.get("lifecycleStatus"), resource.get("start")


def test_a_backup_from_the_middle_of_the_story(tmp_path: Path) -> None:
    database, backup = tmp_path / "service.db", tmp_path / "backup.db"

    with theatre(tmp_path, STORIES["default"], None) as played:

        def before(act: Act) -> None:
            if act.__name__ == "operated":
                with sqlite3.connect(database) as source:
                    source.execute("VACUUM INTO ?", (str(backup),))

        told_of = play(STORIES["default"], played.stage, lambda _: None, before)
        assert told_of.ok, told(told_of)
        assert backup.exists()
        known, hospital = there(played), f"/hospitals/{name(played)}"
        clinical = played.stage.admin.get(hospital).json()["clinical_time"]

        played.service.stop()
        for file in (database, Path(f"{database}-wal"), Path(f"{database}-shm")):
            file.unlink(missing_ok=True)
        backup.rename(database)
        played.service.start()
        moved = played.stage.admin.post(f"{hospital}/clock", json={"until": clinical})
        assert moved.is_success, moved.text

        played.stage.wait(lambda: settled(played), "everything to be as it was")
        assert_exactly_one_of_everything(played.stage)
        assert_every_task_has_an_owner(played.stage)
        assert {type: len(of_ours(played.stage, type)) for type in EXPECTED} == EXPECTED
        restored = there(played)
        assert {reference: restored[reference] for reference in known} == known
        # What came due before the hospital was read again was asked about, and answered by what was read.
        more = {reference: restored[reference] for reference in set(restored) - set(known)}
        assert {(reference.split("/")[0], status) for reference, (status, *_) in more.items()} <= {
            ("Task", "completed")
        }


def name(played: Theatre) -> str:
    return str(played.stage.admin.get("/hospitals").json()["hospitals"][0]["name"])


def settled(played: Theatre) -> bool | None:
    """Nothing is missing, and nothing is on its way."""
    hospital = f"/hospitals/{name(played)}"
    swept = played.stage.admin.post(f"{hospital}/sweep").json()
    waiting = [e for e in played.stage.admin.get(f"{hospital}/outbox").json()["outbox"] if e["state"] != "done"]
    return True if swept["surgeries"] == swept["planned"] == 1 and not waiting else None

"""Two sides changed one resource: each element is taken from whoever owns it."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapters.hospital.merge import merge
from pathway.ports import Resource

MISSING = None


def task(**elements: Any) -> Resource:
    return {"resourceType": "Task", "id": "ours", **{n: v for n, v in elements.items() if v is not MISSING}}


def merged(element: str, ours_before: Any, ours: Any, theirs_before: Any, theirs: Any) -> tuple[Any, tuple[str, ...]]:
    sides = [task(**{element: value}) for value in (ours_before, ours, theirs_before, theirs)]
    result = merge(*sides)
    return result.resource.get(element, MISSING), result.disputed


@pytest.mark.parametrize(
    ("element", "ours_before", "ours", "theirs_before", "theirs", "expected", "disputed"),
    [
        ("status", "requested", "requested", "requested", "accepted", "accepted", False),
        ("status", "requested", "cancelled", "requested", "requested", "cancelled", False),
        ("status", "requested", "cancelled", "requested", "accepted", "accepted", True),
        ("status", "requested", "completed", "requested", "completed", "completed", False),
        ("status", "requested", "requested", "requested", "requested", "requested", False),
        ("restriction", {"repetitions": 1}, {"repetitions": 2}, {"repetitions": 1}, {"repetitions": 3}, 3, True),
        ("note", MISSING, MISSING, MISSING, [{"text": "called"}], [{"text": "called"}], False),
        ("description", "a", "a", "a", MISSING, MISSING, False),
        ("description", "a", "b", "a", MISSING, MISSING, True),
        ("description", "a", MISSING, "a", "a", MISSING, False),
        ("description", "a", MISSING, "a", "b", "b", True),
        ("description", "a", "b", "A", "A", "b", False),
        ("description", "a", "a", "A", "B", "B", False),
        ("identifier", [{"value": "k"}], [{"value": "k"}], [{"value": "k"}], [{"value": "x"}], [{"value": "k"}], False),
        ("identifier", [{"value": "k"}], [{"value": "k"}], [{"value": "k"}], MISSING, [{"value": "k"}], False),
        ("basedOn", [{"display": "a"}], [{"display": "b"}], [{"display": "a"}], MISSING, [{"display": "b"}], False),
        ("prediction", [{"n": 1}], [{"n": 1}], [{"n": 1}], [{"n": 2}], [{"n": 1}], False),
        ("goal", [{"n": 1}], [{"n": 1}], [{"n": 1}], [{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 2}], False),
        ("goal", [{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 2}], [{"n": 1}], [{"n": 1}], [{"n": 1}, {"n": 2}], False),
        ("activity", MISSING, [{"n": 1}], MISSING, [{"n": 2}], [{"n": 1}], False),
        ("for", {"reference": "Patient/1"}, {"reference": "Patient/1"}, {}, {"reference": "Patient/2"}, "1", False),
        ("text", MISSING, MISSING, MISSING, {"div": "made by the server"}, MISSING, False),
        ("meta", {"versionId": "1"}, {"versionId": "2"}, {"versionId": "7"}, {"versionId": "8"}, "2", False),
    ],
)
def test_an_element_is_taken_from_its_owner(
    element: str, ours_before: Any, ours: Any, theirs_before: Any, theirs: Any, expected: Any, disputed: bool
) -> None:
    short = {"restriction": {"repetitions": expected}, "for": {"reference": f"Patient/{expected}"}}
    wanted = short.get(element, {"versionId": expected} if element == "meta" else expected)
    result = merged(element, ours_before, ours, theirs_before, theirs)
    assert result == (wanted, (element,) if disputed else ())


def test_elements_are_merged_one_by_one() -> None:
    before = task(status="requested", priority="routine", description="a")
    ours = task(status="requested", priority="urgent", description="b")
    theirs = task(status="accepted", priority="routine", description="c") | {"id": "900"}
    result = merge(before, ours, before | {"id": "900"}, theirs)
    assert result.resource == task(status="accepted", priority="urgent", description="c")
    assert result.disputed == ("description",)


def test_neither_side_is_changed_by_merging() -> None:
    before, ours, theirs = task(status="requested"), task(status="requested", note=[]), task(status="accepted")
    merge(before, ours, before, theirs)
    assert (ours, theirs) == (task(status="requested", note=[]), task(status="accepted"))


@pytest.mark.parametrize("taken_on", ["accepted", "in-progress", "completed"])
def test_what_somebody_took_on_is_not_moved_or_ended_by_what_had_not_reached_them(taken_on: str) -> None:
    old, new = {"period": {"end": "2026-03-06"}}, {"period": {"end": "2026-03-09"}}
    before = task(status="requested", restriction=old, owner={"reference": "Practitioner/1"}, description="a")
    before["meta"] = {"versionId": "1", "tag": [{"code": "proposed before"}]}
    moved = {"restriction": new, "owner": {"reference": "Practitioner/2"}, "priority": "urgent"}
    ours = {**before, **moved, "meta": {"versionId": "2", "tag": [{"code": "proposed now"}]}}
    theirs = {**before, "status": taken_on}
    result = merge(before, ours, before, theirs)
    expected = {**theirs, "priority": "urgent", "meta": {"versionId": "2", "tag": [{"code": "proposed before"}]}}
    assert (result.resource, result.disputed) == (expected, ())
    withdrawn = {**ours, "status": "cancelled", "statusReason": {"text": "no longer asked for"}}
    result = merge(before, withdrawn, before, theirs)
    assert (result.resource, result.disputed) == (expected, ("status",))


def test_what_nobody_took_on_moves() -> None:
    before = task(status="requested", restriction={"period": {"end": "2026-03-06"}})
    ours = {**before, "restriction": {"period": {"end": "2026-03-09"}}}
    assert merge(before, ours, before, {**before, "note": []}).resource == {**ours, "note": []}

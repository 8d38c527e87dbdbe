"""Every sign of the diary and of the later forms reaches a person; what is no sign reaches nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathway.ports import Resource
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import code, group, no, number, outcome, visit


@pytest.fixture(autouse=True)
def every_answer_fits_its_form(clinic: Clinic) -> Iterator[None]:
    yield
    assert clinic.quarantine() == []


SIGNS = [
    ("flag-increased-pain", [yes("flag-increased-pain")], [no("flag-increased-pain")], "urgent"),
    ("flag-redness", [yes("flag-redness")], [no("flag-redness")], "urgent"),
    ("flag-swelling", [yes("flag-swelling")], [no("flag-swelling")], "urgent"),
    ("flag-fever", [number("temperature", 38.0)], [number("temperature", 37.9)], "urgent"),
    ("flag-fever", [yes("flag-fever")], [no("flag-fever")], "urgent"),
    ("flag-warmth", [yes("flag-warmth")], [no("flag-warmth")], "urgent"),
    *(
        ("flag-discharge", [code("flag-discharge", "wound-discharge", what)], [], "urgent")
        for what in ("clear", "bloody", "pus")
    ),
    ("flag-discharge", [yes("flag-redness"), code("flag-discharge", "wound-discharge", "pus")],
     [code("flag-discharge", "wound-discharge", "none")], "urgent"),
    ("flag-bleeding", [code("flag-bleeding", "wound-bleeding", "spotting")],
     [code("flag-bleeding", "wound-bleeding", "none")], "urgent"),
    ("flag-bleeding", [code("flag-bleeding", "wound-bleeding", "soaking")], [], "stat"),
    *(
        ("flag-nerve-symptoms", [code("flag-nerve-symptoms", "nerve-symptom", what)],
         [code("flag-nerve-symptoms", "nerve-symptom", "none")], "urgent")
        for what in ("numbness", "tingling", "weakness")
    ),
    ("flag-wound-not-healing", [yes("flag-wound-not-healing")], [no("flag-wound-not-healing")], "urgent"),
    ("flag-leg-clot-signs", [yes("flag-leg-clot-signs")], [no("flag-leg-clot-signs")], "stat"),
    ("flag-breathing-difficulty", [yes("flag-breathing-difficulty")], [no("flag-breathing-difficulty")], "stat"),
    ("flag-allergic-reaction", [yes("flag-allergic-reaction")], [no("flag-allergic-reaction")], "stat"),
]  # fmt: skip


@pytest.mark.parametrize(("flag", "sign", "nothing", "priority"), SIGNS)
def test_a_sign_in_the_diary(
    clinic: Clinic, flag: str, sign: list[Resource], nothing: list[Resource], priority: str
) -> None:
    clinic.operated()
    clinic.diary(*nothing, id="diary-0", authored="2026-03-18T08:00:00+01:00")
    assert clinic.ours("Flag") == []
    clinic.diary(*sign)
    task, raised = clinic.one("Task", flag), clinic.one("Flag", flag)
    assert (task["priority"], task["status"]) == (priority, "requested")
    assert task["owner"]["reference"] == "PractitionerRole/surgeon"
    assert task["focus"] == {"reference": f"Flag/{raised['id']}"}
    assert (raised["status"], raised["code"]["coding"][0]["code"]) == ("active", flag)
    assert [a.priority for a in clinic.alerts() if a.code == flag] == [priority]


@pytest.mark.parametrize(
    ("scores", "flagged"),
    [([3, 4], False), ([3, 5], True), ([5, 3, 4], False), ([5, 3, 5], True), ([3, 4, 5], True), ([6], False)],
)
def test_pain_that_rises_by_two_points_above_the_lowest_earlier_entry(
    clinic: Clinic, scores: list[int], flagged: bool
) -> None:
    clinic.operated()
    for number_, score in enumerate(scores):
        at = f"2026-03-{17 + number_}T08:00:00+01:00"
        clinic.diary(number("pain-score", score), id=f"diary-{number_}", authored=at)
    assert bool(clinic.ours("Flag", "flag-increased-pain")) is flagged


def test_a_later_entry_is_not_compared_with_the_ones_after_it(clinic: Clinic) -> None:
    clinic.operated()
    clinic.diary(number("pain-score", 1), id="diary-2", authored="2026-03-20T08:00:00+01:00")
    clinic.diary(number("pain-score", 6), id="diary-1", authored="2026-03-18T08:00:00+01:00")
    assert clinic.ours("Flag") == []


@pytest.mark.parametrize("when", ["outcome", "visit"])
def test_a_returning_lump_is_looked_at_without_an_alarm(clinic: Clinic, when: str) -> None:
    clinic.operated()
    if when == "outcome":
        outcome(clinic, yes("flag-new-deposit"))
    else:
        visit(clinic, group("fu-check-complications", yes("risk-recurrence")))
    assert clinic.one("Task", "flag-new-deposit")["priority"] == "routine"
    assert clinic.one("Flag", "flag-new-deposit")["status"] == "active"
    assert clinic.alerts() == []
    assert clinic.one("Task", "add-additional-surgery")["status"] == "requested"


def test_a_wound_that_does_not_heal_seen_at_the_visit(clinic: Clinic) -> None:
    clinic.operated()
    visit(clinic, group("fu-assess-incision", yes("flag-wound-not-healing")))
    assert clinic.one("Task", "flag-wound-not-healing")["priority"] == "urgent"


def test_a_flag_is_never_closed_by_time(clinic: Clinic) -> None:
    clinic.operated()
    clinic.diary(yes("flag-redness"))
    clinic.at("2027-03-01T09:00")
    clinic.release()
    assert clinic.one("Flag", "flag-redness")["status"] == "active"
    assert clinic.one("Task", "flag-redness")["status"] == "requested"

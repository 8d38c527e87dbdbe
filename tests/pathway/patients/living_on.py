"""Afterwards: recurrence, more surgery, scars, therapy, and when a plan may end."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import (
    decision,
    every_task_done,
    hospital,
    operation_record,
    outcome,
    visit_booked,
    visit_record,
)
from tests.pathway.patients.usual import assessed, operated

BOOKED = ("2026-03-17", visit_booked("2026-03-26"))
VISITED = {
    "fu-first-visit": "completed",
    "fu-recurrence-watch": "requested",
    "fu-attend-all-3d": "active",
    "fu-attend-all-1d": "active",
}

LIVING_ON = (
    Patient(
        "Lea Fiedler",
        "A new lump six weeks later: looked at without an alarm, and whether to operate again is reviewed.",
        steps=(*operated(), BOOKED, ("2026-04-28", outcome({"flag-new-deposit": True}))),
        asked={
            "flag-new-deposit": "requested, surgeon",
            "add-additional-surgery": "requested, surgeon",
            "calcinosis-outcome": "completed, coordinator, 2026-04-27 to 2026-05-11",
            "fu-visit-unrecorded": "requested, urgent, coordinator",
            "fu-not-reached-in-time": "requested, urgent, surgeon",
            "fu-not-reached-primary-care": "requested, urgent, primary-care",
            "fu-missed-visit": "requested",
            "fu-attend-all-3d": "active",
            "fu-attend-all-1d": "active",
        },
        flags=["flag-new-deposit active"],
        alerts=["fu-not-reached-in-time urgent", "fu-not-reached-primary-care urgent"],
        shows=("rule-red-flag", "rule-more-surgery"),
    ),
    Patient(
        "Mona Geiger",
        "Some of it had to be left in, and her complaints go on: another operation is reviewed.",
        steps=(
            *operated(),
            ("2026-03-16 19:00", operation_record({"mit-complete-removal": "partial"})),
            BOOKED,
            ("2026-03-26", visit_record({"goal-wound-healed": True})),
            ("2026-04-28", outcome({"symptoms-persist": True, "flag-new-deposit": False})),
        ),
        asked={**VISITED, "add-additional-surgery": "requested, surgeon"},
        not_asked={"flag-new-deposit": "unknown: a new or returning lump reported"},
        weighs_more=("risk-recurrence",),
        shows=("rule-more-surgery", "rule-recurrence-text"),
    ),
    Patient(
        "Nadine Hartung",
        "All of it was removed and nothing has returned: her complaints are not a reason for more surgery.",
        steps=(
            *operated(),
            ("2026-03-16 19:00", operation_record({"mit-complete-removal": "complete"})),
            BOOKED,
            ("2026-03-26", visit_record({"risk-recurrence": False, "add-physical-therapy": False})),
            ("2026-04-28", outcome({"symptoms-persist": True, "flag-new-deposit": False, "add-scar-care": False})),
        ),
        asked=VISITED,
        not_asked={
            "add-additional-surgery": "not so: deposits have returned",
            "add-physical-therapy": "not so: it is advised at a visit",
            "add-scar-care": "unknown: the patient wishes it",
        },
        weighs_more=(),
        spared=("rule-more-surgery", "rule-red-flag", "rule-recurrence-text"),
    ),
    Patient(
        "Olivia Jahn",
        "At her visit therapy is advised and she wants her scar treated.",
        steps=(
            *operated(),
            BOOKED,
            ("2026-03-26", visit_record({"add-physical-therapy": True, "add-scar-care": True})),
        ),
        asked={**VISITED, "add-physical-therapy": "draft", "add-scar-care": "requested, surgeon"},
        not_asked={"rule-plan-complete": "unknown: the last scheduled step is done"},
        shows=("rule-orders-are-drafts", "rule-visit-happened"),
        spared=("rule-plan-complete",),
    ),
    Patient(
        "Ronja Lutz",
        "She chose to watch it; when the follow-up took place and nothing is open, closing is proposed.",
        steps=(
            *assessed({"dec-size": "small"}),
            ("2026-03-03", decision("watchful", answers={"dec-delay-risk-talk": True})),
            ("2026-09-03", hospital("watchful-follow-up", status="completed")),
        ),
        row=5,
        asked={"watchful-follow-up": "completed", "rule-plan-complete": "requested, surgeon"},
        shows=("rule-small-silent", "rule-plan-complete"),
    ),
    Patient(
        "Silke Merz",
        "Everything is done but one order that nobody signed: her plan stays open.",
        steps=(
            *operated("prep-labs"),
            BOOKED,
            ("2026-03-26", visit_record({"goal-wound-healed": True})),
            ("2026-03-27", hospital("fu-first-visit-appointment", status="fulfilled")),
            ("2026-04-28", outcome({"pain-score": 0})),
            ("2026-04-29", hospital("proc-excision", status="completed")),
            ("2026-04-29 11:00", every_task_done()),
        ),
        asked={
            "fu-first-visit": "completed",
            "fu-recurrence-watch": "completed",
            "fu-attend-all-3d": "revoked",
            "fu-attend-all-1d": "revoked",
            "prep-labs": "draft",
        },
        not_asked={"rule-plan-complete": "not so: no Task, Flag, Appointment or unsigned order is open"},
        spared=("rule-plan-complete",),
    ),
)

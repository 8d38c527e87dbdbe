"""The day of surgery: what makes it a surgery, what its record asks for, and silence about it."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import (
    every_task_done,
    hospital,
    nothing,
    operation_record,
    outcome,
    surgery,
    surgery_booked,
    visit_booked,
    visit_record,
)
from tests.pathway.patients.usual import booked, decided, operated

OPERATING = (
    Patient(
        "Emma Albrecht",
        "The usual course from referral to the end: every reminder came, and closing her plan is proposed.",
        steps=(
            *operated(),
            ("2026-03-16 19:00", operation_record({"rec-discharge": "2026-03-17", "mit-complete-removal": "complete"})),
            ("2026-03-18", visit_booked("2026-03-26")),
            ("2026-03-26", hospital("fu-first-visit-appointment", status="fulfilled")),
            ("2026-03-26 12:00", visit_record({"goal-wound-healed": True, "fu-recurrence-watch": "2026-09-15"})),
            ("2026-04-28", outcome({"pain-score": 1, "out-mobility": "better"})),
            ("2026-04-29", hospital("proc-excision", status="completed")),
            ("2026-04-29 11:00", every_task_done()),
        ),
        asked={
            "calcinosis-operation-record": "completed",
            "rec-discharge": "completed, surgeon, 2026-03-16 to 2026-03-17",
            "fu-first-visit-appointment": "fulfilled, on 2026-03-26",
            "fu-first-visit": "completed, surgeon, 2026-03-23 to 2026-03-30",
            "fu-attend-all-3d": "revoked, on 2026-03-23",
            "fu-attend-all-1d": "revoked, on 2026-03-25",
            "calcinosis-outcome": "completed",
            "fu-recurrence-watch": "completed",
            "rule-plan-complete": "requested, surgeon",
        },
        not_asked={
            "rule-surgery-unknown": "not needed when its time came",
            "rule-visit-unbooked": "not needed when its time came",
            "fu-missed-visit": "not needed when its time came",
            "fu-missed-visit-noshow": "part of 'Visits that were missed', which is not in the plan",
            "add-additional-surgery": "unknown: deposits have returned",
        },
        shows=("rule-first-visit", "rule-visit-happened", "rule-plan-complete"),
        spared=("rule-surgery-unknown", "rule-visit-unbooked", "rule-visit-overdue"),
    ),
    Patient(
        "Flora Bauer",
        "Her record of the operation names everything she needs afterwards.",
        steps=(
            *operated("anesthesia-planned", "proc-tissue-analysis"),
            (
                "2026-03-16 19:00",
                operation_record(
                    {
                        "proc-tissue-layer": ["subcutaneous", "muscle"],
                        "tissue-sent": True,
                        "sutures-to-remove": True,
                        "sutures-day": "2026-03-26",
                        "rec-dressing-changes": True,
                        "dressing-interval": "every second day",
                        "mit-compression-stockings": True,
                        "rec-discharge": "2026-03-17",
                    }
                ),
            ),
        ),
        asked={
            "mit-anesthesia-history": "requested",
            "rule-escort-gate": "completed",
            "rec-recovery-room": "completed, anesthesia",
            "proc-tissue-analysis": "draft",
            "fu-pathology-review": "requested, surgeon, 2026-03-16 to 2026-03-30",
            "fu-remove-stitches": "requested, surgeon, 2026-03-23 to 2026-03-30",
            "rec-dressing-changes": "requested, patient, 2026-03-16 to 2026-03-30",
            "mit-compression-stockings": "requested, surgeon, 2026-03-16 to 2026-03-17",
            "rec-physical-therapy": "draft, 2026-03-17 to 2026-04-27",
        },
        shows=("rule-stitches", "rule-therapy", "rule-tissue", "rule-orders-are-drafts"),
        spared=("rule-plan-complete",),
    ),
    Patient(
        "Gisela Dietz",
        "Absorbable stitches, no dressing, no tissue to examine, no muscle touched.",
        steps=(
            *operated(),
            (
                "2026-03-16 19:00",
                operation_record(
                    {
                        "proc-tissue-layer": ["skin"],
                        "near-joint": False,
                        "tissue-sent": False,
                        "sutures-to-remove": False,
                        "rec-dressing-changes": False,
                        "mit-compression-stockings": False,
                        "rec-physical-therapy": False,
                    }
                ),
            ),
        ),
        not_asked={
            "fu-pathology-review": "not so: tissue was sent for analysis",
            "fu-remove-stitches": "unknown: there are stitches to take out",
            "rec-dressing-changes": "not so: there is a dressing to change",
            "mit-compression-stockings": "not so: they are advised",
            "rec-physical-therapy": "unknown: it is advised",
        },
        spared=("rule-stitches", "rule-therapy", "rule-tissue"),
    ),
    Patient(
        "Hilde Ernst",
        "The day of surgery passed and nobody recorded anything: her follow-up goes out, marked provisional.",
        steps=(*booked(), ("2026-03-17 09:00", nothing)),
        asked={
            "rule-surgery-unknown": "requested, urgent, coordinator, on 2026-03-17",
            "fu-first-visit": "draft, provisional, surgeon, 2026-03-23 to 2026-03-30",
        },
        not_asked={
            "fu-first-visit-appointment": "not so: the surgery is done",
            "rec-discharge": "not so: the surgery is done",
            "calcinosis-operation-record": "not so: the surgery is done",
            "calcinosis-outcome": "not so: the surgery is done",
        },
        shows=("rule-surgery-unknown", "rule-first-visit-provisional"),
        spared=("rule-first-visit", "rule-visit-happened"),
    ),
    Patient(
        "Ilse Franke",
        "Her surgery was recorded four days late, for the day after the planned one.",
        steps=(
            *booked(),
            ("2026-03-20", surgery(performedDateTime="2026-03-17")),
        ),
        asked={
            "rule-surgery-unknown": "cancelled, coordinator, on 2026-03-17",
            "fu-first-visit": "requested, 2026-03-24 to 2026-03-31",
            "fu-first-visit-appointment": "proposed, on 2026-03-27",
            "rule-visit-unbooked": "requested, urgent, coordinator",
        },
        shows=("rule-surgery-unknown", "rule-first-visit", "rule-visit-unbooked", "rule-reschedule"),
    ),
    Patient(
        "Josefa Graf",
        "She came as an emergency and was operated on before anything was booked.",
        steps=(*decided(), ("2026-03-09 20:00", surgery(of=None, performedDateTime="2026-03-09"))),
        asked={
            "fu-first-visit": "requested, 2026-03-16 to 2026-03-23",
            "fu-first-visit-appointment": "proposed, on 2026-03-19",
        },
        shows=("rule-first-visit",),
        spared=("rule-first-visit-provisional",),
    ),
    Patient(
        "Lina Haas",
        "Her surgery was cancelled and not booked again: nothing falls due, and what was planned waits.",
        steps=(
            *booked(),
            ("2026-03-10", surgery_booked("2026-03-16", status="cancelled")),
            ("2026-04-10", nothing),
        ),
        asked={"fu-first-visit": "draft, provisional", "proc-excision": "draft"},
        not_asked={"fu-missed-visit": "waits for the date", "rule-surgery-unknown": "waits for the date"},
        spared=("rule-surgery-unknown", "rule-visit-overdue"),
    ),
)

"""More than one operation, or more than one pathway: each keeps its own follow-up, and nothing is guessed."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import (
    checklist,
    decision,
    hospital,
    medicine,
    referral,
    surgery,
    surgery_booked,
    visit_booked,
    visit_record,
)
from tests.pathway.patients.usual import booked, operated

AGAIN = decision("surgery", answers={"add-additional-surgery": True})
STAGED = (*operated(), ("2026-03-20", AGAIN), ("2026-03-21", surgery_booked("2026-04-13", of="decision-2", id="a2")))

SEVERAL_OPERATIONS = (
    Patient(
        "Carola Ebert",
        "Both operations took place, and the visit after the first does not count for the second.",
        steps=(
            *STAGED,
            ("2026-03-26", visit_record({"goal-wound-healed": True})),
            ("2026-04-13 18:00", surgery(of=None, id="pr2")),
        ),
        asked={
            "rule-visit-unbooked": "completed",
            "proc-excision": ("draft", "draft"),
            "prep-transport": ("requested, by 2026-03-13", "requested, by 2026-04-10"),
            "fu-first-visit": (
                "completed, 2026-03-23 to 2026-03-30",
                "requested, 2026-04-20 to 2026-04-27",
            ),
            "fu-first-visit-appointment": ("cancelled, on 2026-03-26", "proposed, on 2026-04-23"),
            "fu-recurrence-watch": "requested, 2026-03-30 to 2026-05-11",
        },
        shows=("rule-visit-happened", "rule-first-visit"),
    ),
    Patient(
        "Clarissa Jost",
        "She missed the visit after the first operation: that is no missed visit of the second one.",
        steps=(
            *STAGED,
            ("2026-03-22", visit_booked("2026-03-26")),
            ("2026-03-26 12:00", hospital("fu-first-visit-appointment", status="noshow")),
        ),
        asked={
            "rule-visit-unbooked": "completed",
            "proc-excision": ("draft", "draft"),
            "prep-transport": ("requested", "requested"),
            "fu-first-visit": ("requested", "draft, provisional"),
            "fu-first-visit-appointment": ("noshow", "proposed, on 2026-03-27"),
            "fu-missed-visit-noshow": "requested, urgent, coordinator",
            "fu-attend-all-3d": "revoked",
            "fu-attend-all-1d": "revoked",
        },
        shows=("rule-first-visit",),
    ),
    Patient(
        "Daniela Forst",
        "What she took before the first operation is not taken for the second: her medicines are asked for again.",
        steps=(
            *booked(),
            ("2026-03-05", checklist({}, medicine("anticoagulant", "pause"))),
            ("2026-03-16 18:00", surgery()),
            ("2026-04-01", AGAIN),
        ),
        asked={
            "prep-medication-disclosure": ("completed", "requested"),
            "rule-restart-date": "requested",
            "prep-medication-stop-plan": "requested",
            "prep-medication-resume-plan": "requested",
            "rule-visit-unbooked": "requested",
            "fu-missed-visit": "requested",
            "fu-not-reached-in-time": "requested, urgent, surgeon",
        },
        alerts=["fu-not-reached-in-time urgent"],
        late=1,
        shows=("rule-medication", "rule-visit-overdue"),
    ),
    Patient(
        "Edda Gross",
        "A second decision for surgery without a word of a further operation: it is the same operation.",
        steps=(*booked(), ("2026-03-10", decision("surgery", "anesthesia-planned"))),
        asked={"proc-excision": ("draft",), "fu-first-visit": ("draft, provisional",)},
        shows=("rule-first-visit-provisional",),
    ),
    Patient(
        "Felicitas Heim",
        "Two referrals, one surgery that says for neither which it was: a person says so, and no visit is invented.",
        steps=(
            *booked(),
            ("2026-03-10", referral("r2", known=False)),
            ("2026-03-16 18:00", surgery(of=None)),
        ),
        asked={
            "calcinosis-surgery-indications": ("completed", "requested"),
            "fu-first-visit": ("draft, provisional",),
        },
        reviews={"surgery-ambiguous": "A surgery is recorded, but not for which of the patient's pathways it was"},
        spared=("rule-first-visit",),
    ),
)

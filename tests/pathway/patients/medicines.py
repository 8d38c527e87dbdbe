"""What the patient takes: who decides on it, and when it starts again."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import checklist, medicine, operation_record, surgery
from tests.pathway.patients.usual import booked

SCLEROSIS = {"ind-severe-pain": True, "cause-idiopathic": None, "cause-autoimmune": "systemic-sclerosis"}

MEDICINES = (
    Patient(
        "Adele Frank",
        "Her blood thinner is to be paused, but nobody has written down until when, or from when on again.",
        steps=(
            *booked(),
            ("2026-03-05", checklist({}, medicine("anticoagulant", "pause"))),
            ("2026-03-16 18:00", surgery()),
        ),
        asked={
            "prep-medication-review": "requested, surgeon, by 2026-03-06",
            "prep-medication-stop-plan": "requested, surgeon, by 2026-03-13",
            "rule-restart-date": "requested, urgent, surgeon, by 2026-03-15",
            "prep-medication-resume-plan": "requested, surgeon, 2026-03-16 to 2026-03-17",
        },
        weighs_more=("risk-bleeding",),
        shows=("rule-medication",),
        spared=("rule-immune-medicine",),
    ),
    Patient(
        "Betty Simon",
        "Her blood thinner is paused; the days that were missing at first are written down on the next day.",
        steps=(
            *booked(),
            ("2026-03-05", checklist({}, medicine("anticoagulant", "pause"))),
            ("2026-03-06", checklist({}, medicine("anticoagulant", "pause", "2026-03-11", "2026-03-18"))),
        ),
        asked={
            "prep-medication-stop-plan": "completed",
            "rule-restart-date": "cancelled",
        },
        shows=("rule-medication",),
    ),
    Patient(
        "Carla Jung",
        "She goes on taking her blood thinner, as her doctor says, and takes nothing against inflammation.",
        steps=(
            *booked(),
            ("2026-03-05", checklist({}, medicine("antiplatelet"), medicine("diabetes"))),
            ("2026-03-16 18:00", surgery()),
        ),
        not_asked={
            "prep-medication-stop-plan": "not so: a medicine is to be paused",
            "rule-restart-date": "not so: a medicine is paused without a day to start it again",
            "rule-immune-medicine": "not so: such a medicine is listed",
            "prep-medication-resume-plan": "not so: a medicine was paused",
            "rec-pain-control": "not so: an anti-inflammatory medicine is listed",
            "add-medication-management": "not so: an autoimmune disease",
        },
        spared=("rule-medication", "rule-immune-medicine"),
    ),
    Patient(
        "Doris Keller",
        "Systemic sclerosis, and a medicine that weakens the immune system: its prescriber decides, and it is kept up.",
        steps=(
            *booked(answers=SCLEROSIS),
            ("2026-03-05", checklist({}, medicine("immunosuppressant"))),
            ("2026-03-16 18:00", surgery()),
        ),
        asked={
            "rule-immune-medicine": "requested, primary-care, by 2026-03-09",
            "add-medication-management": "requested, primary-care",
            "cause-address": "requested, primary-care",
        },
        weighs_more=("risk-recurrence",),
        shows=("rule-immune-medicine", "rule-recurrence-text"),
        spared=("rule-medication",),
    ),
    Patient(
        "Elsa Vogel",
        "She takes tablets against inflammation: the surgeon's plan for pain says that she may not. She is a nurse.",
        steps=(
            *booked(),
            ("2026-03-05", checklist({"occupation-demand": "general"}, medicine("anti-inflammatory"))),
            ("2026-03-16 18:00", surgery()),
            ("2026-03-16 19:00", operation_record({"rec-pain-control": "Paracetamol, nothing else for a week."})),
        ),
        asked={
            "rec-pain-control": "completed, surgeon, 2026-03-16 to 2026-03-17",
            "rec-return-to-work": "requested, surgeon, 2026-03-23 to 2026-03-30",
        },
        shows=("rule-medication",),
    ),
    Patient(
        "Greta Horn",
        "She has not filled in her checklist: nothing is known of her medicines, and nobody pretends it is.",
        steps=(*booked(), ("2026-03-16 18:00", surgery())),
        asked={
            "prep-medication-disclosure": "requested, patient, by 2026-03-02",
            "prep-medication-review": "requested, surgeon",
        },
        not_asked={
            "prep-medication-stop-plan": "unknown: a medicine is to be paused",
            "rule-restart-date": "unknown: a medicine is paused",
            "rule-immune-medicine": "unknown: such a medicine is listed",
            "rec-pain-control": "unknown: an anti-inflammatory medicine is listed",
        },
        spared=("rule-medication",),
    ),
)

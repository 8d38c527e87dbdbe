"""Minors: a guardian, and confirmations by hand."""

from __future__ import annotations

from tests.pathway.patients.fasting import OF_THE_CLINIC
from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import checklist, decision, indications, nothing, referral, surgery, surgery_booked

YOUNG = (
    Patient(
        "Mia Nowak",
        "Fifteen, with juvenile dermatomyositis: her guardian is needed, the clinic's fasting rule is not for her.",
        site=OF_THE_CLINIC,
        steps=(
            ("2026-03-02", referral(born="2010-08-21")),
            (
                "2026-03-02 11:00",
                indications(
                    {
                        "ind-severe-pain": True,
                        "cause-autoimmune": "dermatomyositis",
                        "cause-idiopathic": None,
                        "minor": True,
                        "guardian": "Eva Nowak, mother",
                    }
                ),
            ),
            ("2026-03-03", decision("surgery", "anesthesia-planned")),
            ("2026-03-04", surgery_booked("2026-03-16")),
            (
                "2026-03-05",
                checklist({"occupation-demand": "pupil", "essential-tablets": False, "escort-name": "Eva Nowak"}),
            ),
            ("2026-03-15 09:00", nothing),
            ("2026-03-16 18:00", surgery()),
        ),
        asked={
            "rule-minor": "requested, coordinator",
            "cause-address": "requested",
            "mit-anesthesia-history": "requested",
            "prep-fasting-override": "requested, anesthesia",
            "rec-recovery-room": "requested",
            "rec-school-return": "requested, surgeon, 2026-03-16 to 2026-03-30",
        },
        not_asked={
            "prep-fasting": "not so: a clinician has confirmed an instruction",
            "rec-desk-work": "not so: the patient returns to desk work",
            "rule-escort-gate": "its time has passed",
        },
        weighs_more=("risk-recurrence",),
        shows=("rule-minor", "rule-recurrence-text"),
        spared=("rule-fasting",),
    ),
    Patient(
        "Lara Wendt",
        "Nineteen and a student: of age, so nothing is confirmed for her by anybody else.",
        steps=(
            ("2026-03-02", referral(born="2006-11-02")),
            ("2026-03-02 11:00", indications({"ind-severe-pain": True, "minor": False})),
        ),
        not_asked={"rule-minor": "not so: the patient is a minor"},
        spared=("rule-minor",),
    ),
    Patient(
        "Zoe Brunner",
        "Sixteen, at a clinic that confirms nothing by hand, as its clinicians have decided.",
        site={"minorsNeedManualConfirm": False},
        steps=(
            ("2026-03-02", referral(born="2009-12-30")),
            ("2026-03-02 11:00", indications({"ind-severe-pain": True, "minor": True, "guardian": "Max Brunner"})),
        ),
        not_asked={"rule-minor": "not so: the patient is a minor"},
        spared=("rule-minor",),
    ),
)

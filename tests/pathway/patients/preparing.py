"""Before the operation: what has to be there, who is asked for it, and what blocks the surgery."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import (
    anesthesia_history,
    checklist,
    hospital,
    nothing,
    surgery,
    surgery_booked,
)
from tests.pathway.patients.usual import booked, decided

PREPARING = (
    Patient(
        "Helga Fuchs",
        "General anesthesia, clearance and insurer are needed, and everything was there in time.",
        steps=(
            *booked("anesthesia-planned", "clearance-required", "authorization-required"),
            ("2026-03-05", hospital("prep-medical-clearance", status="completed")),
            (
                "2026-03-06",
                checklist({"authorization-required": True, "authorization-granted": True, "escort-name": "Eva Fuchs"}),
            ),
            ("2026-03-10", anesthesia_history({"earlier-reaction": False})),
            ("2026-03-14", nothing),
        ),
        asked={
            "prep-medical-clearance": "completed",
            "prep-transport": "completed, patient, by 2026-03-13",
            "mit-anesthesia-history": "completed, anesthesia, by 2026-03-15",
            "prep-medication-disclosure": "completed, patient, by 2026-03-02",
            "prep-fasting-override": "requested, anesthesia, by 2026-03-13",
        },
        not_asked={
            "rule-clearance-gate": "not needed when its time came",
            "rule-authorization-gate": "not needed when its time came",
            "rule-escort-gate": "not needed when its time came",
        },
        spared=("rule-clearance-gate", "rule-authorization-gate", "rule-escort-gate", "rule-reschedule"),
    ),
    Patient(
        "Inge Koch",
        "The clinic wants a clearance; a week before surgery her own doctor has not cleared her.",
        steps=(
            *booked("clearance-required", denied=("anesthesia-planned", "authorization-required")),
            ("2026-03-06", checklist({"prep-medical-clearance": "more-tests"})),
            ("2026-03-09 09:00", nothing),
        ),
        asked={
            "prep-medical-clearance": "requested, primary-care, by 2026-03-09",
            "rule-clearance-gate": "requested, urgent, coordinator, by 2026-03-09",
        },
        not_asked={
            "rule-authorization-gate": "unknown: the insurer's agreement is required",
            "prep-prior-authorization": "not so: nobody has said that no agreement of an insurer is needed",
        },
        shows=("rule-clearance-gate",),
        spared=("rule-authorization-gate", "rule-escort-gate"),
    ),
    Patient(
        "Jutta Wolf",
        "Her insurer wants to be asked, which only her checklist says; the agreement comes after the blocker.",
        steps=(
            *booked(denied=("clearance-required", "anesthesia-planned")),
            ("2026-03-06", checklist({"authorization-required": True})),
            ("2026-03-09 09:00", nothing),
            ("2026-03-10", checklist({"authorization-required": True, "authorization-granted": True})),
        ),
        asked={"rule-authorization-gate": "completed, urgent, coordinator, by 2026-03-09"},
        not_asked={
            "rule-clearance-gate": "not so: a clearance is required",
            "prep-medical-clearance": "not so: nobody has said that no clearance is needed",
        },
        shows=("rule-authorization-gate",),
        spared=("rule-clearance-gate",),
    ),
    Patient(
        "Karin Roth",
        "Nobody will drive her home after the anesthesia: three days before, that is a blocker; then her son will.",
        steps=(
            *booked("anesthesia-planned"),
            ("2026-03-13 12:00", nothing),
            ("2026-03-14", checklist({"escort-name": "Jan Roth", "escort-phone": "0170 1", "escort-both-days": True})),
        ),
        asked={
            "prep-transport": "completed, patient, by 2026-03-13",
            "rule-escort-gate": "completed, urgent, coordinator, by 2026-03-13",
            "mit-anesthesia-history": "requested, anesthesia, by 2026-03-15",
        },
        shows=("rule-escort-gate",),
        spared=("rule-fasting",),
    ),
    Patient(
        "Magda Schulz",
        "A small operation without anesthesia: no fasting, nobody to drive her home, no recovery room.",
        steps=(
            *booked(denied=("anesthesia-planned", "clearance-required", "authorization-required")),
            ("2026-03-15 09:00", nothing),
            ("2026-03-16 18:00", surgery()),
        ),
        not_asked={
            "prep-fasting-override": "not so: nobody has said that no anesthesia is planned",
            "prep-transport": "not so: nobody has said that no anesthesia is planned",
            "mit-anesthesia-history": "not so: anesthesia is planned",
            "prep-fasting": "not so: anesthesia is planned",
            "rule-escort-gate": "not so: anesthesia is planned",
            "rec-recovery-room": "not so: anesthesia is planned",
            "prep-medical-clearance": "not so: nobody has said that no clearance is needed",
        },
        spared=("rule-escort-gate", "rule-fasting", "rule-clearance-gate"),
    ),
    Patient(
        "Nora Peters",
        "Blood tests, images and a map of her nerves are asked for; each is a draft that a clinician signs.",
        steps=(
            *booked(
                "prep-labs",
                "near-joint-or-muscle",
                answers={
                    "ind-severe-pain": True,
                    "ind-critical-anatomy": True,
                    "ind-critical-anatomy-structure": ["nerve"],
                },
            ),
            ("2026-03-05", checklist({"prep-imaging": True})),
            ("2026-03-06", hospital("prep-labs", status="active")),
            ("2026-03-16 18:00", surgery()),
        ),
        asked={
            "prep-labs": "active, by 2026-03-09",
            "prep-imaging": "draft, by 2026-03-09",
            "mit-nerve-mapping": "requested, surgeon, by 2026-03-15",
            "rec-physical-therapy": "draft, 2026-03-17 to 2026-04-27",
        },
        weighs_more=("risk-bleeding", "risk-nerve-damage"),
        shows=("rule-orders-are-drafts", "rule-therapy"),
    ),
    Patient(
        "Petra Zimmermann",
        "She smokes, works on building sites, wants a letter for her employer and has a question.",
        steps=(
            *booked(answers={"ind-severe-pain": True, "fac-smoking": True}),
            (
                "2026-03-05",
                checklist(
                    {
                        "occupation-demand": "physical",
                        "prep-work-school-note": True,
                        "time-off-first-day": "2026-03-16",
                        "prep-remote-support": True,
                        "prep-ask-questions": "When may I carry bricks?",
                    }
                ),
            ),
            ("2026-03-16 18:00", surgery()),
        ),
        asked={
            "fac-no-smoking": "requested, primary-care",
            "prep-work-school-note": "requested, coordinator, by 2026-03-09",
            "prep-ask-questions": "requested, surgeon, by 2026-03-15",
            "prep-remote-support": "requested, coordinator, by 2026-03-09",
            "rec-demanding-work": "requested, surgeon, 2026-03-30 to 2026-04-27",
        },
        not_asked={
            "rec-desk-work": "not so: the patient returns to desk work",
            "rec-school-return": "not so: the patient returns to school or studies",
        },
        weighs_more=("risk-infection", "risk-delayed-healing"),
        shows=("rule-healing-factors",),
    ),
    Patient(
        "Rosa Lindner",
        "She works at a desk, does not smoke, and wants neither a letter nor an answer nor a call.",
        steps=(
            *booked(),
            ("2026-03-05", checklist({"occupation-demand": "desk", "prep-work-school-note": False})),
            ("2026-03-16 18:00", surgery()),
        ),
        asked={"rec-desk-work": "requested, surgeon, 2026-03-16 to 2026-03-23"},
        not_asked={
            "fac-no-smoking": "unknown: the patient smokes",
            "prep-work-school-note": "not so: a letter is wanted",
            "prep-ask-questions": "not so: the patient asks something",
            "prep-remote-support": "unknown: the patient would like it",
            "prep-labs": "unknown: blood tests are asked for",
            "prep-imaging": "unknown: images are asked for",
            "mit-nerve-mapping": "unknown: a nerve lies close by",
            "rec-demanding-work": "not so: the patient returns to physically demanding work",
            "rec-return-to-work": "not so: the patient returns",
            "rec-physical-therapy": "unknown: it is advised",
        },
        weighs_more=(),
        spared=("rule-healing-factors", "rule-therapy"),
    ),
    Patient(
        "Trude Weber",
        "Her surgery is put off by two days, when her clearance is already under way.",
        steps=(
            *booked("clearance-required", "prep-labs"),
            ("2026-03-05", hospital("prep-medical-clearance", status="accepted")),
            ("2026-03-06", surgery_booked("2026-03-18")),
        ),
        asked={
            "prep-medical-clearance": "accepted, by 2026-03-09",
            "confirm-date": "requested, urgent, coordinator",
            "prep-transport": "requested, by 2026-03-15",
            "prep-labs": "draft, by 2026-03-11",
            "fu-first-visit": "draft, provisional, 2026-03-25 to 2026-04-01",
        },
        not_asked={"rule-clearance-gate": "will be looked at on 2026-03-11"},
        shows=("rule-reschedule", "rule-first-visit-provisional"),
        spared=("rule-first-visit",),
    ),
    Patient(
        "Xenia Brand",
        "The clinic cancels the review of her medicines without a word: it stays cancelled, and somebody says why.",
        steps=(*booked(), ("2026-03-05", hospital("prep-medication-review", status="cancelled"))),
        asked={"prep-medication-review": "cancelled", "step-without-reason": "requested"},
    ),
    Patient(
        "Ulla Stein",
        "Surgery is decided but nobody has booked it: everything is asked for, nothing has a day.",
        steps=(*decided("anesthesia-planned"), ("2026-04-20", nothing)),
        asked={
            "proc-excision": "draft",
            "prep-transport": "requested, patient",
            "mit-anesthesia-history": "requested, anesthesia",
        },
        not_asked={
            "fu-first-visit": "waits for the date of proc-excision",
            "calcinosis-recovery-diary": "waits for the date of proc-excision",
        },
        spared=("rule-first-visit-provisional", "rule-reschedule"),
    ),
)

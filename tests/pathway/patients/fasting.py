"""What the patient is told about eating and drinking: only what a clinician has confirmed, and never two things."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import (
    anesthesia_history,
    checklist,
    hospital,
    nothing,
    surgery_booked,
)
from tests.pathway.patients.usual import booked

OWN = anesthesia_history(
    {
        "fasting-source": "anesthesia",
        "prep-fasting-override": "No food after ten, water until six.",
        "fasting-hours": 10,
    }
)
STRICTER = anesthesia_history(
    {"fasting-source": "surgeon", "prep-fasting-override": "Nothing after midnight.", "fasting-hours": 14.5}
)
OF_THE_CLINIC = {
    "fastingSiteInstruction": "No food after midnight; water until two hours before. (Confirmed by Dr Ott)"
}
EVE = ("2026-03-15 09:00", nothing)

FASTING = (
    Patient(
        "Agnes Ott",
        "Her anesthesiologist confirmed what she may eat and drink; the day before, she is told.",
        steps=(*booked("anesthesia-planned"), ("2026-03-10", OWN), EVE),
        asked={
            "prep-fasting-override": "completed, anesthesia",
            "prep-fasting": "active, on 2026-03-15",
            "mit-anesthesia-history": "completed",
            "rule-escort-gate": "requested",
        },
        not_asked={
            "prep-fasting-changed": "not so: a fasting message was delivered",
            "prep-fasting-long": "not so: the planned fast is longer",
        },
        shows=("rule-fasting",),
    ),
    Patient(
        "Birgit Thal",
        "Nobody confirmed anything: she is told nothing, and the anesthesia team still owes an instruction.",
        steps=(
            *booked("anesthesia-planned"),
            ("2026-03-10", anesthesia_history({"fasting-source": "proposal"})),
            EVE,
        ),
        asked={
            "prep-fasting-override": "requested, anesthesia, by 2026-03-13",
            "mit-anesthesia-history": "completed",
            "rule-escort-gate": "requested",
        },
        not_asked={"prep-fasting": "not so: a clinician has confirmed an instruction"},
        spared=("rule-fasting",),
    ),
    Patient(
        "Cora Blum",
        "A healthy adult at a clinic with an instruction of its own, which counts for her.",
        site=OF_THE_CLINIC,
        steps=(*booked("anesthesia-planned"), ("2026-03-10", checklist({"essential-tablets": False})), EVE),
        asked={
            "prep-fasting": "active, on 2026-03-15",
            "mit-anesthesia-history": "requested",
            "rule-escort-gate": "requested",
        },
        shows=("rule-fasting",),
    ),
    Patient(
        "Dagmar Falk",
        "She has diabetes: the clinic's own instruction is not for her, and an instruction of her own is missing.",
        site=OF_THE_CLINIC,
        steps=(
            *booked("anesthesia-planned", answers={"ind-severe-pain": True, "fac-diabetes": True}),
            ("2026-03-10", checklist({"essential-tablets": False})),
            EVE,
        ),
        asked={
            "prep-fasting-override": "requested, anesthesia",
            "mit-anesthesia-history": "requested",
            "rule-escort-gate": "requested",
        },
        not_asked={"prep-fasting": "not so: a clinician has confirmed an instruction"},
        weighs_more=("risk-infection", "risk-delayed-healing"),
        shows=("rule-healing-factors",),
        spared=("rule-fasting",),
    ),
    Patient(
        "Edith Lenz",
        "She was told what to eat and drink; then the surgeon wanted it stricter and very long, so somebody calls her.",
        steps=(
            *booked("anesthesia-planned"),
            ("2026-03-10", OWN),
            EVE,
            ("2026-03-15 12:00", hospital("prep-fasting", status="completed")),
            ("2026-03-15 15:00", STRICTER),
        ),
        asked={
            "prep-fasting": "completed",
            "prep-fasting-changed": "requested, urgent, coordinator",
            "prep-fasting-long": "requested, by 2026-03-15",
            "mit-anesthesia-history": "completed",
            "rule-escort-gate": "requested",
        },
        shows=("rule-fasting",),
    ),
    Patient(
        "Franka Moll",
        "She was to be told the evening before, but then her surgery was put off: the message is taken back.",
        steps=(
            *booked("anesthesia-planned"),
            ("2026-03-10", OWN),
            EVE,
            ("2026-03-15 16:00", surgery_booked("2026-03-20")),
            ("2026-03-19 09:00", nothing),
        ),
        asked={
            "prep-fasting": ("revoked, on 2026-03-15", "active, on 2026-03-19"),
            "rule-escort-gate": ("cancelled, by 2026-03-13", "requested, by 2026-03-17"),
            "mit-anesthesia-history": "completed",
        },
        shows=("rule-fasting", "rule-reschedule"),
    ),
)

"""Warning signs after surgery: each reaches a person at once, what is none reaches nobody, and time closes nothing."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import all_of, diary, hospital, nothing, outcome, visit_booked, visit_record
from tests.pathway.patients.usual import assessed, operated

BOOKED = ("2026-03-17", visit_booked("2026-03-26"))
FINE = {
    "temperature": 37.9,
    **dict.fromkeys(("flag-redness", "flag-swelling", "flag-warmth", "flag-fever", "flag-increased-pain"), False),
    **dict.fromkeys(("flag-wound-not-healing", "flag-leg-clot-signs", "flag-breathing-difficulty"), False),
    **dict.fromkeys(("flag-allergic-reaction", "fu-telemedicine"), False),
    **dict.fromkeys(("flag-discharge", "flag-bleeding"), "none"),
    "flag-nerve-symptoms": ["none"],
}
URGENT = "requested, urgent, surgeon"
STAT = "requested, stat, surgeon"

WARNING_SIGNS = (
    Patient(
        "Antonia Reuter",
        "A well patient: 37.9 degrees, no redness, no pain that rises.",
        steps=(
            *operated(),
            BOOKED,
            ("2026-03-18", diary({**FINE, "pain-score": 3})),
            ("2026-03-19", diary({**FINE, "pain-score": 4})),
        ),
        not_asked={
            **dict.fromkeys(("flag-fever",), "not so: the temperature is at or above the site's threshold"),
            "flag-redness": "not so: redness reported",
            "flag-swelling": "not so: swelling reported",
            "flag-warmth": "not so: warmth reported",
            "flag-discharge": "not so: discharge reported",
            "flag-bleeding": "not so: bleeding reported",
            "flag-nerve-symptoms": "not so: new numbness, tingling or weakness reported",
            "flag-wound-not-healing": "not so: the wound opens or does not close",
            "flag-leg-clot-signs": "not so: leg pain or swelling reported",
            "flag-breathing-difficulty": "not so: difficulty breathing reported",
            "flag-allergic-reaction": "not so: signs of an allergic reaction reported",
            "flag-increased-pain": "not so: pain is clearly stronger",
            "flag-new-deposit": "unknown: a new or returning lump reported",
            "fu-telemedicine": "not so: the patient asks for it",
            "fu-telemedicine-copy": "not so: the patient asks for it",
        },
        spared=("rule-red-flag",),
    ),
    Patient(
        "Bettina Seidel",
        "An infection as the textbook has it: fever, redness, swelling, warmth and pus.",
        steps=(
            *operated(),
            BOOKED,
            (
                "2026-03-19",
                diary(
                    {
                        **FINE,
                        "temperature": 38.0,
                        "flag-redness": True,
                        "flag-swelling": True,
                        "flag-warmth": True,
                        "flag-discharge": "pus",
                    }
                ),
            ),
        ),
        asked=dict.fromkeys(("flag-fever", "flag-redness", "flag-swelling", "flag-warmth", "flag-discharge"), URGENT),
        flags=[f"flag-{sign} active" for sign in ("fever", "redness", "swelling", "warmth", "discharge")],
        alerts=[f"flag-{sign} urgent" for sign in ("fever", "redness", "swelling", "warmth", "discharge")],
        shows=("rule-red-flag",),
        spared=("rule-flag-close",),
    ),
    Patient(
        "Christa Ulrich",
        "Blood soaks through her dressing: this is an emergency.",
        steps=(*operated(), BOOKED, ("2026-03-18", diary({**FINE, "flag-bleeding": "soaking"}))),
        asked={"flag-bleeding": STAT},
        flags=["flag-bleeding active"],
        alerts=["flag-bleeding stat"],
        shows=("rule-red-flag",),
    ),
    Patient(
        "Elfriede Yilmaz",
        "Her calf hurts and she cannot get her breath: two emergencies.",
        steps=(
            *operated(),
            BOOKED,
            ("2026-03-21", diary({**FINE, "flag-leg-clot-signs": True, "flag-breathing-difficulty": True})),
        ),
        asked={"flag-leg-clot-signs": STAT, "flag-breathing-difficulty": STAT},
        flags=["flag-leg-clot-signs active", "flag-breathing-difficulty active"],
        alerts=["flag-leg-clot-signs stat", "flag-breathing-difficulty stat"],
        shows=("rule-red-flag",),
    ),
    Patient(
        "Friederike Zeller",
        "A rash after her tablets, and a numb, weak hand.",
        steps=(
            *operated(),
            BOOKED,
            (
                "2026-03-18",
                diary(
                    {**FINE, "flag-allergic-reaction": True, "flag-nerve-symptoms": ["numbness", "weakness"]},
                ),
            ),
        ),
        asked={"flag-allergic-reaction": STAT, "flag-nerve-symptoms": URGENT},
        flags=["flag-allergic-reaction active", "flag-nerve-symptoms active"],
        alerts=["flag-allergic-reaction stat", "flag-nerve-symptoms urgent"],
        shows=("rule-red-flag",),
    ),
    Patient(
        "Gudrun Adler",
        "Her pain was falling, then it rises by two points above its lowest.",
        steps=(
            *operated(),
            BOOKED,
            ("2026-03-18", diary({"pain-score": 5})),
            ("2026-03-19", diary({"pain-score": 3})),
            ("2026-03-20", diary({"pain-score": 5})),
        ),
        asked={"flag-increased-pain": URGENT},
        flags=["flag-increased-pain active"],
        alerts=["flag-increased-pain urgent"],
        shows=("rule-red-flag",),
    ),
    Patient(
        "Heike Bischof",
        "At her visit the wound is open; on the same day her surgeon looked at it and closed the sign.",
        steps=(
            *operated(),
            BOOKED,
            ("2026-03-26", visit_record({"flag-wound-not-healing": True, "risk-delayed-healing": True})),
            (
                "2026-03-26 15:00",
                all_of(
                    hospital("flag-wound-not-healing", status="completed"),
                    hospital("flag-wound-not-healing", "Flag", status="inactive"),
                ),
            ),
        ),
        asked={
            "flag-wound-not-healing": "completed, urgent",
            "red-flag-backup": "completed, urgent, primary-care",
            "fu-check-complications": "requested",
            "fu-first-visit": "completed",
            "fu-recurrence-watch": "requested",
            "fu-attend-all-3d": "active",
            "fu-attend-all-1d": "active",
        },
        flags=["flag-wound-not-healing inactive"],
        alerts=["red-flag-backup urgent", "flag-wound-not-healing urgent"],
        shows=("rule-red-flag", "rule-flag-close", "rule-visit-happened"),
    ),
    Patient(
        "Irene Conrad",
        "Nobody answered her warning sign for a year: it is still there, and her plan stays open.",
        steps=(
            *operated(),
            BOOKED,
            ("2026-03-19", diary({"flag-swelling": True})),
            ("2026-04-28", outcome({"pain-score": 2})),
            ("2027-03-19", nothing),
        ),
        asked={
            "flag-swelling": URGENT,
            "red-flag-backup": "requested, urgent, primary-care",
            "fu-visit-unrecorded": "requested, urgent, coordinator",
            "fu-not-reached-in-time": "requested, urgent, surgeon",
            "fu-not-reached-primary-care": "requested, urgent, primary-care",
            "fu-missed-visit": "requested, urgent",
            "fu-attend-all-3d": "active",
            "fu-attend-all-1d": "active",
        },
        not_asked={"rule-plan-complete": "not so: no Task, Flag, Appointment or unsigned order is open"},
        flags=["flag-swelling active"],
        alerts=[
            "red-flag-backup urgent",
            "flag-swelling urgent",
            "fu-not-reached-in-time urgent",
            "fu-not-reached-primary-care urgent",
        ],
        shows=("rule-red-flag", "rule-visit-overdue"),
        spared=("rule-flag-close", "rule-plan-complete"),
    ),
    Patient(
        "Jasmin Decker",
        "She ticked redness by mistake and took it back: the sign stays until a person says so.",
        steps=(
            *operated(),
            BOOKED,
            ("2026-03-19", diary({"flag-redness": True})),
            ("2026-03-19 12:00", diary({"flag-redness": False}, id="recovery-diary-1", status="amended")),
        ),
        asked={
            "flag-redness": URGENT,
            "red-flag-backup": "requested, urgent, primary-care",
            "confirm-cancellation": "requested, urgent, coordinator",
        },
        flags=["flag-redness active"],
        alerts=["flag-redness urgent", "red-flag-backup urgent"],
        shows=("rule-red-flag",),
        spared=("rule-flag-close",),
    ),
    Patient(
        "Kirsten Evers",
        "She cannot breathe and writes it into a diary before any surgery was even decided: it is never dropped.",
        steps=(*assessed(), ("2026-03-04", diary({"flag-breathing-difficulty": True}))),
        asked={"flag-breathing-difficulty": STAT},
        flags=["flag-breathing-difficulty active"],
        alerts=["flag-breathing-difficulty stat"],
        shows=("rule-red-flag",),
    ),
)

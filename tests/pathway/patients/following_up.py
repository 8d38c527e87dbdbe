"""The first visit: when it is, who books it, what counts as one, and what happens when it does not take place."""

from __future__ import annotations

from datetime import date

from pathway.site import Closure
from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import (
    all_of,
    decision,
    diary,
    encounter,
    hospital,
    not_reached,
    nothing,
    surgery,
    surgery_booked,
    visit_booked,
    visit_record,
)
from tests.pathway.patients.usual import assessed, operated

VISIT = "fu-first-visit-appointment"
RENOVATION = Closure(first=date(2026, 3, 1), last=date(2026, 4, 30), reason="renovation")

FOLLOWING_UP = (
    Patient(
        "Bruna Lorenz",
        "Her visit was booked on the fourth day, and she was reminded twice.",
        steps=(*operated(), ("2026-03-20", visit_booked("2026-03-30")), ("2026-03-29 20:00", nothing)),
        asked={
            VISIT: "booked, on 2026-03-30",
            "rule-visit-unbooked": "completed",
            "fu-attend-all-3d": "active, on 2026-03-27",
            "fu-attend-all-1d": "active, on 2026-03-29",
        },
        shows=("rule-visit-unbooked",),
        spared=("rule-visit-happened",),
    ),
    Patient(
        "Cilli Marx",
        "She did not come to her visit: somebody calls her at once, and finds her when day 14 has passed.",
        steps=(
            *operated(),
            ("2026-03-18", visit_booked("2026-03-26")),
            ("2026-03-26 12:00", hospital(VISIT, status="noshow")),
            ("2026-03-31 08:00", nothing),
        ),
        asked={
            VISIT: ("noshow", "proposed, on 2026-04-01"),
            "fu-missed-visit-noshow": "requested, urgent, coordinator, 2026-03-26 to 2026-03-27",
            "fu-not-reached-in-time": "requested, urgent, surgeon, 2026-03-27 to 2026-03-31",
            "fu-missed-visit": "requested, urgent, coordinator, 2026-03-31 to 2026-04-01",
            "fu-attend-all-3d": "revoked",
            "fu-attend-all-1d": "revoked",
        },
        alerts=["fu-not-reached-in-time urgent"],
        late=1,
        shows=("rule-visit-overdue",),
        spared=("rule-visit-happened",),
    ),
    Patient(
        "Carola Lenz",
        "Her clinic is being renovated: no day in her window is open, and somebody is asked to find one.",
        steps=operated(),
        closed=RENOVATION,
        asked={
            VISIT: "waitlist",
            "visit-to-book": "requested, urgent, coordinator",
        },
        shows=("rule-first-visit",),
    ),
    Patient(
        "Dina Otto",
        "Fourteen days have passed without a visit, and without anybody having booked one.",
        steps=(*operated(), ("2026-03-31 00:00", nothing)),
        asked={
            VISIT: "proposed",
            "rule-visit-unbooked": "requested, urgent",
            "fu-missed-visit": "requested, urgent, coordinator, 2026-03-31 to 2026-04-01",
        },
        not_asked={
            "fu-attend-all-3d": "not so: the visit is booked",
            "fu-attend-all-1d": "not so: the visit is booked",
        },
        late=1,
        shows=("rule-visit-overdue", "rule-visit-unbooked"),
    ),
    Patient(
        "Dorit Lang",
        "Fourteen days have passed, three calls have not reached her, and her surgeon does not answer either.",
        steps=(
            *operated(),
            ("2026-03-31", all_of(*(not_reached("fu-missed-visit", id=f"call-{number}") for number in (1, 2, 3)))),
            ("2026-04-02 12:00", nothing),
        ),
        asked={
            VISIT: "proposed",
            "rule-visit-unbooked": "requested, urgent",
            "fu-missed-visit": "requested, urgent, coordinator",
            "fu-not-reached-attempts": "requested, urgent, surgeon, 2026-03-31 to 2026-04-02",
            "fu-not-reached-primary-care": "requested, urgent, primary-care",
        },
        alerts=["fu-not-reached-attempts urgent", "fu-not-reached-primary-care urgent"],
        late=1,
        shows=("rule-visit-overdue",),
    ),
    Patient(
        "Doro Seitz",
        "Her warning sign was taken up within the hour, and her missed visit by her surgeon: nobody else is asked.",
        steps=(
            *operated(),
            ("2026-03-19", diary({"flag-redness": True})),
            ("2026-03-19 10:30", hospital("flag-redness", "Task", status="accepted")),
            ("2026-04-01", hospital("fu-not-reached-in-time", status="completed")),
            ("2026-04-04", nothing),
        ),
        asked={
            "flag-redness": "accepted",
            "rule-visit-unbooked": "requested, urgent",
            "fu-missed-visit": "requested, urgent",
            "fu-not-reached-in-time": "completed, urgent, surgeon",
        },
        not_asked={
            "red-flag-backup": "not needed when its time came: nobody has taken up the sign",
            "fu-not-reached-primary-care": "not needed when its time came: the surgeon has not said how to go on",
        },
        flags=["flag-redness active"],
        alerts=["flag-redness urgent", "fu-not-reached-in-time urgent"],
        late=1,
        shows=("rule-visit-overdue", "rule-red-flag"),
    ),
    Patient(
        "Elli Pohl",
        "She worries and is seen by telemedicine: her surgeon learns of it, and her visit is still to come.",
        steps=(
            *operated(),
            ("2026-03-18", visit_booked("2026-03-26")),
            ("2026-03-20", diary({"fu-telemedicine": True, "flag-redness": False})),
            ("2026-03-20 16:00", encounter("VR")),
        ),
        asked={
            "fu-telemedicine": "waitlist",
            "fu-telemedicine-copy": "requested, surgeon",
            "fu-first-visit": "requested",
            VISIT: "booked",
        },
        spared=("rule-visit-happened", "rule-red-flag"),
    ),
    Patient(
        "Gabi Sander",
        "Her surgeon saw her on the booked day; the hospital recorded the contact and nothing else.",
        steps=(
            *operated(),
            ("2026-03-18", visit_booked("2026-03-26")),
            ("2026-03-26 12:00", encounter("AMB")),
        ),
        asked={
            "fu-first-visit": "completed",
            "fu-recurrence-watch": "requested, coordinator, 2026-03-30 to 2026-05-11",
            "fu-attend-all-3d": "active",
            "fu-attend-all-1d": "active",
        },
        shows=("rule-visit-happened",),
    ),
    Patient(
        "Hedda Voss",
        "At her visit an infection shows, her dressings were neglected, and she has to come again.",
        steps=(
            *operated(),
            ("2026-03-18", visit_booked("2026-03-26")),
            (
                "2026-03-26",
                visit_record(
                    {
                        "risk-infection": True,
                        "sutures-to-remove": True,
                        "fu-missed-care": True,
                        "fu-extra-visits": True,
                        "fu-extra-visits-date": "2026-04-07",
                    }
                ),
            ),
        ),
        asked={
            "fu-first-visit": "completed",
            "fu-remove-stitches": "requested",
            "fu-check-complications": "requested, urgent, surgeon",
            "fac-non-adherence": "requested, coordinator",
            "fu-extra-visits": "proposed, on 2026-04-07",
            "fu-recurrence-watch": "requested",
            "fu-attend-all-3d": "active",
            "fu-attend-all-1d": "active",
        },
        shows=("rule-visit-happened", "rule-stitches"),
    ),
    Patient(
        "Irma Thoma",
        "At her visit all is well: stitches out, no complication, no further visit.",
        steps=(
            *operated(),
            (
                "2026-03-25",
                visit_record(
                    {
                        **dict.fromkeys(("risk-infection", "risk-bleeding", "risk-nerve-damage", "risk-dvt"), False),
                        "risk-delayed-healing": False,
                        "sutures-to-remove": True,
                        "fu-remove-stitches": True,
                        "fu-missed-care": False,
                        "fu-extra-visits": False,
                    }
                ),
            ),
            ("2026-03-31 08:00", nothing),
        ),
        asked={
            "fu-first-visit": "completed",
            "rule-visit-unbooked": "completed",
            "fu-recurrence-watch": "requested",
        },
        not_asked={
            "fu-check-complications": "not so: a complication was seen",
            "fac-non-adherence": "not so: wound care or visits were missed",
            "fu-extra-visits": "not so: a further visit is needed",
        },
        shows=("rule-visit-happened",),
        spared=("rule-visit-overdue",),
    ),
    Patient(
        "Julia Bergmann",
        "Her tenth day is Good Friday: the visit is proposed for the Thursday before it.",
        steps=(
            *assessed(),
            ("2026-03-03", decision("surgery")),
            ("2026-03-04", surgery_booked("2026-03-24")),
            ("2026-03-24 18:00", surgery()),
        ),
        asked={"fu-first-visit": "requested, 2026-03-31 to 2026-04-07", VISIT: "proposed, on 2026-04-02"},
        shows=("rule-first-visit",),
    ),
)

"""Records that cannot be acted on: kept, explained, put before a person, and no follow-up is lost."""

from __future__ import annotations

from tests.pathway.conftest import CALCINOSIS, OTHER_OPERATION, yes
from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import (
    HERSELF,
    decision,
    indications,
    nothing,
    patient_record,
    referral,
    surgery,
    unfitting,
    visit_booked,
    visit_record,
)
from tests.pathway.patients.usual import assessed, booked, operated

PLANNED = "draft, provisional, 2026-03-23 to 2026-03-30"

BAD_RECORDS = (
    Patient(
        "Alma Brehm",
        "Her surgery is recorded as completed without a date; the day after, somebody is asked, and the plan goes out.",
        steps=(
            *booked(),
            ("2026-03-16 18:00", surgery(performedPeriod=None)),
            ("2026-03-17 08:00", nothing),
        ),
        asked={"fu-first-visit": PLANNED, "rule-surgery-unknown": "requested, urgent"},
        not_asked={"fu-first-visit-appointment": "not so: the surgery is done"},
        reviews={"surgery-date-missing": "The surgery is recorded as completed without a date."},
        shows=("rule-surgery-unknown", "rule-first-visit-provisional"),
        spared=("rule-first-visit",),
    ),
    Patient(
        "Cosima Daum",
        "Her surgery has only a month for a date; once that is put right, the follow-up is asked for.",
        steps=(
            *booked(),
            ("2026-03-16 18:00", surgery(performedDateTime="2026-03")),
            ("2026-03-16 20:00", surgery(performedDateTime="2026-03-16")),
        ),
        asked={"fu-first-visit": "requested, 2026-03-23 to 2026-03-30"},
        reviews={"surgery-date-partial": "The date of the surgery is incomplete: 2026-03."},
        shows=("rule-first-visit",),
        spared=("rule-reschedule",),
    ),
    Patient(
        "Eleonore Fink",
        "Her appendix was taken out the day before the planned surgery: nobody guesses that it was the excision.",
        steps=(*booked(), ("2026-03-15 18:00", surgery(of=None, code=OTHER_OPERATION))),
        asked={"fu-first-visit": PLANNED},
        reviews={"surgery-other-code": "A procedure with another code took place on 2026-03-15, near the surgery"},
        spared=("rule-first-visit",),
    ),
    Patient(
        "Gesine Heller",
        "The record of her surgery was a mistake, noticed when the visit was booked already: a person decides.",
        steps=(
            *operated(),
            ("2026-03-16 20:00", visit_booked("2026-03-26")),
            ("2026-03-16 21:00", surgery(status="entered-in-error", performedDateTime="2026-03-16")),
        ),
        asked={
            "fu-first-visit": "requested, provisional, 2026-03-23 to 2026-03-30",
            "fu-first-visit-appointment": "booked",
            "confirm-cancellation": "requested, urgent, coordinator",
            "calcinosis-operation-record": "cancelled",
            "rec-discharge": "cancelled",
            "calcinosis-outcome": "cancelled",
        },
        reviews={"surgery-entered-in-error": "The record of the operation was entered in error."},
        spared=("rule-first-visit",),
    ),
    Patient(
        "Ingrid Jost",
        "Her operation was begun and stopped: the follow-up goes out at once, provisionally.",
        steps=(*booked(), ("2026-03-16 18:00", surgery(status="stopped"))),
        asked={"fu-first-visit": PLANNED},
        reviews={"surgery-stopped": "The operation was begun and stopped."},
        shows=("rule-first-visit-provisional",),
        spared=("rule-first-visit",),
    ),
    Patient(
        "Margarete Noll",
        "Her surgery is recorded twice, for two different days: nothing moves until somebody says which is right.",
        steps=(
            *operated(),
            ("2026-03-18 09:00", surgery(id="pr2", performedDateTime="2026-03-18")),
        ),
        asked={"fu-first-visit": "requested, 2026-03-23 to 2026-03-30"},
        reviews={"surgery-ambiguous": "This surgery is recorded twice, for 2026-03-16 and for 2026-03-18"},
        spared=("rule-reschedule",),
    ),
    Patient(
        "Ottilie Prinz",
        "She filled in the decision herself: a decision is a clinician's, so nothing is decided.",
        steps=(*assessed(), ("2026-03-03", decision("surgery", author=HERSELF))),
        row=4,
        asked={"calcinosis-shared-decision": "requested, surgeon"},
        not_asked={"choice-conservative": "unknown: decision = conservative"},
        reviews={"response-invalid": "The answers cannot be used: This form is filled in by Practitioner"},
        spared=("rule-orders-are-drafts", "rule-first-visit-provisional"),
    ),
    Patient(
        "Regine Quast",
        "The decision that came names a question that the form does not have: kept, and a person is asked.",
        steps=(*assessed(), ("2026-03-03", unfitting("calcinosis-shared-decision", yes("dec-favourite-colour")))),
        asked={"calcinosis-shared-decision": "requested"},
        reviews={"response-invalid": "The answers cannot be used: "},
        spared=("rule-orders-are-drafts",),
    ),
    Patient(
        "Sabine Thiel",
        "Her visit was written up by herself: it does not count, and she is looked for when day 14 has passed.",
        steps=(
            *operated(),
            ("2026-03-17", visit_booked("2026-03-26")),
            ("2026-03-26", visit_record({"sutures-to-remove": True}, author=HERSELF)),
            ("2026-03-31 08:00", nothing),
        ),
        asked={
            "fu-first-visit": "requested",
            "fu-visit-unrecorded": "requested, urgent, coordinator",
            "fu-not-reached-in-time": "requested, urgent, surgeon",
            "fu-missed-visit": "requested, urgent",
            "fu-attend-all-3d": "active",
            "fu-attend-all-1d": "active",
        },
        alerts=["fu-not-reached-in-time urgent"],
        not_asked={"fu-remove-stitches": "unknown: there are stitches to take out"},
        reviews={"response-invalid": "The answers cannot be used: This form is filled in by Practitioner"},
        shows=("rule-visit-overdue",),
        spared=("rule-visit-happened", "rule-stitches"),
    ),
    Patient(
        "Ute Vollmer",
        "A referral arrives for a patient who has died: nothing is planned, and somebody looks at it.",
        steps=(
            ("2026-03-02", patient_record(deceasedDateTime="2026-02-20")),
            ("2026-03-02 11:00", referral(known=False)),
        ),
        reviews={"referral-deceased": "The referral is for a patient who is recorded as deceased."},
    ),
    Patient(
        "Wilma Xander",
        "Her referral arrives before her record does; with the record she is on the pathway after all.",
        steps=(
            ("2026-03-02", referral(known=False)),
            ("2026-03-02 12:00", patient_record()),
            ("2026-03-02 13:00", indications({"ind-severe-pain": True})),
        ),
        row=4,
        asked={"calcinosis-shared-decision": "requested"},
        reviews={"referral-patient-unknown": "The referral names a patient whose record could not be read."},
        shows=("rule-surgery-discussion",),
    ),
    Patient(
        "Yvonne Zander",
        "A surgery is recorded for her, who was never referred: it is not dropped.",
        steps=(
            ("2026-03-02", patient_record()),
            ("2026-03-16 18:00", surgery(of=None)),
        ),
        reviews={"surgery-unplanned": "A surgery is recorded for a patient who is not on the pathway."},
    ),
    Patient(
        "Amanda Christ",
        "An order for calcinosis arrives with a code that is no referral of the clinic.",
        steps=(
            ("2026-03-02", patient_record()),
            (
                "2026-03-02 11:00",
                referral(known=False, code={"text": "Second opinion"}, reasonCode=[CALCINOSIS]),
            ),
        ),
        reviews={"referral-reason-only": "An order for calcinosis arrived with a code that is no referral."},
    ),
)

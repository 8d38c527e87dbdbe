"""The decision table row by row: what is proposed for whom."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import decision, indications, referral

PROPOSING = (
    Patient(
        "Clara Vogt",
        "Her form came back half answered: nobody said how large the deposit is or whether the diagnosis is certain.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"dec-size": None, "diagnosis-certain": None})),
        ),
        row=1,
        asked={"calcinosis-surgery-indications": "completed", "calcinosis-shared-decision": "requested, surgeon"},
        not_asked={
            "cause-workup-open": "not so: indications answered, cause left open",
            "choice-conservative": "unknown: decision = conservative",
        },
        spared=("rule-surgery-discussion", "rule-small-silent"),
    ),
    Patient(
        "Ida Brandt",
        "A small silent lump that might be something else: waiting is not proposed, and the tissue will be examined.",
        steps=(
            ("2026-03-02", referral()),
            (
                "2026-03-02 11:00",
                indications(
                    {"dec-size": "small", "diagnosis-certain": False, "ind-diagnostic-uncertainty": True},
                ),
            ),
            ("2026-03-03", decision("surgery")),
        ),
        row=2,
        asked={"proc-tissue-analysis": "draft"},
        shows=("rule-surgery-discussion", "rule-tissue", "rule-orders-are-drafts"),
        spared=("rule-small-silent", "rule-urgent-review"),
    ),
    Patient(
        "Hanna Richter",
        "Her deposits doubled in two months: the review is urgent, and she wants to talk first.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"ind-rapid-progression": True, "consultation-wanted": True})),
        ),
        row=3,
        asked={
            "calcinosis-shared-decision": "requested, urgent, surgeon",
            "dec-thorough-discussion": "waitlist",
        },
        shows=("rule-surgery-discussion", "rule-urgent-review"),
        spared=("rule-preference-only",),
    ),
    Patient(
        "Gerda Kraus",
        "A growing deposit threatens the nerve at her elbow: named and growing, so it is urgent although it is small.",
        steps=(
            ("2026-03-02", referral()),
            (
                "2026-03-02 11:00",
                indications(
                    {
                        "dec-size": "small",
                        "ind-prevent-complications": True,
                        "ind-prevent-complications-structure": "ulnar nerve",
                        "ind-prevent-complications-growth": True,
                    }
                ),
            ),
        ),
        row=3,
        asked={"calcinosis-shared-decision": "requested, urgent"},
        not_asked={"dec-thorough-discussion": "unknown: an appointment to talk is wanted"},
        shows=("rule-urgent-review",),
        spared=("rule-small-silent",),
    ),
    Patient(
        "Anna Huber",
        "Severe pain for a year in spite of treatment. She has talked it through, and surgery is decided.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"ind-severe-pain": True, "consultation-wanted": True})),
            ("2026-03-03", decision("surgery")),
        ),
        row=4,
        asked={
            "dec-thorough-discussion": "cancelled",
            "calcinosis-shared-decision": "completed",
            "proc-excision": "draft",
            "prep-medical-clearance": "requested, primary-care",
        },
        not_asked={
            "proc-tissue-analysis": "unknown: the diagnosis is unclear",
            "cause-address": "not so: a cause is known",
            "watchful-follow-up": "not so: decision = watchful follow-up or conservative",
        },
        shows=("rule-surgery-discussion", "rule-orders-are-drafts"),
        spared=("rule-cosmetic-only", "rule-urgent-review", "rule-tissue", "rule-recurrence-text"),
        weighs_more=(),
    ),
    Patient(
        "Berta Lang",
        "A small deposit that she hardly notices: conservative care is proposed, and they agree to watch it.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"dec-size": "small", "ind-critical-anatomy": True})),
            ("2026-03-03", decision("watchful", answers={"dec-delay-risk-talk": True})),
        ),
        row=5,
        asked={"watchful-follow-up": "requested, coordinator"},
        not_asked={
            "proc-excision": "not so: decision = surgery",
            "choice-conservative": "not so: decision = conservative",
            "dec-delay-risk-talk": "not so: nobody has said that this was talked about",
        },
        shows=("rule-small-silent",),
        spared=("rule-surgery-discussion", "rule-orders-are-drafts"),
    ),
    Patient(
        "Paula Winter",
        "A deposit of medium size beside a vessel, without complaints: surgery may be considered.",
        steps=(
            ("2026-03-02", referral()),
            (
                "2026-03-02 11:00",
                indications({"ind-critical-anatomy": True, "ind-critical-anatomy-structure": ["vessel"]}),
            ),
        ),
        row=6,
        shows=("rule-surgery-discussion",),
        spared=("rule-small-silent", "rule-cosmetic-only"),
        weighs_more=("risk-bleeding", "risk-nerve-damage"),
    ),
    Patient(
        "Luise Sommer",
        "Its looks trouble her a little, nothing else does: conservative care is proposed and chosen.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"cosmetic-concern": "moderate"})),
            ("2026-03-03", decision("conservative", answers={"alternatives-agreed": ["co2-laser"]})),
        ),
        row=7,
        asked={"alt-conservative-default": "requested, surgeon", "watchful-follow-up": "requested, coordinator"},
        not_asked={
            "proc-excision": "not so: decision = surgery",
            "choice-watchful": "not so: decision = watchful, more work-up or declined",
        },
        shows=("rule-cosmetic-only",),
        spared=("rule-surgery-discussion", "rule-orders-are-drafts"),
    ),
    Patient(
        "Marie Sauer",
        "Its looks distress her so much that she stays at home: surgery may be considered.",
        steps=(
            ("2026-03-02", referral()),
            (
                "2026-03-02 11:00",
                indications({"cosmetic-concern": "severe", "quality-of-life-impact": True, "dec-size": "large"}),
            ),
        ),
        row=4,
        shows=("rule-surgery-discussion",),
        spared=("rule-cosmetic-only",),
        weighs_more=("risk-scarring",),
    ),
    Patient(
        "Frieda Engel",
        "She wants it gone for good and has nothing else to say for it: her wish alone is not enough.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"ind-definitive-preference": True})),
        ),
        row=8,
        shows=("rule-preference-only",),
        spared=("rule-surgery-discussion",),
    ),
    Patient(
        "Klara Beck",
        "She wants it gone for good and cannot bend her knee: the knee is the reason.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"ind-definitive-preference": True, "ind-mobility-limitation": True})),
        ),
        row=4,
        shows=("rule-surgery-discussion",),
        spared=("rule-preference-only",),
    ),
    Patient(
        "Erna Schuster",
        "To prevent harm was ticked, but no structure was named and no growth: the evidence is asked for.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"ind-prevent-complications": True})),
        ),
        row=9,
        spared=("rule-urgent-review", "rule-surgery-discussion"),
    ),
    Patient(
        "Dora Pfeiffer",
        "Nothing troubles her, she was sent by mistake; they decide to watch it. What waiting means is still unsaid.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications()),
            ("2026-03-03", decision("watchful")),
        ),
        row=10,
        asked={"watchful-follow-up": "requested", "dec-delay-risk-talk": "requested, surgeon"},
        spared=("rule-surgery-discussion", "rule-cosmetic-only", "rule-preference-only"),
    ),
)

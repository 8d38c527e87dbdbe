"""The decision table row by row, and what comes of each decision."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import checklist, decision, hospital, indications, nothing, referral

DECIDING = (
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
    Patient(
        "Rita Maurer",
        "Nobody has looked for the cause, and the surgeon wants blood tests for it.",
        steps=(
            ("2026-03-02", referral()),
            (
                "2026-03-02 11:00",
                indications({"ind-skin-breakdown": True, "cause-idiopathic": None, "cause-workup-tests": True}),
            ),
        ),
        row=4,
        asked={"cause-workup-open": "requested, primary-care", "cause-workup-tests": "draft"},
        not_asked={"cause-address": "not so: a cause is known"},
        shows=("rule-cause-open", "rule-orders-are-drafts"),
    ),
    Patient(
        "Olga Neumann",
        "Systemic sclerosis that no medicine holds back: the cause is treated too, and deposits may well return.",
        steps=(
            ("2026-03-02", referral()),
            (
                "2026-03-02 11:00",
                indications(
                    {
                        "ind-autoimmune-refractory": True,
                        "cause-autoimmune": "systemic-sclerosis",
                        "cause-idiopathic": None,
                        "prior-treatment": ["medication"],
                        "dec-prior-response": "none",
                    }
                ),
            ),
            ("2026-03-03", decision("surgery")),
        ),
        row=4,
        asked={"cause-address": "requested, primary-care"},
        not_asked={
            "cause-workup-open": "not so: indications answered, cause left open",
            "cause-workup-tests": "unknown: tests for the cause are wanted",
        },
        weighs_more=("risk-recurrence",),
        shows=("rule-recurrence-text",),
        spared=("rule-cause-open", "rule-healing-factors"),
    ),
    Patient(
        "Vera Busch",
        "She is offered surgery and declines: the risks of waiting are to be talked about, and nothing is prepared.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"ind-occupational": True, "ind-occupational-work": "violinist"})),
            ("2026-03-03", decision("declined")),
        ),
        row=4,
        asked={
            "dec-delay-risk-talk": "requested, surgeon",
            "decision-without-reason": "requested, surgeon",
        },
        not_asked={
            "proc-excision": "not so: decision = surgery",
            "watchful-follow-up": "not so: decision = watchful follow-up or conservative",
        },
        spared=("rule-orders-are-drafts",),
    ),
    Patient(
        "Sofie Arnold",
        "She changes her mind: surgery is decided, her clearance is under way, then she prefers to wait.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"ind-persistent-symptoms": True})),
            ("2026-03-03", decision("surgery", "anesthesia-planned")),
            ("2026-03-04", hospital("prep-medical-clearance", status="accepted")),
            ("2026-03-05", checklist({"prep-ask-questions": "Can I wait until summer?"})),
            ("2026-03-06", decision("conservative", answers={"dec-outcome-reason": "She wants to wait until summer."})),
            ("2026-03-07", nothing),
        ),
        asked={
            "proc-excision": "revoked",
            "prep-medical-clearance": "accepted",
            "prep-transport": "cancelled",
            "prep-ask-questions": "cancelled",
            "mit-anesthesia-history": "cancelled",
            "confirm-cancellation": "requested, urgent, coordinator",
            "alt-conservative-default": "requested",
            "watchful-follow-up": "requested",
        },
        spared=("rule-reschedule",),
    ),
    Patient(
        "Theresa Kolb",
        "The surgeon completes the half-answered form: now rapid growth is ticked, so the review becomes urgent.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"dec-size": None})),
            ("2026-03-02 12:00", indications({"ind-rapid-progression": True}, id="indications-1", status="amended")),
        ),
        row=3,
        spared=("rule-cause-open",),
        defects={
            "the Task shows": "the Task for the decision keeps the proposal that stood there when it was made",
            "the decision is": "the Task for the decision keeps the priority that it was made with",
        },
    ),
    Patient(
        "Ursula Maier",
        "Her kidneys are ill. Nothing is decided yet, so the cause is not yet handed to her own doctor.",
        steps=(
            ("2026-03-02", referral()),
            ("2026-03-02 11:00", indications({"cause-kidney-disease": True, "cause-idiopathic": None})),
        ),
        row=10,
        not_asked={"cause-address": "not so: a cause is known"},
        spared=("rule-cause-open", "rule-recurrence-text"),
        defects={"cause-address": "with kidney disease or hypercalcemia it is asked for before any decision"},
    ),
)

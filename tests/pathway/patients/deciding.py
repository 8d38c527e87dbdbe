"""What comes of each decision, of a cause that is known or open, and of a change of mind."""

from __future__ import annotations

from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import checklist, decision, every_task_done, hospital, indications, nothing, referral
from tests.pathway.patients.usual import assessed

DECIDING = (
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
        "Walburga Hein",
        "She declined, with a reason; the risks of waiting were talked about, and nothing is left to do.",
        steps=(
            *assessed(),
            (
                "2026-03-03",
                decision(
                    "declined",
                    answers={"dec-delay-risk-talk": True, "dec-outcome-reason": "She is afraid of anesthesia."},
                ),
            ),
            ("2026-03-04", every_task_done()),
        ),
        asked={"rule-plan-complete": "completed, surgeon"},
        not_asked={"dec-delay-risk-talk": "not so: nobody has said that this was talked about"},
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
    ),
)

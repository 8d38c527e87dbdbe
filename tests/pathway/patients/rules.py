"""The 30 rules of the content: for each, whether what happened to a patient shows that it applies to her.

True: it applied. False: it was looked at, or everything it looks at was there, and it did not apply. None: neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pathway.codes import OUTCOME, RECOVERY_DIARY
from pathway.ports import Resource
from tests.pathway.patients.course import Course
from tests.pathway.test_risks import assessed, predictions

Fact = Callable[[Course], bool | None]


def asked_for(*actions: str) -> Fact:
    """One of these actions led to a request, or was looked at and left out."""

    def fact(course: Course) -> bool | None:
        if any(course.requests(action) for action in actions):
            return True
        looked_at = [one for one in course.said if one.action in actions]
        return False if any(one.left_out or one.why.startswith("waits for") for one in looked_at) else None

    return fact


def by_row(row: int) -> Fact:
    """This row of the decision table proposes."""

    def fact(course: Course) -> bool | None:
        proposal = course.proposal()
        return None if proposal is None else proposal.row == row

    return fact


def proposed(result: str) -> Fact:
    def fact(course: Course) -> bool | None:
        proposal = course.proposal()
        return None if proposal is None else proposal.result == result

    return fact


def weighs_more(*risks: str) -> Fact:
    def fact(course: Course) -> bool | None:
        found = predictions(assessed(course.clinic))
        return all("Weighs more" in found[risk]["rationale"] for risk in risks)

    return fact


def urgent_review(course: Course) -> bool | None:
    tasks = course.requests("calcinosis-shared-decision")
    return tasks[-1]["priority"] == "urgent" if tasks else None


def medicines(course: Course) -> bool | None:
    """A medicine that thins blood or calms inflammation was listed, and its review and what follows were asked for."""
    if course.requests("prep-medication-stop-plan") or course.requests("rec-pain-control"):
        return bool(course.requests("prep-medication-review"))
    return asked_for("prep-medication-stop-plan")(course)


def fasting(course: Course) -> bool | None:
    """A message went out, and every one carries words that a clinician confirmed."""
    messages = course.requests("prep-fasting")
    if messages:
        return all("onfirmed by" in message["payload"][0]["contentString"] for message in messages)
    return asked_for("prep-fasting")(course)


def moved(course: Course) -> bool | None:
    """A day that was there moved because the day of surgery did."""
    reasons = [one["text"] for record in course.clinic.all("Provenance") for one in record.get("reason", [])]
    return any(re.search("moved from (?!no date)", reason) for reason in reasons)


def versions(course: Course, action: str) -> list[Resource]:
    repository = course.clinic.store.repository(course.clinic.hospital)
    return [v for r in course.requests(action) for v in repository.history(r["resourceType"], r["id"])]


def provisional(course: Course) -> bool | None:
    """The follow-up once was a provisional draft, and as one it was never asked for before surgery."""
    drafts = [task for task in versions(course, "fu-first-visit") if task["status"] == "draft"]
    return all("businessStatus" in task for task in drafts) if drafts else False


def first_visit(course: Course) -> bool | None:
    """It is asked for and not provisional, with an Appointment; False: it is waiting for a surgery."""
    tasks = course.requests("fu-first-visit")
    firm = any(task["status"] in ("requested", "completed") and "businessStatus" not in task for task in tasks)
    return bool(course.requests("fu-first-visit-appointment")) if firm else False if tasks else None


def visit_happened(course: Course) -> bool | None:
    tasks = course.requests("fu-first-visit")
    return any(task["status"] == "completed" for task in tasks) if tasks else None


def drafts(course: Course) -> bool | None:
    """Every order of ours began as a draft; False: she has none."""
    orders = [r for found in course.actions().values() for r in found if r["resourceType"] == "ServiceRequest"]
    repository = course.clinic.store.repository(course.clinic.hospital)
    begun = [repository.vread("ServiceRequest", order["id"], "1") for order in orders]
    return all(order["status"] == "draft" for order in begun) if begun else False


def red_flag(course: Course) -> bool | None:
    """There is a Flag; or forms that could have raised one, and did not."""
    if course.clinic.ours("Flag"):
        return True
    forms = course.clinic.all("QuestionnaireResponse")
    return False if any(form["questionnaire"].startswith((RECOVERY_DIARY, OUTCOME)) for form in forms) else None


def flag_closed(course: Course) -> bool | None:
    flags = course.clinic.ours("Flag")
    return all(flag["status"] == "inactive" for flag in flags) if flags else None


RULES: Mapping[str, Fact] = {
    "rule-surgery-discussion": proposed("surgery-may-be-considered"),
    "rule-cosmetic-only": by_row(7),
    "rule-small-silent": by_row(5),
    "rule-preference-only": by_row(8),
    "rule-urgent-review": urgent_review,
    "rule-cause-open": asked_for("cause-workup-open"),
    "rule-recurrence-text": weighs_more("risk-recurrence"),
    "rule-healing-factors": weighs_more("risk-delayed-healing", "risk-infection"),
    "rule-medication": medicines,
    "rule-immune-medicine": asked_for("rule-immune-medicine"),
    "rule-clearance-gate": asked_for("rule-clearance-gate"),
    "rule-authorization-gate": asked_for("rule-authorization-gate"),
    "rule-escort-gate": asked_for("rule-escort-gate"),
    "rule-fasting": fasting,
    "rule-reschedule": moved,
    "rule-surgery-unknown": asked_for("rule-surgery-unknown"),
    "rule-first-visit-provisional": provisional,
    "rule-first-visit": first_visit,
    "rule-visit-unbooked": asked_for("rule-visit-unbooked"),
    "rule-visit-happened": visit_happened,
    "rule-visit-overdue": asked_for("fu-missed-visit"),
    "rule-plan-complete": asked_for("rule-plan-complete"),
    "rule-orders-are-drafts": drafts,
    "rule-stitches": asked_for("fu-remove-stitches"),
    "rule-therapy": asked_for("rec-physical-therapy"),
    "rule-red-flag": red_flag,
    "rule-flag-close": flag_closed,
    "rule-more-surgery": asked_for("add-additional-surgery"),
    "rule-tissue": asked_for("proc-tissue-analysis"),
    "rule-minor": asked_for("rule-minor"),
}

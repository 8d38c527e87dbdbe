"""What a patient expects against what came of her course: each difference as a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from pathway.keys import key_of
from pathway.ports import Resource
from tests.pathway.patients.course import USUAL, Course
from tests.pathway.patients.rules import RULES
from tests.pathway.test_risks import assessed, predictions


def differences(course: Course) -> list[str]:
    """All of them; empty when everything is as it should be."""
    return [
        *_asked(course),
        *_not_asked(course),
        *_proposed(course),
        *_warned(course),
        *_reviewed(course),
        *_weighed(course),
        *_ruled(course),
    ]


def description(request: Resource) -> set[str]:
    """What a request says, in the words in which patients expect it."""
    period = request if "start" in request else next(iter(request.get("requestedPeriod", [])), {})
    period = period or request.get("restriction", {}).get("period") or request.get("occurrencePeriod", {})
    first = str(period.get("start") or request.get("occurrenceDateTime") or "")[:10]
    last = str(period.get("end") or "")[:10]
    days = {(True, True): f"{first} to {last}", (False, True): f"by {last}", (True, False): f"on {first}"}
    owner = str(request.get("owner", {}).get("reference", ""))
    said = {
        request["status"],
        request.get("priority", "routine"),
        "patient" if owner.startswith("Patient/") else owner.rpartition("/")[2],
        f"on {first}" if first == last and first else days.get((bool(first), bool(last)), ""),
        "provisional" if "businessStatus" in request else "",
    }
    return said - {"", "routine"}


def _asked(course: Course) -> Iterator[str]:
    found = course.actions()
    for action, words in course.patient.asked.items():
        expected = (words,) if isinstance(words, str) else words
        said = [description(request) for request in found.get(action, [])]
        if len(said) != len(expected):
            yield f"{action}: asked for {len(said)} times ({said}), not {len(expected)}"
            continue
        for one, has in zip(expected, said, strict=True):
            if not set(one.split(", ")) <= has:
                yield f"{action}: is {sorted(has)}, not {one}"
    for action in sorted(found.keys() - USUAL - course.patient.asked.keys()):
        yield f"{action}: asked for without being expected ({[description(r) for r in found[action]]})"


def _not_asked(course: Course) -> Iterator[str]:
    for action, why in course.patient.not_asked.items():
        if requests := course.requests(action):
            yield f"{action}: asked for all the same ({[description(r) for r in requests]})"
        said = [one.why for one in course.said if one.action == action]
        if not said or not all(sentence.startswith(why) for sentence in said):
            yield f"{action}: explained by {said}, not by {why!r}"


def _proposed(course: Course) -> Iterator[str]:
    if course.patient.row is None:
        return
    proposal = course.proposal()
    assert proposal is not None
    if proposal.row != course.patient.row:
        yield f"proposed by row {proposal.row}, not {course.patient.row}"
    [task] = course.requests("calcinosis-shared-decision")
    shown = [i["valueCodeableConcept"]["coding"][0]["code"] for i in task["input"] if "valueCodeableConcept" in i]
    reasons = tuple(i["valueString"] for i in task["input"] if i["type"] == {"text": "Reason"})
    if (shown, reasons) != ([proposal.result], proposal.reasons):
        yield f"the Task shows {shown} {reasons}, the table says {proposal.result} {proposal.reasons}"
    if (task["priority"] == "urgent") != proposal.urgent:
        yield f"the decision is {task['priority']}, the table says urgent: {proposal.urgent}"


def _warned(course: Course) -> Iterator[str]:
    flags = sorted(f"{key_of(f).value.split(':')[3]} {f['status']}" for f in course.clinic.ours("Flag"))  # type: ignore[union-attr]
    if flags != sorted(course.patient.flags):
        yield f"flags are {flags}, not {sorted(course.patient.flags)}"
    alerts = sorted(f"{alert.code} {alert.priority}" for alert in course.clinic.alerts())
    if alerts != sorted(course.patient.alerts):
        yield f"alerts are {alerts}, not {sorted(course.patient.alerts)}"


def _reviewed(course: Course) -> Iterator[str]:
    reviews = {reason: task["description"] for reason, task in course.clinic.reviews().items()}
    expected = course.patient.reviews
    if reviews.keys() != expected.keys() or any(not reviews[r].startswith(s) for r, s in expected.items()):
        yield f"reviews are {reviews}, not {dict(expected)}"
    if {entry.reason for entry in course.clinic.quarantine()} != expected.keys():
        yield f"in quarantine: {[entry.explanation for entry in course.clinic.quarantine()]}"


def _weighed(course: Course) -> Iterator[str]:
    expected = course.patient.weighs_more
    if expected is not None and (found := weighing(course)) != set(expected):
        yield f"risks that weigh more are {sorted(found)}, not {sorted(expected)}"


def weighing(course: Course) -> set[str]:
    """The risks that her RiskAssessment emphasises."""
    found = predictions(assessed(course.clinic))
    return {risk for risk, prediction in found.items() if "Weighs more" in prediction["rationale"]}


def _ruled(course: Course) -> Iterator[str]:
    for rules, wanted in ((course.patient.shows, True), (course.patient.spared, False)):
        for rule in rules:
            if (met := RULES[rule](course)) is not wanted:
                yield f"{rule}: {'applies' if wanted else 'does not apply'} to her, she says; what happened says {met}"

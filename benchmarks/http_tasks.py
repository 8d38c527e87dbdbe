"""GET and POST of a Task: our server, durable on SQLite, against HAPI in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from uuid import uuid4

from benchmarks.load import Ask, load
from benchmarks.measure import Comparison, Sample, interleaved
from benchmarks.servers import Server, our_hospital
from pathway import codes
from pathway.ports import Resource

CONNECTIONS = 8
_PATIENT, _SURGEON, _PLAN, _TASK = "bench-patient", "bench-surgeon", "bench-plan", "bench-task"
_NOTES = (
    "Called the patient on the number in the file: not in service. The sister's number is with the ward; she will pass "
    "on the date and asks for a call back in the afternoon. Interpreter is not needed.",
    "Anticoagulation: the family doctor is asked whether and when to pause it, answer expected by Friday. Until then "
    "the date stands, the anesthesia clinic knows and will see the patient on the day before.",
    "Transport is arranged with the neighbour; somebody has to be at home for the first night. The patient was told to "
    "bring the list of medicines and the compression gloves.",
    "Family doctor answered by phone, letter follows: pause from the evening two days before, no bridging. The patient "
    "repeated it correctly. Pre-authorization number is on the insurer's letter in the paper file.",
)

_MEDICINES = ("apixaban 5 mg 1-0-1", "mycophenolate 500 mg 1-0-1", "amlodipine 5 mg 1-0-0")


def compare(hapi: Server | None, rounds: int, seconds: float, warm_up: float) -> Iterator[Comparison]:
    """A round is `seconds` long for each server; HAPI is warmed for each operation, and so are we."""
    with our_hospital() as ours:
        servers = [ours, *([hapi] if hapi else [])]
        for server in servers:
            server.put(*_people(), {**task(0), "id": _TASK})
        size = len(json.dumps(task(0))) / 1000
        for method, ask in (("GET", _get), ("POST", _post)):
            runs = [partial(load, server, ask, CONNECTIONS, seconds) for server in servers]
            for server in servers:
                load(server, ask, CONNECTIONS, warm_up)
            samples = interleaved(rounds, *runs)
            what = f"{method} a Task of {size:.1f} kB, {CONNECTIONS} connections"
            yield _comparison(what, samples)


def _comparison(what: str, samples: Sequence[Sequence[Sample]]) -> Comparison:
    ours, *other = samples
    return Comparison(what, "HAPI" if other else "", ours, other[0] if other else ())


def _get(_: int) -> Ask:
    return Ask("GET", f"/Task/{_TASK}")


def _post(number: int) -> Ask:
    return Ask("POST", "/Task", json.dumps(task(number)).encode())


def _people() -> list[Resource]:
    subject = {"reference": f"Patient/{_PATIENT}"}
    plan = {"resourceType": "CarePlan", "id": _PLAN, "status": "active", "intent": "plan", "subject": subject}
    return [
        {"resourceType": "Patient", "id": _PATIENT, "name": [{"family": "Weiß-Ângström"}]},
        {"resourceType": "Practitioner", "id": _SURGEON, "name": [{"family": "Okafor"}]},
        plan,
    ]


def task(number: int) -> Resource:
    """A preparation Task as it looks after people have worked on it; no two have the same identifiers."""
    surgeon = {"reference": f"Practitioner/{_SURGEON}", "display": "Dr. Adaeze Okafor"}
    return {
        "resourceType": "Task",
        "identifier": [
            {"use": "official", "system": "https://north-hospital.example/tasks", "value": str(uuid4())},
            {"use": "secondary", "system": "https://north-hospital.example/worklist", "value": f"W-{number:08}"},
        ],
        "basedOn": [{"reference": f"CarePlan/{_PLAN}"}],
        "groupIdentifier": {"system": "https://north-hospital.example/groups", "value": f"G-{number:08}"},
        "status": "in-progress",
        "businessStatus": {"text": "waiting for the family doctor"},
        "statusReason": {"text": "the letter with the doses to pause has not arrived"},
        "intent": "order",
        "priority": "routine",
        "code": {
            "coding": [
                {"system": f"{codes.BASE}/CodeSystem/activity-type", "code": "preparation", "display": "Preparation"}
            ],
            "text": "Review the medicines",
        },
        "description": "Review all medicines with the patient: blood thinners, immunosuppression, calcium and vitamin "
        "D. Decide with who prescribes them what is paused, from when, and what replaces it.",
        "for": {"reference": f"Patient/{_PATIENT}"},
        "executionPeriod": {"start": "2026-03-03T09:15:00+01:00"},
        "authoredOn": "2026-03-03T08:02:11.120+01:00",
        "lastModified": "2026-03-05T14:41:00+01:00",
        "requester": surgeon,
        "performerType": [{"coding": [{"system": codes.ROLE, "code": "anesthesia"}]}],
        "owner": surgeon,
        "reasonCode": {
            "coding": [{"system": codes.SNOMED, "code": "6595006", "display": "Calcinosis (disorder)"}],
            "text": "Calcinosis cutis, left forearm, before excision",
        },
        "note": [
            {"authorReference": surgeon, "time": f"2026-03-0{day}T10:00:00+01:00", "text": text}
            for day, text in enumerate(_NOTES, start=3)
        ],
        "restriction": {"period": {"start": "2026-03-03", "end": "2026-03-06"}, "recipient": [surgeon]},
        "input": [
            {"type": {"text": f"Medicine {place}"}, "valueString": medicine}
            for place, medicine in enumerate(_MEDICINES, start=1)
        ],
        "output": [{"type": {"text": "Answer of the family doctor"}, "valueString": "apixaban: pause two days before"}],
    }

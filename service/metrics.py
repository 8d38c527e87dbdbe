"""What the service has to do and has done, as numbers for Prometheus; no patient data.

The text exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from fhir_adapters.store.health import Queues
from schedules.duties.sweep import Report
from service.bootstrap import Services

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "calcinosis_pathway_"
_HELP: Mapping[str, str] = {
    "hospital_active": "Whether the duties work for a hospital.",
    "due_rows": "Due work by state.",
    "outbox_rows": "Resources on their way to the hospital by state.",
    "quarantine_rows": "Inputs that could not be acted on by state.",
    "alerts_unanswered": "Calls to people that nobody has acknowledged.",
    "oldest_due_age_seconds": "How long the oldest due work is overdue, on the hospital's clinical clock.",
    "oldest_queued_age_seconds": "How long the oldest resource has waited to be sent.",
    "heartbeat_age_seconds": "How long ago a duty of an active hospital last gave a sign of life.",
    "sweep_age_seconds": "How long ago the last sweep ended.",
    "sweep_plans": "Running plans that the last sweep looked at.",
    "sweep_surgeries": "Surgeries that took place, of these plans.",
    "sweep_planned": "Surgeries with a follow-up.",
    "sweep_inside": "Surgeries with a follow-up inside the window.",
    "sweep_with_people": "Surgeries whose follow-up is a question or a decision of somebody at the hospital.",
    "sweep_missing": "Surgeries without a follow-up that nobody is asked about.",
    "sweep_mended": "Plans and records of which something was missing and was written.",
    "sweep_failed": "Plans and records that could not be looked at.",
    "sweep_unplanned": "Recorded surgeries of patients without a plan.",
    "sweep_unreviewed": "Recorded surgeries of patients without a plan that nobody is asked about.",
}
_OF_SWEEP = [name.removeprefix("sweep_") for name in _HELP if name.startswith("sweep_") and name != "sweep_age_seconds"]


@dataclass(frozen=True)
class Sample:
    """One value of one of the metrics above."""

    name: str
    labels: Mapping[str, str]
    value: float


def exposition(samples: Iterable[Sample]) -> str:
    """All values of a metric stand together below its help."""
    by_name: dict[str, list[Sample]] = {name: [] for name in _HELP}
    for sample in samples:
        by_name[sample.name].append(sample)
    return "".join(f"{line}\n" for name, found in by_name.items() if found for line in _lines(name, found))


def collected(services: Services) -> Iterator[Sample]:
    """Read now, hospital by hospital."""
    now = services.store.wire_now()
    for record in services.store.hospitals():
        hospital = {"hospital": record.name}
        yield Sample("hospital_active", hospital, record.status == "active")
        yield from _waiting(hospital, services.store.queues(record.name), now, now + record.clinical_offset)
        report = services.sweeps.last(record.name)
        if report is not None:
            yield from _swept(hospital, report, now)
    last = {beat.name: beat.at for beat in services.store.heartbeats()}
    for duty in services.duties():
        if duty.name in last:
            name, _, kind = duty.name.partition(".")
            yield Sample("heartbeat_age_seconds", {"hospital": name, "duty": kind}, _age(last[duty.name], now))


def _waiting(hospital: Mapping[str, str], queues: Queues, now: datetime, clinical: datetime) -> Iterator[Sample]:
    rows = {"due_rows": queues.due, "outbox_rows": queues.outbox, "quarantine_rows": queues.quarantine}
    for name, states in rows.items():
        for state, count in sorted(states.items()):
            yield Sample(name, {**hospital, "state": state}, count)
    unanswered = sum(count for state, count in queues.alerts.items() if state != "acknowledged")
    yield Sample("alerts_unanswered", hospital, unanswered)
    yield Sample("oldest_due_age_seconds", hospital, _age(queues.oldest_due, clinical))
    yield Sample("oldest_queued_age_seconds", hospital, _age(queues.oldest_queued, now))


def _swept(hospital: Mapping[str, str], report: Report, now: datetime) -> Iterator[Sample]:
    yield Sample("sweep_age_seconds", hospital, _age(report.ended, now))
    for name in _OF_SWEEP:
        yield Sample(f"sweep_{name}", hospital, getattr(report, name))


def _age(since: datetime | None, now: datetime) -> float:
    """0 when there is nothing, or only what lies ahead."""
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def _lines(name: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{name} {_HELP[name]}"
    yield f"# TYPE {_PREFIX}{name} gauge"
    for sample in samples:
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels.items())
        yield f"{_PREFIX}{name}{{{labels}}} {float(sample.value)!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

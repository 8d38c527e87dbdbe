"""A patient's course, lived step by step with the clock that releases what falls due, and all that came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fhir_adapters.store.memory import MemoryStore
from pathway.assessment import Assessment, assess
from pathway.codes import INDICATIONS
from pathway.keys import key_of
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to
from tests.pathway.conftest import ZONE, Clinic, WireClock
from tests.pathway.patients.patient import Patient
from tests.pathway.patients.story import REQUESTS
from tests.pathway.test_parameters import with_own

USUAL = frozenset(
    {
        "calcinosis-surgery-indications",
        "calcinosis-shared-decision",
        "proc-excision",
        "prep-medication-disclosure",
        "prep-medication-review",
        "prep-medical-clearance",
        "prep-prior-authorization",
        "prep-fasting-override",
        "prep-transport",
        "calcinosis-operation-record",
        "rec-discharge",
        "rec-wound-instructions",
        "calcinosis-recovery-diary",
        "fu-first-visit",
        "fu-first-visit-appointment",
        "calcinosis-outcome",
        "message-unconfirmed",
    }
)
"""What everybody is asked who takes the usual course: patients name these only where something about them matters."""


@dataclass(frozen=True)
class Said:
    """What the explanation of a plan says of an action."""

    action: str
    included: bool
    why: str

    @property
    def left_out(self) -> bool:
        """Whether a condition keeps it out, as opposed to its time or its anchor."""
        return not self.included and self.why.startswith(("not so: ", "unknown: ", "not needed"))


@dataclass
class Course:
    """`said` is the explanation of all her plans at the end."""

    patient: Patient
    clinic: Clinic
    said: list[Said] = field(default_factory=list)

    def requests(self, action: str) -> list[Resource]:
        """What the action led to, in the order of its keys."""
        return [r for type in REQUESTS[:-1] for r in self.clinic.ours(type, action)]

    def actions(self) -> Mapping[str, list[Resource]]:
        """Everything that was asked for, by its action."""
        found: dict[str, list[Resource]] = {}
        for type in REQUESTS[:-1]:
            for request in self.clinic.ours(type):
                action = _action(request)
                if action is not None:
                    found.setdefault(action, []).append(request)
        return found

    def proposal(self) -> Assessment | None:
        """What the decision table says of the newest assessment; None without one."""
        forms = [r for r in self.clinic.all("QuestionnaireResponse") if r["questionnaire"].startswith(INDICATIONS)]
        return assess(max(forms, key=lambda r: r["authored"])) if forms else None

    def made(self) -> list[Resource]:
        """Every resource as it is now that the pathway is the author of."""
        resources = [self.clinic.read(*reference.split("/")) for reference in self.clinic.versions()]
        return [r for r in resources if key_of(r) is not None or r["resourceType"] == "Provenance"]


def live(patient: Patient, content: Library) -> Course:
    """A clinic of her own, and her steps in it."""
    wire = WireClock()
    clinic = Clinic(MemoryStore(wire), wire, content)
    if patient.site:
        with_own(clinic, **patient.site)
    if patient.closed:
        calendar = clinic.site.calendar.model_copy(update={"closures": (patient.closed,)})
        clinic.site = clinic.site.model_copy(update={"calendar": calendar})
    for when, act in patient.steps:
        wait_until(clinic, when)
        act(clinic)
    return Course(patient, clinic, list(explained(clinic)))


def wait_until(clinic: Clinic, when: str) -> None:
    """What falls due on the way is released at its own time; what is due then, at the end."""
    day, _, hour = when.partition(" ")
    then = datetime.fromisoformat(f"{day}T{hour or '10:00'}").replace(tzinfo=ZONE)
    while ahead := [work.due_at for work in clinic.due_work() if work.state == "scheduled" and work.due_at <= then]:
        clinic.clinical = max(clinic.clinical, ahead[0])
        clinic.release()
    clinic.at(then.isoformat()[:16])


def explained(clinic: Clinic) -> Iterator[Said]:
    """What is said of every action of all her plans now."""
    with clinic.store.transaction(clinic.hospital) as tx:
        for plan in clinic.ours("CarePlan"):
            answer = clinic.pathway.explain(tx, reference_to(plan), clinic.now())
            for action in [p for p in answer["parameter"] if p["name"] == "action"]:
                part = {p["name"]: next(v for name, v in p.items() if name != "name") for p in action["part"]}
                yield Said(part["id"], part["included"], part["why"])


def _action(request: Resource) -> str | None:
    """hospital:referral:plan:action:...; None for a review, whose key is the hospital's own."""
    key = key_of(request)
    parts = key.value.split(":") if key else []
    return parts[3] if len(parts) > 3 and parts[1] != "review" else None

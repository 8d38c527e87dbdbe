"""What the admin REST answers. Times are aware; `clinical` ones are on the hospital's clinical clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fhir_adapters.store.hospitals import Status
from fhir_adapters.store.outbox import OutboxState
from pathway.due_work import DueState
from pathway.signing import Approver
from pathway.site import Kind, Site
from schedules.duties.sweep import Report
from service.admin.reasons import Explanation

Day = date  # under another name, because fields are called date


class Answer(BaseModel):
    """Built from our own records by the names of their fields."""

    model_config = ConfigDict(from_attributes=True)


class HospitalSummary(Answer):
    name: str
    kind: Kind
    status: Status
    base_url: str
    registered_at: datetime
    clinical_time: datetime


class Hospitals(Answer):
    hospitals: list[HospitalSummary]


class Reach(Answer):
    """What we can do at the hospital's server, by its CapabilityStatement; `problem` says why it could not be read."""

    software: str | None = None
    transaction: bool | None = Field(None, description="whether several changes are written all or none")
    types: dict[str, str] = Field(default_factory=dict, description="per resource type, how it is written and read")
    problem: str | None = None


class Counts(Answer):
    """Rows by state, resources by type; `oldest_due` is clinical time."""

    due: dict[str, int]
    outbox: dict[str, int]
    alerts: dict[str, int]
    quarantine: dict[str, int]
    resources: dict[str, int]
    oldest_due: datetime | None
    oldest_queued: datetime | None


class DutySign(Answer):
    """When a duty last ran, and how it ended."""

    duty: str
    at: datetime
    outcome: str


class Hospital(HospitalSummary):
    site: Site
    missing_roles: list[str] = Field(description="roles that the pathway needs and nobody has; none may be missing")
    missing: list[str] = Field(description="what keeps it from being activated, a sentence each")
    reach: Reach
    counts: Counts
    duties: list[DutySign]
    sweep: Report | None = Field(description="the last sweep that ended; null before the first")


class ClinicalTime(Answer):
    clinical_time: datetime


class DutyDone(Answer):
    duty: str
    outcome: str


class Run(Answer):
    duties: list[DutyDone] = Field(description="in the order in which they ran")


class SignOff(Answer):
    """`status`: active, or retired since a newer one; plans that run on a retired version go on."""

    version: str
    status: Literal["active", "retired"]
    approver: Approver
    date: Day
    changes: str
    recorded: datetime
    artefacts: dict[str, int] = Field(description="how many artefacts were signed, by resource type")
    changed: list[str] = Field(description="the shipped artefacts that the site replaced by its own")


class SignOffs(Answer):
    sign_offs: list[SignOff] = Field(description="oldest first")


class Days(Answer):
    """Calendar days in the clinic's zone, both included; an open end is null."""

    first: Day | None = None
    last: Day | None = None


class Surgery(Answer):
    """One planned operation: `planned` until it is recorded, then `done_on`."""

    occurrence: str
    request: str | None
    operation: str | None
    planned: Day | None
    done_on: Day | None


class FollowUp(Answer):
    """The first visit after one surgery. `overdue`: its window is over and no visit took place."""

    occurrence: str
    task: str
    status: str
    provisional: bool = Field(description="planned from the intended date of surgery")
    window: Days
    appointment: str | None
    appointment_status: str | None
    date: Day | None
    overdue: bool


class OpenTask(Answer):
    reference: str
    what: str
    status: str
    owner: str | None
    last_day: Day | None
    overdue: bool


class Patient(Answer):
    """One CarePlan of ours. `problem`: why its surgeries could not be worked out."""

    care_plan: str
    patient: str
    status: str
    surgeries: list[Surgery]
    follow_ups: list[FollowUp]
    open_tasks: list[OpenTask]
    overdue: bool
    problem: str | None = None


class Patients(Answer):
    patients: list[Patient]
    next: str | None = Field(description="cursor of the following page")


class Sent(Answer):
    """How far the hospital is with a resource of ours."""

    state: Literal["kept-here", "waiting", "sending", "unknown", "quarantined", "at-the-hospital"]
    hospital_reference: str | None = None
    wanted_version: int | None = None
    sent_version: int | None = None
    attempt: int = 0
    last_error: str | None = None


class Due(Answer):
    """Due work: `wall_time` in `zone` is what was meant, `due_at` (clinical) what it resolves to, `released_at`
    (clinical) when it was looked at."""

    key: str
    kind: str
    action: str
    care_plan: str
    state: DueState
    due_at: datetime
    wall_time: str
    zone: str
    expires_at: datetime | None
    window_low: str | None
    window_high: str | None
    generation: int
    attempt: int
    why: str
    last_error: str | None
    released_at: datetime | None


class DueWorkPage(Answer):
    due: list[Due]
    next: str | None = Field(description="cursor of the following page")


class Entry(Answer):
    """One line of a timeline.

    `kind`: the plan itself; a request of ours; a record of the hospital's; a change, with who and why; due work.
    """

    at: datetime
    kind: Literal["plan", "request", "record", "change", "due"]
    what: str
    reference: str | None
    status: str | None = None
    business_status: str | None = None
    window: Days | None = None
    date: Day | None = None
    why: str | None = None
    who: str | None = None
    sent: Sent | None = None
    due: Due | None = None


class Timeline(Patient):
    entries: list[Entry]
    explanations: list[Explanation]


class OutboxItem(Answer):
    reference: str
    wanted_version: int
    state: OutboxState
    attempt: int
    next_at: datetime
    queued_at: datetime
    last_error: str | None


class Outbox(Answer):
    outbox: list[OutboxItem]
    total: int


class Quarantined(Answer):
    id: str
    reason: str
    explanation: str
    reference: str
    version: str
    state: Literal["open", "resolved"]
    at: datetime
    retries: int


class Quarantine(Answer):
    quarantine: list[Quarantined]


class Retried(Answer):
    """What a retry led to, as a sentence."""

    entry: Quarantined
    outcome: str

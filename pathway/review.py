"""Tasks for a person: an input that could not be acted on, and dates that only the hospital may change."""

from __future__ import annotations

from pathway import codes
from pathway.care_team import owner_of
from pathway.context import Context
from pathway.keys import action_key
from pathway.library import Library
from pathway.patients import died, replaced_by
from pathway.ports import Key, Resource
from pathway.references import reference_to
from pathway.requests import Brief, build
from pathway.site import Site
from pathway.surgery import Finding, Surgery

QUESTIONS = frozenset(
    {"confirm-date", "confirm-cancellation", "step-without-reason", "decision-without-reason", "visit-to-book"}
    | {"patient-deceased", "patient-replaced", "surgery-date-partial"}
)


def review_key(site: Site, about: Resource, reason: str) -> Key:
    """The key of the Task to look at `about` for a reason."""
    return action_key(Key(codes.KEY_SYSTEM, site.hospital), "review", reason, about["resourceType"], about["id"])


def review(
    library: Library,
    site: Site,
    subject: Resource | None,
    care_plan: Resource | None,
    about: Resource,
    finding: Finding,
    instant: str,
) -> Resource:
    """A Task for the coordinator to look at `about`; one per resource and reason.

    Without a CarePlan its key is the hospital's own: a surgery of a patient who is not on the pathway is not dropped.
    """
    key = review_key(site, about, finding.reason)
    activity = library.activity(codes.REVIEW)
    task = build(
        activity,
        Brief(
            key=key,
            definition=f"{activity['url']}|{activity['version']}",
            title=str(activity.get("title", "Review")),
            subject=subject,
            care_plan=care_plan,
            authored=instant,
            owners=[site.roles["coordinator"]],
            focus=reference_to(about),
        ),
    )
    return {**task, **_reason(finding)}


def confirm_date(context: Context, existing: Resource, new: str) -> Resource:
    """A Task to confirm a new date of something whose date is not ours to change; it names both dates."""
    old = days_of(existing)
    sentence = (
        f"{title_of(existing)}: planned for {old}, but the date it depends on has changed, it would now be {new}."
    )
    finding = Finding("confirm-date", sentence)
    return _question(context, codes.CONFIRM_DATE, "coordinator", existing, finding, new.replace(" ", ""))


def confirm_cancellation(context: Context, existing: Resource, why: str) -> Resource:
    """A Task to confirm that something the hospital has accepted, booked or started is no longer wanted."""
    sentence = f"{title_of(existing)} is no longer asked for ({why}). Please cancel it, or keep it knowingly."
    finding = Finding("confirm-cancellation", sentence)
    return _question(context, codes.CONFIRM_DATE, "coordinator", existing, finding, "cancel")


def book_visit(context: Context, visit: Resource, why: str) -> Resource:
    """A Task to see to it that a visit gets its day: none in its window is left, or it was cancelled."""
    sentence = f"{title_of(visit)}: {why} Please book a day with the patient, or record why no visit is needed."
    finding = Finding("visit-to-book", sentence)
    return _question(context, codes.BOOK_VISIT, "coordinator", visit, finding, "")


def planned_day(context: Context, surgery: Surgery) -> Resource | None:
    """A Task to complete the planned date of an operation that has no whole day."""
    request = surgery.request
    if request is None or surgery.moment is not None:
        return None
    said = request.get("occurrenceDateTime") or request.get("occurrencePeriod", {}).get("start")
    if not said:
        return None
    sentence = (
        f"The planned date of the surgery is incomplete: {said}. Nothing can be timed from it until it has a day."
    )
    return _question(
        context, codes.REVIEW, "coordinator", request, Finding("surgery-date-partial", sentence), str(said)
    )


def about_patient(context: Context) -> Resource | None:
    """A Task to close the plan of a patient who died, or to say what becomes of one whose record was replaced."""
    situation = context.situation
    if death := died(situation.subject):
        sentence = (
            f"{death[0].upper()}{death[1:]}: messages and whatever nobody had taken on are withdrawn. Please close the "
            "plan, or correct the record."
        )
        finding = Finding("patient-deceased", sentence)
        return _question(context, codes.PATIENT_RECORD, "coordinator", situation.care_plan, finding, "")
    others = replaced_by(situation.subject)
    if not others:
        return None
    sentence = (
        f"The record {reference_to(situation.subject)}, which this plan is for, was replaced by {', '.join(others)}. "
        "The plan goes on and looks at both. Please see to it that appointments and tasks reach the patient."
    )
    finding = Finding("patient-replaced", sentence)
    return _question(context, codes.PATIENT_RECORD, "coordinator", situation.care_plan, finding, ",".join(others))


def document_step(context: Context, existing: Resource) -> Resource:
    """A Task to say why a required step was cancelled or rejected (requiredBehavior must-unless-documented)."""
    sentence = f"{title_of(existing)} is {existing['status']}, but the plan requires it and no reason is recorded."
    finding = Finding("step-without-reason", sentence)
    return _question(context, codes.DOCUMENT_REASON, "coordinator", existing, finding, "")


def document_decision(context: Context, response: Resource, sentence: str) -> Resource:
    """A Task for the surgeon to say why the decision differs from what was proposed."""
    finding = Finding("decision-without-reason", sentence)
    return _question(context, codes.DOCUMENT_REASON, "surgeon", response, finding, "")


def _question(
    context: Context, definition: str, role: str, existing: Resource, finding: Finding, what: str
) -> Resource:
    situation = context.situation
    key = action_key(situation.key, finding.reason, existing["id"], what)
    activity = context.library.activity(definition)
    owner = owner_of(situation, role, context.today)
    brief = Brief(
        key=key,
        definition=f"{activity['url']}|{activity['version']}",
        title=str(activity["title"]),
        subject=situation.subject,
        care_plan=situation.care_plan,
        authored=context.now.instant,
        owners=[owner] if owner else [],
        focus=reference_to(existing),
    )
    return {**build(activity, brief), **_reason(finding)}


def _reason(finding: Finding) -> Resource:
    return {
        "description": finding.explanation,
        "reasonCode": {
            "coding": [{"system": codes.REVIEW_REASON, "code": finding.reason}],
            "text": finding.explanation,
        },
    }


def days_of(resource: Resource) -> str:
    """The day or days of a request, in words."""
    period: Resource = (
        resource.get("restriction", {}).get("period")
        or resource.get("occurrencePeriod")
        or next(iter(resource.get("requestedPeriod", [])), {})
    )
    start = resource.get("start") or period.get("start") or resource.get("occurrenceDateTime")
    end = resource.get("end") or period.get("end")
    days = [str(day)[:10] for day in (start, end) if day]
    return " to ".join(dict.fromkeys(days)) or "no date"


def title_of(resource: Resource) -> str:
    """What a resource of ours is called. The description of a Goal is a CodeableConcept."""
    named = [resource.get(element) or {} for element in ("code", "title", "description")]
    texts = [name.get("text") if isinstance(name, dict) else name for name in named]
    return str(next(filter(None, texts), resource["resourceType"]))

"""A patient's situation around a plan that nobody keeps: what PlanDefinition/$apply is asked about.

The CarePlan is a draft proposal under a key of its own, so that the same question always gets the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pathway.belonging import belonging
from pathway.circumstances import Circumstances, subject_of
from pathway.enrolment import is_referral, refusal, unsigned
from pathway.errors import InvalidResource, NotFound, Refused
from pathway.issues import Issue
from pathway.keys import care_plan_key, id_of, key_of
from pathway.nested import pinned
from pathway.ports import Resource, Transaction, search_all
from pathway.references import reference_to, rewritten
from pathway.site import Site, has_code
from pathway.situation import Now, Situation, authored_order, care_plans_of, records


@dataclass(frozen=True)
class Transient:
    """`care_plan`: the proposal. `situation`: what is known, around it or around the running CarePlan asked for."""

    care_plan: Resource
    situation: Situation
    issues: tuple[Issue, ...] = ()

    @property
    def within(self) -> str | None:
        """The running CarePlan that the plan is applied within."""
        running = reference_to(self.situation.care_plan)
        return None if running == reference_to(self.care_plan) else running


def transient(
    tx: Transaction, site: Site, plan: Resource, subject: str, circumstances: Circumstances, now: Now
) -> Transient:
    """Read what is known of a patient. Raises NotFound, InvalidResource; Refused for one who has died, and for a plan
    that a real hospital has not signed off."""
    if unsigned(plan, site) is not None:
        raise Refused(f"{pinned(plan)} is not signed off here: a real hospital applies signed content only")
    reference = subject_of(tx.ours(subject))
    given = circumstances.of(reference)
    patient = _patient(tx, reference, circumstances)
    if refusal(patient) is not None:
        raise Refused(f"{reference} is recorded as deceased: nothing is proposed")
    known = records(tx, reference, given) if circumstances.use_server_data else _rewritten(tx, given)
    running = _running(tx, plan, reference, circumstances)
    care_plan = _care_plan(site, plan, reference, known, circumstances, now)
    issues = [*circumstances.left_out(reference), *_about_running(tx, plan, reference, running, circumstances)]
    if running is not None:
        plans = [found for found in search_all(tx, "CarePlan", [("patient", reference)]) if key_of(found)]
        care_plan["basedOn"] = [{"reference": reference_to(running)}]
        care_plan["instantiatesCanonical"] = running["instantiatesCanonical"][:1]
    around = running or care_plan
    kept = belonging(known, around, plans if running else [care_plan])
    return Transient(care_plan, Situation(site, patient, around, _referral(around, known), kept), tuple(issues))


def _care_plan(
    site: Site, plan: Resource, subject: str, known: list[Resource], circumstances: Circumstances, now: Now
) -> Resource:
    name = (circumstances.care_plan or subject).replace("/", "-")
    key = care_plan_key(site.hospital, f"apply-{name}", plan["url"])
    surgeon = site.roles.get("surgeon")
    author = circumstances.asking or (surgeon.reference if surgeon else None)
    referrals = [r for r in known if r["resourceType"] == "ServiceRequest" and is_referral(r, site)]
    addressed = [
        r for r in known if r["resourceType"] == "Condition" and has_code(r.get("code"), site.calcinosis_codes)
    ]
    resource: dict[str, Any] = {
        "resourceType": "CarePlan",
        "id": id_of("CarePlan", key),
        "identifier": [key.identifier()],
        "instantiatesCanonical": [pinned(plan)],
        "status": "draft",
        "intent": "proposal",
        "title": plan.get("title"),
        "description": plan.get("description"),
        "subject": {"reference": subject},
        "encounter": {"reference": circumstances.encounter} if circumstances.encounter else None,
        "created": now.instant,
        "author": {"reference": author} if author else None,
        "addresses": [{"reference": reference_to(condition)} for condition in addressed],
        "supportingInfo": [{"reference": reference_to(r)} for r in sorted(referrals, key=authored_order)[-1:]],
    }
    return {name: value for name, value in resource.items() if value}


def _patient(tx: Transaction, reference: str, circumstances: Circumstances) -> Resource:
    for resource in circumstances.data:
        if reference_to(resource) == reference:
            return resource
    if not circumstances.use_server_data:
        raise NotFound(f"{reference} is not in data, and nothing else may be used (useServerData)")
    try:
        return tx.read(*reference.split("/", 1))
    except NotFound as error:
        raise NotFound(f"There is no {reference} here or in data") from error


def _running(tx: Transaction, plan: Resource, subject: str, circumstances: Circumstances) -> Resource | None:
    if circumstances.care_plan is None:
        return None
    wanted = tx.ours(circumstances.care_plan)
    running = care_plans_of(tx, subject)
    for care_plan in running:
        if reference_to(care_plan) == wanted and _is_of(care_plan, plan):
            return care_plan
    there = ", ".join(reference_to(found) for found in running if _is_of(found, plan)) or "none"
    raise InvalidResource(f"{wanted} is no running CarePlan of this plan and {subject}; there is {there}")


def _about_running(
    tx: Transaction, plan: Resource, subject: str, running: Resource | None, circumstances: Circumstances
) -> list[Issue]:
    if running is not None:
        pinned = running["instantiatesCanonical"][0]
        text = f"Applied within {reference_to(running)}, which follows {pinned}; what exists of it is referred to"
        return [Issue("information", "informational", text)]
    others = care_plans_of(tx, subject) if circumstances.use_server_data else []
    return [
        Issue(
            "information",
            "informational",
            f"{reference_to(other)} of this plan is running for {subject}: this is a proposal beside it, in which "
            "nothing of it counts. Name it as carePlan to apply the plan within it",
        )
        for other in others
        if _is_of(other, plan)
    ]


def _is_of(care_plan: Resource, plan: Resource) -> bool:
    return bool(care_plan["instantiatesCanonical"][0].partition("|")[0] == plan["url"])


def _referral(care_plan: Resource, known: list[Resource]) -> Resource | None:
    named = {r.get("reference") for r in care_plan.get("supportingInfo", [])}
    return next((r for r in known if r["resourceType"] == "ServiceRequest" and reference_to(r) in named), None)


def _rewritten(tx: Transaction, resources: list[Resource]) -> list[Resource]:
    return [rewritten(resource, tx.ours) for resource in resources]

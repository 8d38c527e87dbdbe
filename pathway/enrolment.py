"""From a referral to a running CarePlan (bg-condition; design: a referral is an active order not authored by us)."""

from __future__ import annotations

from collections.abc import Sequence

from pathway.keys import care_plan_key, id_of
from pathway.library import Library
from pathway.patients import died
from pathway.ports import Key, Resource
from pathway.references import reference_to
from pathway.signing import is_signed
from pathway.site import Site, has_code
from pathway.surgery import Finding


def is_referral(request: Resource, site: Site) -> bool:
    """An active ServiceRequest with a referral code of the site."""
    return request.get("status") == "active" and has_code(request.get("code"), site.referral_codes)


def reason_only(request: Resource, conditions: Sequence[Resource], site: Site) -> bool:
    """An active order whose reason is calcinosis, but whose code is no referral of the site: a person must look."""
    reasons = {r.get("reference") for r in request.get("reasonReference", [])}
    named = [c.get("code") for c in conditions if reference_to(c) in reasons]
    coded = [*request.get("reasonCode", []), *named]
    return request.get("status") == "active" and any(has_code(concept, site.calcinosis_codes) for concept in coded)


def refusal(subject: Resource | None) -> Finding | None:
    """Why a referred patient cannot be enrolled."""
    if subject is None:
        return Finding("referral-patient-unknown", "The referral names a patient whose record could not be read.")
    if died(subject):
        return Finding("referral-deceased", "The referral is for a patient who is recorded as deceased.")
    return None


def unsigned(plan: Resource, site: Site) -> Finding | None:
    """Why nobody can be enrolled on this version of the plan: a real hospital uses signed content only."""
    if site.kind != "real" or is_signed(plan):
        return None
    text = "The content of the pathway is not signed off here: sign it off, then try this referral again."
    return Finding("referral-content-unsigned", text)


def plan_key(library: Library, plan: str, site: Site, referral: Resource) -> Key:
    """The key of the CarePlan that a referral leads to."""
    return care_plan_key(site.hospital, referral["id"], library.plan(plan)["url"])


def care_plan(
    library: Library,
    plan: str,
    site: Site,
    referral: Resource,
    subject: Resource,
    conditions: Sequence[Resource],
    at: str,
) -> Resource:
    """The CarePlan of a referral: pinned to the plan's url|version, for the conditions that the referral is about."""
    definition = library.plan(plan)
    key = plan_key(library, plan, site, referral)
    addressed = [c for c in conditions if has_code(c.get("code"), site.calcinosis_codes)]
    surgeon = site.roles["surgeon"]
    resource = {
        "resourceType": "CarePlan",
        "id": id_of("CarePlan", key),
        "identifier": [key.identifier()],
        "instantiatesCanonical": [f"{definition['url']}|{definition['version']}"],
        "status": "active",
        "intent": "plan",
        "title": definition["title"],
        "subject": {"reference": reference_to(subject)},
        "created": at,
        "author": {"reference": surgeon.reference, **({"display": surgeon.display} if surgeon.display else {})},
        "addresses": [{"reference": reference_to(condition)} for condition in addressed],
        "supportingInfo": [{"reference": reference_to(referral)}],
    }
    return {name: value for name, value in resource.items() if value}

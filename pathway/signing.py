"""A site's clinical sign-off: its own active version of every artefact, and what a hospital may use.

All content ships as a draft, for demonstrations and tests. What a site signs is a copy under a version of the site's
own: the shipped version with one more number (`0.1.0.1`), which sorts after `0.1.0` and before `0.1.1`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pathway.checks.shape import CANONICAL
from pathway.codes import KEY_SYSTEM, PLAN, PROVENANCE_AGENT
from pathway.errors import InvalidDefinition
from pathway.keys import id_of
from pathway.library import Library
from pathway.ports import Key, Resource
from pathway.references import reference_to
from pathway.site import Kind

# R4 knows these elements on some artefacts only; elsewhere HL7's extensions say the same.
APPROVAL_DATE = "http://hl7.org/fhir/StructureDefinition/resource-approvalDate"
ENDORSER = "http://hl7.org/fhir/StructureDefinition/artifact-endorser"
RELEASE_DESCRIPTION = "http://hl7.org/fhir/StructureDefinition/artifact-releaseDescription"
_WITH_APPROVAL_DATE = frozenset({"PlanDefinition", "ActivityDefinition", "Questionnaire"})
_WITH_ENDORSER = frozenset({"PlanDefinition", "ActivityDefinition"})

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Approver(_Part):
    """The clinician who answers for the content at the site."""

    reference: Annotated[str, Field(pattern=r"^(PractitionerRole|Practitioner)/[A-Za-z0-9.\-]{1,64}$")]
    display: _Name


class Approval(_Part):
    """Who signs, on which day at the site, and what was looked at and changed."""

    approver: Approver
    date: date
    changes: _Reason


def with_changes(definitions: Sequence[Resource], changed: Sequence[Resource]) -> list[Resource]:
    """The definitions with a site's own in place of those of the same name, which keep their ids.

    Raises InvalidDefinition with every one that replaces nothing, or that is brought twice.
    """
    own = {(d.get("resourceType"), name_of(d)): d for d in changed}
    known = {(d["resourceType"], name_of(d)) for d in definitions}
    problems = [
        f"{kind} {name or 'without a url'} replaces none of the definitions" for kind, name in own.keys() - known
    ]
    if len(own) < len(changed):
        problems.append("a definition is brought twice")
    if problems:
        raise InvalidDefinition("; ".join(sorted(problems)))
    replaced = [(d, own.get((d["resourceType"], name_of(d)), d)) for d in definitions]
    return [{**new, "id": old["id"]} for old, new in replaced]


def name_of(definition: Resource) -> str:
    """The url of an artefact; of a text its identifier, written as a url."""
    identifiers = [f"{i.get('system')}/{i.get('value')}" for i in definition.get("identifier", [])]
    return str(definition.get("url") or next(iter(identifiers), ""))


def signed(definitions: Sequence[Resource], version: str, approval: Approval) -> list[Resource]:
    """The site's copy of every artefact, referring to each other by the site's version; education texts are final.

    Ids become `<id>-<version>`, because the plain id is the shipped artefact's.
    """
    urls = {name_of(d) for d in definitions if d["resourceType"] in CANONICAL}
    texts = {name_of(d) for d in definitions if d["resourceType"] not in CANONICAL}

    def renamed(value: str) -> str:
        url, bar, _ = value.partition("|")
        if bar and url in urls:
            return f"{url}|{version}"
        return f"{value}-{version}" if value in texts else value

    return [_signed(_each_string(d, renamed), version, approval) for d in definitions]


def next_version(shipped: str, known: Iterable[str]) -> str:
    """The version of a site's next sign-off of the shipped one."""
    numbers = [int(last) for base, _, last in (v.rpartition(".") for v in known) if base == shipped and last.isdigit()]
    return f"{shipped}.{max(numbers, default=0) + 1}"


def is_signed(plan: Resource) -> bool:
    """Whether a PlanDefinition is one that a site has signed off and not replaced since."""
    return plan["status"] == "active" and "approvalDate" in plan


def in_force(definitions: Sequence[Resource], kind: Kind) -> list[Resource]:
    """What may be used at a hospital: once it has signed, no newer drafts, and at a real hospital no drafts at all.

    Older drafts stay for the plans that run on them; newer ones wait for a sign-off of their own.
    """
    plans = [d for d in definitions if d["resourceType"] == "PlanDefinition"]
    active = {plan["url"]: plan["version"] for plan in plans if is_signed(plan)}
    if kind == "real" and active:
        return [d for d in definitions if d["status"] != "draft"]
    drafts = [plan for plan in plans if plan["status"] == "draft" and plan["url"] in active]
    waiting = {d["version"] for d in drafts if newest(d["version"], active[d["url"]]) == d["version"]}
    return [d for d in definitions if d.get("version") not in waiting]


def newest(*versions: str) -> str:
    """The newest by the order that a Library finds definitions in."""
    plans = [{"resourceType": "PlanDefinition", "url": PLAN, "version": version} for version in versions]
    return str(Library(plans).plan(PLAN)["version"])


def bases(definitions: Iterable[Resource]) -> frozenset[str]:
    """Where canonical artefacts have their urls: of `https://a.example/fhir/Questionnaire/x` `https://a.example/fhir`."""
    return frozenset(base_of(definition) for definition in definitions if definition["resourceType"] in CANONICAL)


def base_of(resource: Resource) -> str:
    """As in `bases`; empty without a url."""
    return str(resource.get("url", "")).rpartition(f"/{resource['resourceType']}/")[0]


def record_id(hospital: str, version: str) -> str:
    """The id of the Provenance of a sign-off."""
    return id_of("Provenance", Key(KEY_SYSTEM, f"{hospital}:sign-off:{version}"))


def record(
    hospital: str,
    version: str,
    artefacts: Sequence[Resource],
    replaced: Sequence[str],
    approval: Approval,
    recorded: str,
) -> Resource:
    """The Provenance of a sign-off: who, when and why, for every artefact. `recorded`: a FHIR instant.

    `replaced`: references to the shipped artefacts that the site brought versions of its own of.
    """
    attester = {"system": PROVENANCE_AGENT, "code": "attester", "display": "Attester"}
    revised = [{"role": "revision", "what": {"reference": reference}} for reference in replaced]
    return {
        "resourceType": "Provenance",
        "id": record_id(hospital, version),
        "target": [{"reference": reference_to(artefact)} for artefact in artefacts],
        "occurredDateTime": approval.date.isoformat(),
        "recorded": recorded,
        "reason": [{"text": approval.changes}],
        "agent": [{"type": {"coding": [attester]}, "who": approval.approver.model_dump()}],
        **({"entity": revised} if revised else {}),
    }


def recorded_approval(provenance: Resource) -> Approval:
    """What `record` was made from."""
    return Approval(
        approver=Approver.model_validate(provenance["agent"][0]["who"]),
        date=date.fromisoformat(provenance["occurredDateTime"]),
        changes=provenance["reason"][0]["text"],
    )


def _signed(definition: Resource, version: str, approval: Approval) -> Resource:
    copy = {name: value for name, value in definition.items() if name != "meta"} | {
        "id": f"{definition['id']}-{version}"
    }
    kind = definition["resourceType"]
    if kind not in CANONICAL:
        return copy | {"docStatus": "final", "authenticator": approval.approver.model_dump()}
    day, contact = approval.date.isoformat(), {"name": approval.approver.display}
    approved = {"version": version, "status": "active", "experimental": False, "date": day}
    added: dict[str, Resource] = {RELEASE_DESCRIPTION: {"valueMarkdown": approval.changes}}
    if kind in _WITH_APPROVAL_DATE:
        approved["approvalDate"] = day
    else:
        added[APPROVAL_DATE] = {"valueDate": day}
    if kind in _WITH_ENDORSER:
        approved["endorser"] = [contact]
    else:
        added[ENDORSER] = {"valueContactDetail": contact}
    kept = [e for e in definition.get("extension", []) if e["url"] not in added]
    return copy | approved | {"extension": [*kept, *({"url": url} | value for url, value in added.items())]}


def _each_string(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {name: _each_string(value, change) for name, value in node.items()}
    if isinstance(node, list):
        return [_each_string(item, change) for item in node]
    return change(node) if isinstance(node, str) else node

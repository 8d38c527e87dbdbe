"""The definitions at each hospital: those shipped, older ones that plans still run on, those the site has signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from fhir_adapters.r4 import admission
from fhir_adapters.store.content import same_content
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway import signing
from pathway.checks.shape import CANONICAL
from pathway.codes import PLAN
from pathway.errors import InvalidDefinition, InvalidResource, Refused
from pathway.issues import Issue
from pathway.library import Library
from pathway.ports import Create, Resource, Update, search_all
from pathway.references import reference_to
from pathway.signing import Approval
from pathway.site import Site
from pathway.situation import Now


@dataclass(frozen=True)
class SignOff:
    """One sign-off as it stands; `status` is retired when a newer one replaced it.

    `artefacts` counts them by type; `changed` refers to the shipped ones that the site replaced by its own.
    """

    version: str
    status: str
    approval: Approval
    recorded: datetime
    artefacts: Mapping[str, int]
    changed: Sequence[str]


@dataclass
class Content:
    """`shipped` is what this version of the product brings."""

    store: SqlStore
    shipped: Library
    _libraries: dict[str, tuple[int, Library]] = field(default_factory=dict)

    def library(self, hospital: str) -> Library:
        """What counts at a hospital; read again when any process has published or signed. Raises NotFound."""
        change = self.store.newest_change(hospital, "PlanDefinition")
        known = self._libraries.get(hospital)
        if known is None or known[0] != change:
            known = self._libraries[hospital] = (change, self._read(hospital))
        return known[1]

    def publish(self, hospital: str) -> None:
        """Bring the shipped definitions into a hospital's base; what they replace stays as `<id>-<version>`.

        Repeating it writes nothing. A base that a newer version of the product has written is left as it is.
        """
        with self.store.transaction(hospital) as tx:
            stored = {reference_to(definition): definition for definition in self._definitions(tx)}
            plan = self.shipped.plan(PLAN)
            there = stored.get(reference_to(plan), plan)["version"]
            if signing.newest(there, plan["version"]) != plan["version"]:
                return
            replaced = [
                {**old, "id": f"{old['id']}-{old['version']}"}
                for new in self.shipped.resources()
                if (old := stored.get(reference_to(new))) and old["version"] != new["version"]
            ]
            tx.transact([Update(definition) for definition in [*replaced, *self.shipped.resources()]])

    def sign(self, site: Site, approval: Approval, now: Now, actor: str, changed: Sequence[Resource] = ()) -> SignOff:
        """Make the site's own active version of everything; older ones retire, plans that run on them go on.

        It is what is shipped, with `changed` in place of what has the same url. The same approval of the same content
        again changes nothing. Raises Refused; InvalidResource, InvalidDefinition with everything that is wrong.
        """
        if approval.date > now.wire.astimezone(ZoneInfo(site.zone)).date():
            raise Refused(f"A sign-off cannot be dated {approval.date}: that day has not come")
        content = self._wanted(changed)
        self.publish(site.hospital)
        with self.store.transaction(site.hospital, actor=actor) as tx:
            stored = {reference_to(definition): definition for definition in self._definitions(tx)}
            shipped = self._published_version(stored)
            plans = [plan for plan in stored.values() if plan["url"] == PLAN]
            for plan in plans:
                if signing.is_signed(plan) and self._is_repeated(tx, stored, plan, content, approval):
                    return _sign_off(tx, plan)
            version = signing.next_version(shipped, [plan["version"] for plan in plans])
            artefacts = _checked(signing.signed(content, version, approval))
            retired = [{**d, "status": "retired"} for d in stored.values() if d["status"] == "active"]
            own = [reference_to(new) for new, old in zip(content, self.shipped.resources(), strict=True) if new != old]
            record = signing.record(site.hospital, version, artefacts, own, approval, now.instant)
            tx.transact([*map(Update, artefacts), *map(Update, retired), Create(record)])
            tx.audit(actor, "sign-off", f"hospital/{site.hospital}", version)
            return _sign_off(tx, next(artefact for artefact in artefacts if artefact.get("url") == PLAN))

    def sign_offs(self, hospital: str) -> list[SignOff]:
        """Oldest first. Raises NotFound."""
        with self.store.transaction(hospital, read_only=True) as tx:
            plans = [plan for plan in search_all(tx, "PlanDefinition", [("url", PLAN)]) if "approvalDate" in plan]
            return sorted((_sign_off(tx, plan) for plan in plans), key=lambda each: each.recorded)

    def _wanted(self, changed: Sequence[Resource]) -> list[Resource]:
        _admitted(changed)
        return signing.with_changes(self.shipped.resources(), changed)

    def _read(self, hospital: str) -> Library:
        shipped = self.shipped.resources()
        here = {_canonical(definition) for definition in shipped}
        with self.store.transaction(hospital, read_only=True) as tx:
            kept = [definition for definition in self._definitions(tx) if _canonical(definition) not in here]
            kind = tx.record.kind
        return Library(signing.in_force([*kept, *shipped], kind))

    def _definitions(self, tx: SqlTransaction) -> list[Resource]:
        """Every version of the pathway's canonical artefacts in a hospital's base."""
        ours = signing.bases(self.shipped.resources())
        every = (definition for kind in sorted(CANONICAL) for definition in search_all(tx, kind))
        return [definition for definition in every if signing.base_of(definition) in ours]

    def _published_version(self, stored: Mapping[str, Resource]) -> str:
        """What is signed is what this process brings. Raises Refused beside a newer one."""
        plan = self.shipped.plan(PLAN)
        there, brought = str(stored[reference_to(plan)]["version"]), plan["version"]
        if there != brought:
            raise Refused(f"The hospital has content {there} already, this service brings {brought}: upgrade it first")
        return there

    def _is_repeated(
        self,
        tx: SqlTransaction,
        stored: Mapping[str, Resource],
        plan: Resource,
        content: Sequence[Resource],
        approval: Approval,
    ) -> bool:
        """Whether the same approval of the same content of the same version led to this signed plan."""
        version = plan["version"]
        same_version = version.rpartition(".")[0] == self.shipped.plan(PLAN)["version"]
        if not same_version or _sign_off(tx, plan).approval != approval:
            return False
        again = signing.signed(content, version, approval)
        canonical = {reference_to(d): d for d in again if d["resourceType"] in CANONICAL}
        return all(name in stored and same_content(stored[name], d) for name, d in canonical.items())


def _canonical(definition: Resource) -> tuple[str | None, str | None]:
    return definition.get("url"), definition.get("version")


def _sign_off(tx: SqlTransaction, plan: Resource) -> SignOff:
    provenance = tx.read("Provenance", signing.record_id(tx.hospital, plan["version"]))
    return SignOff(
        version=plan["version"],
        status=plan["status"],
        approval=signing.recorded_approval(provenance),
        recorded=datetime.fromisoformat(provenance["recorded"]),
        changed=[entity["what"]["reference"] for entity in provenance.get("entity", [])],
        artefacts=Counter(target["reference"].partition("/")[0] for target in provenance["target"]),
    )


def _admitted(artefacts: Sequence[Resource]) -> None:
    """Raises InvalidResource with everything that is not FHIR R4."""
    issues = [
        Issue(issue.severity, issue.code, f"{artefact.get('resourceType')}/{artefact.get('id')}: {issue.diagnostics}")
        for artefact in artefacts
        for issue in admission.check(artefact)
    ]
    if issues:
        raise InvalidResource(issues)


def _checked(artefacts: list[Resource]) -> list[Resource]:
    """Raises InvalidDefinition with everything that keeps them from being used together."""
    _admitted(artefacts)
    problems = Library.check(artefacts)
    if problems:
        raise InvalidDefinition("\n".join(map(str, problems)))
    return artefacts

"""Whatever arrives, from a hospital or at our own door: stored, understood, and answered with changes, all at once.

One transaction each. Storing never depends on understanding: what cannot be acted on is kept, explained in
quarantine and, where a person can help, becomes a review Task.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from pathway import enrolment, responses
from pathway.apply import apply
from pathway.codes import PLAN, RUNNING
from pathway.context import Context
from pathway.due_kinds import entry_of
from pathway.due_work import DueWork
from pathway.errors import UNFORESEEN, InvalidResource, NotFound, PathwayError
from pathway.explain import explained, told
from pathway.individual import with_individual
from pathway.keys import key_of
from pathway.library import Library
from pathway.occurrences import surgeries
from pathway.ports import NOT_UNDERSTOOD, Create, Kept, Quarantined, Resource, Transaction, Update, search_all
from pathway.redating import redated, were_changed
from pathway.references import patient_of, reference_to, rewritten
from pathway.review import review, title_of
from pathway.settle import settle
from pathway.signing import base_of, bases
from pathway.site import Site, has_code
from pathway.situation import Now, Situation, care_plans_of, gather
from pathway.surgery import UNPLANNED, Finding, Surgery, end_of, recognised, status_finding
from pathway.visits import VisitChoosing
from pathway.writing import UNDECIDED, Effect, close, write


@dataclass(frozen=True)
class Pathway:
    """The pathway at one hospital: content, the site's decisions and how a visit's day is chosen."""

    library: Library
    site: Site
    choosing: VisitChoosing
    plan: str = PLAN

    def react(self, tx: Transaction, resource: Resource, now: Now) -> None:
        """Answer a resource that was just stored. A failure is kept in quarantine; the resource stays."""
        try:
            with tx.savepoint():
                self._react(tx, rewritten(resource, tx.ours), now)
        except PathwayError as error:
            tx.quarantine(_quarantined(resource, error.code, str(error)))
        except UNFORESEEN as error:
            # Records hold what nobody foresaw: one of them must not keep the others of a hospital from being read.
            text = f"It could not be understood ({type(error).__name__}). It is kept; a person has to look at it."
            tx.quarantine(_quarantined(resource, NOT_UNDERSTOOD, text))

    def concerns(self, tx: Transaction, resource: Resource) -> bool:
        """Whether a hospital's resource is any of our business: a known patient's, a referral, or a surgery."""
        if self._patient(tx, resource) is not None:
            return True
        if resource["resourceType"] == "ServiceRequest":
            return enrolment.is_referral(resource, self.site) or enrolment.reason_only(resource, [], self.site)
        return resource["resourceType"] == "Procedure" and has_code(resource.get("code"), self.site.surgery_codes)

    def advance(self, tx: Transaction, care_plan: str, now: Now, cause: str) -> Effect:
        """Bring a CarePlan to what the pathway asks for now; returns what had to be written for that."""
        plan = tx.read(*care_plan.split("/", 1))
        if plan["status"] not in RUNNING:
            close(tx, care_plan)
            return Effect()
        context = Context.of(self.library, gather(tx, self.site, plan), now)
        changes = settle(context, self.choosing(tx)).changes
        return write(tx, self.site, changes, care_plan, now, cause)

    def set_aside(self, tx: Transaction, work: DueWork, reason: str, explanation: str, now: Now) -> None:
        """Due work that could not be done: kept in quarantine by its key, and a Task about its plan asks a person."""
        tx.quarantine(Quarantined(reason, explanation, work.care_plan, entry_of(work)))
        try:
            plan = tx.read(*work.care_plan.split("/", 1))
        except NotFound:
            return
        finding = Finding(reason, f"{work.why}: the service could not do this. {explanation}")
        self._ask(tx, self._patient(tx, plan), plan, plan, finding, now)

    def explain(self, tx: Transaction, care_plan: str, now: Now, version: int | None = None) -> Resource:
        """Why each action of a CarePlan is in it or not, as it was kept with the plan or with a version of it.

        For a plan of which nothing was kept it is worked out as of now. Nothing is written. Raises NotFound.
        """
        type, id = care_plan.split("/", 1)
        plan = tx.read(type, id) if version is None else tx.vread(type, id, str(version))
        if key_of(plan) is None:
            raise NotFound(f"{care_plan} is not a plan of this pathway")
        kept = tx.explanations.of(care_plan, version)
        if kept is None and version is not None:
            raise NotFound(f"No explanation was kept of version {version} of {care_plan}")
        return told(kept or self._explained(tx, plan, now))

    def check(self, resource: Resource) -> None:
        """What our own door refuses beyond plain FHIR. Raises InvalidResource."""
        if "url" in resource and base_of(resource) in bases(self.library.resources()):
            raise InvalidResource("The pathway's own definitions change by a sign-off or a new version, not here")
        if resource["resourceType"] == "QuestionnaireResponse":
            issues = responses.faults(resource, self.library)
            if issues:
                raise InvalidResource(issues)

    def _explained(self, tx: Transaction, plan: Resource, now: Now) -> Kept:
        context = Context.of(self.library, gather(tx, self.site, plan), now)
        applied = apply(context, self.choosing(tx))
        body = explained(plan, applied.explanations, context.actions, applied.issues)
        return Kept(int(plan["meta"]["versionId"]), now.wire, now.clinical, "worked out now: none was kept", body)

    def _react(self, tx: Transaction, resource: Resource, now: Now) -> None:
        answer = _ANSWERS.get(resource["resourceType"])
        if answer is not None and not answer(self, tx, resource, now):
            return
        subject = patient_of(resource)
        for care_plan in care_plans_of(tx, subject) if subject else []:
            self._redate(tx, care_plan, resource, now)
            self.advance(tx, reference_to(care_plan), now, reference_to(resource))

    def _redate(self, tx: Transaction, care_plan: Resource, resource: Resource, now: Now) -> None:
        version = str(resource.get("meta", {}).get("versionId", ""))
        if key_of(resource) is None or not version.isdigit() or version == "1":
            return
        before = tx.vread(resource["resourceType"], resource["id"], str(int(version) - 1))
        if not were_changed(before, resource, self.site.zone):
            return
        context = Context.of(self.library, gather(tx, self.site, care_plan), now)
        proposals = apply(context, self.choosing(tx)).proposals
        proposal = next((p for p in proposals if p.key == key_of(resource)), None)
        individual = redated(context, proposal, resource) if proposal else None
        if individual is not None:
            plan = with_individual(care_plan, individual, title_of(resource))
            tx.transact([Update(plan, care_plan["meta"]["versionId"])])

    def _referred(self, tx: Transaction, request: Resource, now: Now) -> bool:
        if key_of(request) is not None:
            return True
        subject = self._patient(tx, request)
        conditions = list(search_all(tx, "Condition", [("patient", reference_to(subject))])) if subject else []
        if enrolment.is_referral(request, self.site):
            if self._is_enrolled(tx, request):
                return True
            refused = enrolment.refusal(subject) or enrolment.unsigned(self.library.plan(self.plan), self.site)
            if refused is not None or subject is None:
                self._review(tx, subject, None, request, refused or Finding("referral-patient-unknown", ""), now)
                return False
            plan = enrolment.care_plan(self.library, self.plan, self.site, request, subject, conditions, now.instant)
            written = tx.transact([Create(plan, key_of(plan))])[0]
            if written.created:
                tx.send(written.reference)
        elif enrolment.reason_only(request, conditions, self.site):
            finding = Finding(
                "referral-reason-only", "An order for calcinosis arrived with a code that is no referral."
            )
            self._review(tx, subject, None, request, finding, now)
        return True

    def _is_enrolled(self, tx: Transaction, referral: Resource) -> bool:
        key = enrolment.plan_key(self.library, self.plan, self.site, referral)
        return bool(tx.search("CarePlan", [("identifier", key.token())]).resources)

    def _introduced(self, tx: Transaction, resource: Resource, now: Now) -> bool:
        """A record that a referral may have waited for: the referrals of the patient are looked at again."""
        subject = patient_of(resource)
        for request in search_all(tx, "ServiceRequest", [("patient", subject)]) if subject else []:
            self._referred(tx, rewritten(request, tx.ours), now)
        return True

    def _operated(self, tx: Transaction, procedure: Resource, now: Now) -> bool:
        """Say what speaks against using a Procedure; using it is the engine's part."""
        subject = self._patient(tx, procedure)
        plans = care_plans_of(tx, reference_to(subject)) if subject else []
        if not plans and has_code(procedure.get("code"), self.site.surgery_codes):
            text = "A surgery is recorded for a patient who is not on the pathway."
            self._review(tx, subject, None, procedure, Finding(UNPLANNED, text), now)
        situations = [gather(tx, self.site, care_plan) for care_plan in plans]
        named = [s for s in situations if reference_to(procedure) in map(reference_to, s.of_type("Procedure"))]
        if plans and not named and has_code(procedure.get("code"), self.site.surgery_codes):
            text = "A surgery is recorded, but not for which of the patient's pathways it was (Procedure.basedOn)."
            self._review(tx, subject, None, procedure, Finding("surgery-ambiguous", text), now)
            return True
        for situation in named or situations:
            finding = self._finding(procedure, situation, now)
            if finding is not None:
                self._review(tx, subject, situation.care_plan, procedure, finding, now)
        return True

    def _finding(self, procedure: Resource, situation: Situation, now: Now) -> Finding | None:
        context, care_plan = Context.of(self.library, situation, now), situation.care_plan
        known = surgeries(context)
        match = recognised(procedure, known, care_plan, self.site)
        if not isinstance(match, Surgery):
            return match
        if procedure.get("status") != "completed":
            return status_finding(procedure)
        ended = end_of(procedure, self.site.zone, context.today)
        if isinstance(ended, Finding):
            return ended
        if reference_to(procedure) in match.recorded_by:
            return None
        for other in situation.of_type("Procedure"):
            same = other.get("status") == "completed" and recognised(other, known, care_plan, self.site) == match
            day = end_of(other, self.site.zone, context.today)
            if same and isinstance(day, date) and day != ended:
                text = (
                    f"This surgery is recorded twice, for {min(day, ended)} and for {max(day, ended)}: which is right?"
                )
                return Finding("surgery-ambiguous", text)
        return None

    def _answered(self, tx: Transaction, response: Resource, now: Now) -> bool:
        try:
            self.check(response)
        except InvalidResource as error:
            subject = self._patient(tx, response)
            plans = care_plans_of(tx, reference_to(subject)) if subject else []
            finding = Finding("response-invalid", f"The answers cannot be used: {error}")
            self._review(tx, subject, plans[0] if plans else None, response, finding, now)
        return True

    def _ended(self, tx: Transaction, care_plan: Resource, _: Now) -> bool:
        if key_of(care_plan) is not None and care_plan.get("status") not in RUNNING:
            tx.report(reference_to(care_plan), UNDECIDED, {})
        return True

    def _review(
        self,
        tx: Transaction,
        subject: Resource | None,
        care_plan: Resource | None,
        about: Resource,
        finding: Finding,
        now: Now,
    ) -> None:
        tx.quarantine(_quarantined(about, finding.reason, finding.explanation))
        self._ask(tx, subject, care_plan, about, finding, now)

    def _ask(
        self,
        tx: Transaction,
        subject: Resource | None,
        care_plan: Resource | None,
        about: Resource,
        finding: Finding,
        now: Now,
    ) -> None:
        task = review(self.library, self.site, subject, care_plan, about, finding, now.instant)
        written = tx.transact([Create(task, key_of(task))])[0]
        if written.created:
            tx.send(written.reference)

    def _patient(self, tx: Transaction, resource: Resource) -> Resource | None:
        reference = patient_of(resource)
        try:
            return tx.read(*reference.split("/", 1)) if reference else None
        except NotFound:
            return None


_ANSWERS: dict[str, Callable[[Pathway, Transaction, Resource, Now], bool]] = {
    "ServiceRequest": Pathway._referred,
    "Patient": Pathway._introduced,
    "Condition": Pathway._introduced,
    "Procedure": Pathway._operated,
    "CarePlan": Pathway._ended,
    "QuestionnaireResponse": Pathway._answered,
}


def _quarantined(resource: Resource, reason: str, explanation: str) -> Quarantined:
    return Quarantined(reason, explanation, reference_to(resource), resource.get("meta", {}).get("versionId"))

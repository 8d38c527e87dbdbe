"""The operations of a hospital's FHIR base: what they are asked, in the words of the pathway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from fhir_adapters.server import care_plan_operations as care_plan
from fhir_adapters.server import form_operations as form
from fhir_adapters.server.operation import Asked, Operation
from pathway.circumstances import resources_of
from pathway.errors import InvalidResource, NotFound
from pathway.extract import extract
from pathway.individual import Change, Individual
from pathway.intake import Pathway
from pathway.issues import Issue, operation_outcome
from pathway.populate import populate
from pathway.ports import Resource, Transaction
from pathway.redating import period_of
from pathway.revising import Revising, Wish
from pathway.situation import Now, records
from pathway.timing import instant
from service.applying import apply_operations


@dataclass(frozen=True)
class Operations:
    """`pathway` and `now` are asked for at each call: a site may change while the service runs."""

    pathway: Callable[[], Pathway]
    now: Callable[[], Now]

    def all(self) -> tuple[Operation, ...]:
        return (
            care_plan.explain(self.explain),
            care_plan.what_if(self.what_if),
            care_plan.migrate(self.migrate),
            care_plan.individualize(self.individualize),
            form.populate(self.populate),
            form.extract(self.extract),
            *apply_operations(self.pathway, self.now),
        )

    def explain(self, tx: Transaction, asked: Asked) -> Resource:
        return self.pathway().explain(tx, f"CarePlan/{asked.instance}", self.now(), asked.one("version", int))

    def what_if(self, tx: Transaction, asked: Asked) -> Resource:
        now, at = self.now(), asked.one("now", str)
        if at is not None:
            now = replace(now, clinical=_moment(at))
        data = asked.resource("data")
        return Revising.of(self.pathway(), tx, asked.instance, now).what_if(resources_of(data) if data else ())

    def migrate(self, tx: Transaction, asked: Asked) -> Resource:
        wish = None
        if asked.one("apply", bool):
            wish = Wish(asked.one("author", dict) or {}, asked.one("reason", str) or "")
        return self._revising(tx, asked).migrated(asked.one("version", str), wish)

    def individualize(self, tx: Transaction, asked: Asked) -> Resource:
        revising = self._revising(tx, asked)
        wish = Wish(asked.required("author", dict), asked.required("reason", str))
        change, action = asked.required("change", str), asked.one("action", str)
        request, occurrence = asked.resource("activity"), asked.one("occurrence", str) or ""
        written = asked.one("apply", bool) is not False
        if change == "add" and request is not None:
            return revising.with_request(request, wish, written=written)
        if action is None:
            raise _wrong("action", "Say which step of the plan is meant; a step of your own comes as activity.")
        if change == "restore":
            return revising.restored(action, occurrence, wish, written=written)
        individual = self._individual(asked, change, action, occurrence, wish)
        return revising.individualized(individual, written=written)

    def populate(self, tx: Transaction, asked: Asked) -> Resource:
        pathway, now = self.pathway(), self.now()
        subject = _read(tx, asked.required("subject", dict))
        patient = f"{subject['resourceType']}/{subject['id']}"
        data = records(tx, patient)
        launch = {context.required("name", str): _content(tx, context) for context in asked.all("context", Asked)}
        found = populate(_questionnaire(tx, pathway, asked), subject, launch, data, now.instant)
        issues = [{"name": "issues", "resource": operation_outcome(found.issues)}] if found.issues else []
        return {
            "resourceType": "Parameters",
            "parameter": [{"name": "response", "resource": found.response}, *issues],
        }

    def extract(self, tx: Transaction, asked: Asked) -> Resource:
        pathway = self.pathway()
        response = asked.resource("questionnaire-response") or tx.read("QuestionnaireResponse", asked.instance)
        questionnaire = pathway.library.questionnaire(str(response.get("questionnaire", "")))
        found = extract(response, questionnaire, pathway.site.hospital)
        issues = [{"name": "issues", "resource": operation_outcome(found.issues)}] if found.issues else []
        return {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": found.bundle}, *issues]}

    def _revising(self, tx: Transaction, asked: Asked) -> Revising:
        return Revising.of(self.pathway(), tx, asked.instance, self.now())

    def _individual(self, asked: Asked, change: str, action: str, occurrence: str, wish: Wish) -> Individual:
        kinds: dict[str, Change] = {"skip": "skip", "change": "change", "add": "add"}
        if change not in kinds:
            raise _wrong("change", f"'{change}' is none of skip, restore, change, add.")
        days = period_of(asked.one("period", dict) or {}, self.pathway().site.zone)
        if change == "change" and days is None:
            raise _wrong("period", "Say the new first and last day, as whole dates.")
        return Individual(
            action=action,
            occurrence=occurrence,
            change=kinds[change],
            reason=wish.reason,
            author=wish.author,
            at=self.now().instant,
            days=days,
        )


def _wrong(parameter: str, sentence: str) -> InvalidResource:
    return InvalidResource([Issue("error", "invalid", sentence, f"Parameters.parameter.where(name = '{parameter}')")])


def _moment(at: str) -> Any:
    try:
        return instant(at).astimezone(UTC)
    except ValueError as error:
        raise _wrong("now", "Give the time with its offset, such as 2026-03-16T09:00:00+01:00.") from error


def _read(tx: Transaction, reference: Resource) -> Resource:
    parts = tx.ours(str(reference.get("reference", ""))).split("/")
    if len(parts) != 2:
        raise _wrong("subject", "Refer to a resource of this base, such as Patient/123.")
    return tx.read(*parts)


def _content(tx: Transaction, context: Asked) -> list[Resource]:
    return [_read(tx, one) if "reference" in one else one for one in context.all("content", dict)]


def _questionnaire(tx: Transaction, pathway: Pathway, asked: Asked) -> Resource:
    given, canonical = asked.resource("questionnaire"), asked.one("canonical", str)
    if asked.id is not None:
        return tx.read("Questionnaire", asked.id)
    if given is not None:
        return given
    if canonical is None:
        raise _wrong("canonical", "Say which form: as questionnaire, by its canonical, or by asking the form itself.")
    found = pathway.library.find_questionnaire(canonical)
    if found is None:
        raise NotFound(f"There is no Questionnaire {canonical}")
    return found

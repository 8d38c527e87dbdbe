"""A plan and a patient, side by side: what an action is, what exists of it, and what its expressions may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from pathway import responses
from pathway.codes import ACTIVITY_TYPE
from pathway.errors import InvalidDefinition
from pathway.expressions import Looks
from pathway.individual import Individual, individuals
from pathway.keys import action_key, again, key_of
from pathway.library import Library
from pathway.outline import Outline, outline
from pathway.parameters import Value
from pathway.ports import Key, Resource
from pathway.references import reference_to
from pathway.situation import Now, Situation
from pathway.surgery import Surgery
from pathway.tasks import fell_through, is_open, was_withdrawn
from pathway.timing import Timed, ages, calendar_date

NEVER = Timed()
_STANDS = ("booked", "arrived", "checked-in")


@dataclass(frozen=True)
class Scope:
    """Where an action is evaluated: the plan itself (no occurrence), or one occurrence of a repeatable action.

    `trigger`: the resource that the occurrence comes from.
    """

    occurrence: str = ""
    surgery: Surgery | None = None
    trigger: Resource | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """One application of a plan to a situation at a time; `looks` are shared by those that follow each other."""

    library: Library
    situation: Situation
    now: Now
    unusable: frozenset[str] = frozenset()
    looks: Looks = field(default_factory=Looks, repr=False, compare=False)

    @classmethod
    def of(cls, library: Library, situation: Situation, now: Now) -> Context:
        """Without the answers that do not fit their form: nothing is decided on them, nothing withdrawn for them."""
        unusable = {r["id"] for r in situation.of_type("QuestionnaireResponse") if not _fits(library, r)}
        usable = [r for r in situation.data if r["resourceType"] != "QuestionnaireResponse" or r["id"] not in unusable]
        return cls(library, replace(situation, data=usable), now, frozenset(unusable))

    @cached_property
    def outline(self) -> Outline:
        """What the definition that the CarePlan is pinned to says at this site."""
        own = tuple(self.situation.site.parameters.pathway.items())
        return outline(self.library, self.situation.care_plan["instantiatesCanonical"][0], own)

    @property
    def plan(self) -> Resource:
        """The definition, with the site's own values in it."""
        return self.outline.plan

    @property
    def actions(self) -> Mapping[str, Resource]:
        """Every action of the plan by its id."""
        return self.outline.actions

    def action(self, id: str) -> Resource:
        """Raises InvalidDefinition."""
        if id not in self.actions:
            raise InvalidDefinition(f"There is no action '{id}' in the plan")
        return self.actions[id]

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The pathway's parameters as they count at this site."""
        return self.outline.parameters

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.situation.site.zone)

    @property
    def today(self) -> date:
        """The clinical date at the clinic."""
        return self.now.clinical.astimezone(self.zone).date()

    @cached_property
    def individuals(self) -> Mapping[tuple[str, str], Individual]:
        """What clinicians said of single steps of this patient's plan."""
        return individuals(self.situation.care_plan)

    def individual(self, action: Resource, scope: Scope) -> Individual | None:
        """What a clinician said of a step: about this occurrence, else about all of them."""
        return self.individuals.get((action["id"], scope.occurrence)) or self.individuals.get((action["id"], ""))

    def parameters_of(self, action: str) -> Mapping[str, Value]:
        """The parameters that an action names, with their values."""
        return self.outline.named.get(action, {})

    def kind(self, action: Resource) -> str | None:
        """The resource type the action asks for; None for a group."""
        return self.outline.kinds.get(action["id"])

    def key(self, action: Resource, scope: Scope, when: Timed = NEVER) -> Key:
        """The key of what an action leads to. What starts at a time of its own belongs to that day:
        when the day moves it is something new."""
        day = when.at.astimezone(self.zone).date().isoformat() if when.at and conditions(action, "start") else ""
        base = action_key(self.situation.key, action["id"], scope.occurrence, day)
        return self._tried(self.kind(action) or "", base, scope)[0]

    def unused(self, type: str, base: Key) -> Key:
        """The key under which something is asked for: once more under one of its own, if we withdrew it before."""
        return self._tried(type, base, Scope())[0]

    def earlier_visits(self, action: Resource, scope: Scope) -> list[Resource]:
        """The visits of an action that fell through, in whose place another one is asked for."""
        base = action_key(self.situation.key, action["id"], scope.occurrence, "")
        return [visit for visit in self._tried("Appointment", base, scope)[1] if fell_through(visit)]

    def _tried(self, type: str, base: Key, scope: Scope) -> tuple[Key, list[Resource]]:
        """The key that counts now, and what was asked for before under others and does not count any more."""
        key, tried = base, list[Resource]()
        while (found := self.situation.by_key.get((type, key.value))) is not None and self._comes_again(found, scope):
            tried.append(found)
            key = again(base, len(tried) + 1)
        return key, tried

    def _comes_again(self, found: Resource, scope: Scope) -> bool:
        missed = fell_through(found) and (found["status"] == "noshow" or not self._replaced(found, scope))
        return missed or was_withdrawn(found)

    def _replaced(self, visit: Resource, scope: Scope) -> bool:
        """Whether the hospital has another Appointment of its own after the same operation."""
        orders = {r.get("reference") for r in visit.get("basedOn", [])}
        moment = scope.surgery.moment if scope.surgery else None
        return any(
            orders & {r.get("reference") for r in other.get("basedOn", [])}
            and (day := calendar_date(str(other.get("start")), self.situation.site.zone)) is not None
            and (moment is None or day > moment.end)
            for other in self.situation.of_type("Appointment")
            if key_of(other) is None and (is_open(other) or other.get("status") == "fulfilled")
        )

    def existing(self, action: Resource, scope: Scope, when: Timed = NEVER) -> Resource | None:
        """The request that this action has already led to; of whichever type, when its definition is not there."""
        kind, key = self.kind(action), self.key(action, scope, when).value
        if kind is None and "definitionCanonical" in action:
            found = (r for (type, value), r in self.situation.by_key.items() if value == key and type != "Flag")
            return next(found, None)
        return self.situation.by_key.get((kind or "", key))

    @cached_property
    def appointments(self) -> Sequence[Resource]:
        """The actions that ask for a visit."""
        return [action for action in self.actions.values() if self.kind(action) == "Appointment"]

    def is_surgery(self, action: Resource) -> bool:
        """A ServiceRequest that actions below it are timed from: the anchor of a pathway."""
        return action["id"] in self.outline.surgeries

    def variables(self, scope: Scope, **more: Any) -> Mapping[str, Any]:
        """`%subject`, `%data`, `%operation` ..., and one `%Name` per action and Questionnaire.

        An action's name is the request it led to, a Questionnaire's its newest response; a form that is both asked for
        and answered is the answer. `%visits` are Encounters in person that belong to a visit of the scope,
        `%visitsAhead` its visits that are booked for today or later, `%earlierVisits` those that fell through.
        """
        situation, surgery = self.situation, scope.surgery
        decided = str((more.get("trigger") or {}).get("authored", ""))
        responses = {q["name"]: self._responses(q["url"], surgery, decided)[-1:] for q in self.library.questionnaires()}
        existing = self.names(scope, self.actions.values())
        return {
            "subject": situation.subject,
            "referral": _listed(situation.referral),
            "plan": situation.care_plan,
            "data": list(situation.data),
            "trigger": [],
            "triggers": [],
            "earlier": [],
            "parameters": self.parameters,
            "ageInYears": ages(str(situation.subject.get("birthDate", "")), self.today),
            "surgery": _listed(surgery.request if surgery else None),
            "operation": _listed(surgery.operation if surgery else None),
            "visits": self._visits(existing),
            "visitsAhead": self._visits_ahead(existing),
            "earlierVisits": [v for a in self.appointments for v in self.earlier_visits(a, scope)],
            **existing,
            **responses,
            **more,
        }

    def names(self, scope: Scope, actions: Iterable[Resource]) -> Mapping[str, Sequence[Resource]]:
        """One `%Name` per action: the request it led to in this scope."""
        return {self.outline.names[action["id"]]: _listed(self.existing(action, scope)) for action in actions}

    def _responses(self, questionnaire: str, surgery: Surgery | None, decided: str) -> list[Resource]:
        """Finished responses; of a form that belongs to an operation only those that can be about this operation.

        One that names its operation (basedOn) is about that one only. A form asked for before the operation counts from
        its decision on, one asked for on the day from that day, any other from the day after: what was answered for an
        earlier operation is not taken for this one.
        """
        found = self.situation.responses(questionnaire)
        if surgery is None or questionnaire in self.outline.outside:
            return found
        asked = self.outline.days.get(questionnaire, 1)
        zone, moment = self.situation.site.zone, surgery.moment
        first = calendar_date(decided, zone) if asked is None else None
        if asked is not None and moment is not None:
            first = moment.end + timedelta(days=min(asked, 1))
        return [r for r in found if _may_be_about(r, surgery) and _not_before(r, first, zone)]

    def _visits(self, existing: Mapping[str, Sequence[Resource]]) -> list[Resource]:
        """Finished Encounters in person that belong to an Appointment of this scope (rule-visit-happened)."""
        booked = {reference_to(r) for found in existing.values() for r in found if r["resourceType"] == "Appointment"}
        return [
            encounter
            for encounter in self.situation.of_type("Encounter")
            if encounter.get("status") == "finished"
            and encounter.get("class", {}).get("code") not in ("VR", "EMER")
            and booked & {r.get("reference") for r in encounter.get("appointment", [])}
        ]

    def _visits_ahead(self, existing: Mapping[str, Sequence[Resource]]) -> list[Resource]:
        zone = self.situation.site.zone
        booked = [
            r for found in existing.values() for r in found if r["resourceType"] == "Appointment" and "start" in r
        ]
        days = [(r, calendar_date(str(r["start"]), zone)) for r in booked if r["status"] in _STANDS]
        return [visit for visit, day in days if day is not None and day >= self.today]


def warns(form: Resource) -> bool:
    """Whether a Questionnaire reports warning signs, as its code says."""
    return any(c.get("system") == ACTIVITY_TYPE and c.get("code") == "warning-signs" for c in form.get("code", []))


def _fits(library: Library, response: Resource) -> bool:
    """A warning sign counts whatever else is wrong with the form."""
    form = library.find_questionnaire(str(response.get("questionnaire", "")))
    return (form is not None and warns(form)) or not responses.faults(response, library)


def conditions(action: Resource, kind: str) -> list[Resource]:
    """The expressions of an action's conditions of one kind."""
    return [c["expression"] for c in action.get("condition", []) if c["kind"] == kind]


def _may_be_about(response: Resource, surgery: Surgery) -> bool:
    """Whether a response names no operation, or this one."""
    named = {str(r.get("reference")) for r in response.get("basedOn", [])}
    orders = {reference for reference in named if reference.startswith("ServiceRequest/")}
    return not orders or (surgery.request is not None and reference_to(surgery.request) in orders)


def _not_before(response: Resource, first: date | None, zone: str) -> bool:
    day = calendar_date(str(response.get("authored", "")), zone)
    return first is None or day is None or day >= first


def _listed(resource: Resource | None) -> list[Resource]:
    return [] if resource is None else [resource]

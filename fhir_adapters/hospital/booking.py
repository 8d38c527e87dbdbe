"""A visit booked by the hospital's own $find and $book (IHE ITI Scheduling, https://profiles.ihe.net/ITI/Scheduling/).

Before each $book our Appointment notes the time that is asked for. So whoever comes after an answer that was lost looks
for a booking at that time, and asks anew only when the hospital can no longer be at work on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.letter import Waits
from fhir_adapters.store.outbox import OutboxClaim
from fhir_adapters.store.sql import SqlStore
from pathway.errors import Conflict, Gone, HospitalError, MultipleMatches, NotFound, PathwayError, Rejected
from pathway.keys import is_again, key_of
from pathway.ports import Resource, Update, search_all
from pathway.references import reference_to
from pathway.tasks import is_movable
from pathway.timing import calendar_date, instant, instant_if_said, wall
from pathway.visits import ProposedDays, booking_asked, proposed_days, with_booking_asked

_TRIED = 3  # offers of the day, and then of the window
_BOOKED = ("booked", "pending", "arrived", "checked-in", "fulfilled")
_NEXT_LOOK = timedelta(minutes=5)


@dataclass(frozen=True)
class Booking:
    """Books visits of one hospital. `zone`: the clinic's; None where the site does not want visits booked.

    `clock` is the wire clock; `lease` is longer than the hospital is waited for.
    """

    store: SqlStore
    hospital: str
    client: HospitalClient
    clock: Callable[[], datetime]
    lease: timedelta
    zone: str | None

    def booked(self, claim: OutboxClaim, visit: Resource) -> Resource | None:
        """The hospital's Appointment for our `visit`; None where it is to be proposed to people instead.

        Raises Waits, MultipleMatches when several could be it, and what the server does.
        """
        asked = booking_asked(visit)
        if asked is not None:
            start, at = asked
            if (there := self._there(visit, start)) is not None:
                return there
            if claim.uncertain and self.clock() < at + self.lease:
                raise Waits("The hospital was asked to book it and may still do so", at + self.lease)
        days = proposed_days(visit)
        if self.zone is None or days is None or not self.client.plan.of("Appointment").book:
            return None
        # What a person cancelled there, a person books again: they may have given the patient another day already.
        if (key := key_of(visit)) is None or is_again(key):
            return None
        now = self.store.clinical_now(self.hospital)
        if not is_movable(visit) or not _inside(days, now.astimezone(ZoneInfo(self.zone)).date()):
            return None
        return self._book(claim, visit, days, _Finding(self.client, self.zone, visit, now))

    def _book(self, claim: OutboxClaim, visit: Resource, days: ProposedDays, finding: _Finding) -> Resource:
        refusal: PathwayError | None = None
        patient = self._patient(visit)
        for offer in finding.offers(days):
            self._note(claim, days, offer)
            try:
                return self._ask(offer, patient)
            except (Conflict, Gone, MultipleMatches, NotFound, Rejected) as error:
                # Another worker of ours may be the somebody who was first.
                if (there := self._there(visit, instant(offer["start"]))) is not None:
                    return there
                refusal = error
        why = f"refused what it offered: {refusal}" if refusal else "offers nothing"
        raise Waits(f"From {days.first} to {days.last} the hospital {why}", self.clock() + _NEXT_LOOK)

    def _note(self, claim: OutboxClaim, days: ProposedDays, offer: Resource) -> None:
        """Before it is asked for, in the transaction that makes sure that it is still ours to ask."""
        with self.store.transaction(self.hospital) as tx:
            visit = tx.read(claim.type, claim.id)
            if not tx.outbox.hold(claim, self.lease) or not is_movable(visit) or proposed_days(visit) != days:
                raise Waits("Something else happened to it meanwhile")
            noted = with_booking_asked(visit, offer["start"], self.clock())
            tx.transact([Update(noted, visit["meta"]["versionId"])])

    def _ask(self, offer: Resource, patient: Resource | None) -> Resource:
        """The Appointment as it is booked. Raises Rejected when the answer is a no."""
        chosen = {"name": "appointment-reference", "valueReference": {"reference": reference_to(offer)}}
        who = [{"name": "patient-resource", "resource": patient}] if patient else []
        answer = self.client.operate("Appointment", "book", _parameters(chosen, *who))
        found = [r for r in _resources(answer, "Appointment") if r.get("status") in _BOOKED]
        if not found:
            raise Rejected(f"POST /Appointment/$book was answered with no booking: {_said(answer)}")
        if "id" not in found[0]:
            raise HospitalError("POST /Appointment/$book was answered with an Appointment that has no id")
        return self.client.read("Appointment", found[0]["id"])

    def _there(self, visit: Resource, start: datetime) -> Resource | None:
        """The one booking of the patient at that time that is not known to be somebody else's."""
        patient = _patient_of(visit)
        known = search_all(self.client, "Appointment", [("patient", patient), ("_count", "200")])
        found = [a for a in known if a.get("status") in _BOOKED and key_of(a) is None and _begins(a) == start]
        with self.store.transaction(self.hospital, read_only=True) as tx:
            free = [a for a in found if tx.links.by_theirs("Appointment", a["id"]) is None]
        if len(free) > 1:
            several = ", ".join(reference_to(a) for a in free)
            raise MultipleMatches(f"Each of {several} may be the visit that the hospital was asked to book")
        return free[0] if free else None

    def _patient(self, visit: Resource) -> Resource | None:
        with self.store.transaction(self.hospital, read_only=True) as tx:
            try:
                return tx.read(*_patient_of(visit).split("/", 1))
            except NotFound:
                return None


@dataclass(frozen=True)
class _Finding:
    client: HospitalClient
    zone: str
    visit: Resource
    now: datetime

    def offers(self, days: ProposedDays) -> Iterator[Resource]:
        """The first of the day that was chosen, then of the window what is nearest to the target."""
        seen = set[str]()
        for first, last in [*([(days.day, days.day)] if days.day else []), (days.first, days.last)]:
            found = [offer for offer in self._find(first, last) if reference_to(offer) not in seen]
            found.sort(key=lambda offer: self._rank(offer, days.target))
            for offer in islice(found, _TRIED):
                seen.add(reference_to(offer))
                yield offer

    def _find(self, first: date, last: date) -> Sequence[Resource]:
        start = max(wall(first, time(), self.zone), self.now.astimezone(UTC).replace(microsecond=0))
        end = wall(last + timedelta(days=1), time(), self.zone)
        if start >= end:
            return []
        asked: list[Resource] = [
            {"name": "start", "valueDateTime": start.isoformat()},
            {"name": "end", "valueDateTime": end.isoformat()},
            {"name": "patient-reference", "valueReference": {"reference": _patient_of(self.visit)}},
            *(
                {"name": "practitioner", "valueReference": {"reference": r}}
                for r in _actors(self.visit, "Practitioner")
            ),
            *({"name": "visit-type", "valueString": token} for token in _service_types(self.visit)),
        ]
        answer = self.client.operate("Appointment", "find", _parameters(*asked))
        return [offer for offer in _resources(answer, "Appointment") if self._fits(offer, start, end)]

    def _fits(self, offer: Resource, start: datetime, end: datetime) -> bool:
        """A server may offer more than was asked for."""
        begins = _begins(offer)
        return offer.get("status") == "proposed" and "id" in offer and begins is not None and start <= begins < end

    def _rank(self, offer: Resource, target: date) -> tuple[int, datetime]:
        day = calendar_date(offer["start"], self.zone) or target
        return abs((day - target).days), instant(offer["start"])


def _inside(days: ProposedDays, today: date) -> bool:
    return today <= days.last and (days.day is None or days.first <= days.day <= days.last)


def _begins(appointment: Resource) -> datetime | None:
    return instant_if_said(str(appointment.get("start", "")))


def _actors(visit: Resource, type: str) -> list[str]:
    actors = [str(p.get("actor", {}).get("reference", "")) for p in visit.get("participant", [])]
    return [actor for actor in actors if actor.startswith(f"{type}/")]


def _patient_of(visit: Resource) -> str:
    return _actors(visit, "Patient")[0]


def _service_types(visit: Resource) -> list[str]:
    codings = [coding for concept in visit.get("serviceType", []) for coding in concept.get("coding", [])]
    return [f"{coding['system']}|{coding['code']}" for coding in codings if "system" in coding and "code" in coding]


def _parameters(*each: Resource) -> Resource:
    return {"resourceType": "Parameters", "parameter": list(each)}


def _resources(answer: Resource, type: str) -> list[Resource]:
    inside = [entry.get("resource", {}) for entry in answer.get("entry", [])]
    return [resource for resource in (answer, *inside) if resource.get("resourceType") == type]


def _said(answer: Resource) -> str:
    issues = [issue for outcome in _resources(answer, "OperationOutcome") for issue in outcome.get("issue", [])]
    texts = [i.get("diagnostics") or i.get("details", {}).get("text") or i.get("code", "") for i in issues]
    return "; ".join(map(str, texts))[:1000] or "nothing was said why"

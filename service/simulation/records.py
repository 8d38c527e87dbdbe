"""What the simulated hospital records of a patient, no more than the pathway needs to act."""

from __future__ import annotations

from datetime import date, timedelta

from pathway import codes
from pathway.ports import Resource
from pathway.site import Site
from service.demo.records import answer, response
from service.simulation.people import Person
from service.simulation.world import World


def introduction(person: Person, world: World) -> list[Resource]:
    """The patient, the decision for surgery, and last the referral, which the pathway answers."""
    site = world.pathway.site
    surgeon = site.roles["surgeon"].reference
    outcome = answer("dec-record-outcome", valueCoding={"system": codes.DECISION, "code": "surgery"})
    at = world.clock.moment.isoformat()
    decision = response(codes.SHARED_DECISION, person.patient, surgeon, at, [outcome])
    referral = {
        "resourceType": "ServiceRequest",
        "id": person.id("referral"),
        "status": "active",
        "intent": "order",
        "code": _concept(site, "referral"),
        "subject": {"reference": person.patient},
    }
    patient = {"resourceType": "Patient", "id": person.id("patient")}
    return [patient, {**decision, "id": person.id("decision")}, referral]


def theatre(person: Person, world: World, order: Resource | None, day: date, status: str = "booked") -> Resource:
    """The operation's Appointment."""
    return {
        "resourceType": "Appointment",
        "id": person.id("theatre"),
        "status": status,
        **hours(world, day, 8, 2),
        **_based_on(order),
        "participant": [{"actor": {"reference": person.patient}, "status": "accepted"}],
    }


def procedure(person: Person, world: World, order: Resource | None, day: date) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": person.id("procedure"),
        "status": "completed",
        "code": _concept(world.pathway.site, "surgery"),
        "subject": {"reference": person.patient},
        **_based_on(order),
        "performedPeriod": hours(world, day, 8, 2),
    }


def hours(world: World, day: date, hour: int, length: int) -> dict[str, str]:
    start = world.at(day, hour)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=length)).isoformat()}


def _based_on(order: Resource | None) -> Resource:
    return {"basedOn": [{"reference": f"ServiceRequest/{order['id']}"}]} if order else {}


def _concept(site: Site, which: str) -> Resource:
    [code, *_] = site.referral_codes if which == "referral" else site.surgery_codes
    return {"coding": [{"system": code.system, "code": code.code}]}

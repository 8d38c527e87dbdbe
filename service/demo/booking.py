"""$find and $book of IHE ITI Scheduling over the Schedules and Slots that the demonstration's hospital holds.

https://profiles.ihe.net/ITI/Scheduling/. An offer is not stored: its id names the Slot, and only $book takes it. $book
makes new bookings only; what is booked is moved or cancelled as any Appointment.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_adapters.server.operation import Asked, Level, Operation, Parameter
from pathway.errors import Conflict, Gone, Refused
from pathway.ports import Create, Resource, Transaction, Update, search_all
from pathway.references import reference_to
from pathway.timing import instant

_IHE = "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition"
_TYPE: frozenset[Level] = frozenset({"type"})
_OFFER = "offer-"
_ACTORS = ("practitioner", "organization", "location-reference")
_CODES = {"visit-type": "serviceType", "specialty": "specialty"}


def find(tx: Transaction, asked: Asked) -> Resource:
    """The free Slots in a period as proposed Appointments; an empty Bundle when there are none."""
    start, end = (instant(asked.required(name, str)) for name in ("start", "end"))
    free = search_all(tx, "Slot", [("status", "free"), ("start", f"ge{start.isoformat()}")])
    offers = []
    for slot in sorted(free, key=lambda each: instant(each["start"])):
        schedule = _schedule(tx, slot)
        if instant(slot["start"]) < end and _fits(schedule, asked):
            patients = [str(r["reference"]) for r in asked.all("patient-reference", dict)]
            offers.append({"id": f"{_OFFER}{slot['id']}", **_appointment(slot, schedule, "proposed", patients)})
    return _bundle(offers)


def book(tx: Transaction, asked: Asked) -> Resource:
    """Raises Conflict when the Slot is not free any more, Refused for what cannot be booked, NotFound."""
    proposed = asked.resource("appointment-resource") or {}
    slot = _slot(tx, asked.one("appointment-reference", dict), proposed)
    if slot.get("status") != "free":
        raise Conflict(f"{reference_to(slot)} is not free any more")
    actors = [str(p.get("actor", {}).get("reference", "")) for p in proposed.get("participant", [])]
    patients = [reference_to(p) for p in asked.all("patient-resource", dict) if "id" in p]
    patients = patients or [actor for actor in actors if actor.startswith("Patient/")]
    if not patients:
        raise Refused("Nobody is named for whom to book: send patient-resource with the id of the Patient here")
    for patient in patients:
        tx.read(*patient.split("/", 1))
    comment = asked.one("comment", str)
    booked = _appointment(slot, _schedule(tx, slot), "booked", patients) | ({"comment": comment} if comment else {})
    taken = Update({**slot, "status": "busy"}, slot["meta"]["versionId"])
    return _bundle([tx.transact([taken, Create(booked)])[1].resource])


FIND = Operation(
    "find",
    "Appointment",
    f"{_IHE}/appointment-find",
    find,
    _TYPE,
    affects_state=False,
    parameters=(
        Parameter("start", "dateTime", min=1),
        Parameter("end", "dateTime", min=1),
        *(Parameter(name, "string", max="*") for name in _CODES),
        *(Parameter(name, "Reference", max="*") for name in (*_ACTORS, "patient-reference")),
    ),
)
BOOK = Operation(
    "book",
    "Appointment",
    f"{_IHE}/appointment-book",
    book,
    _TYPE,
    affects_state=True,
    parameters=(
        Parameter("appointment-reference", "Reference"),
        Parameter("appointment-resource", "Appointment"),
        Parameter("patient-resource", "Patient", max="*"),
        Parameter("comment", "string"),
    ),
)
SCHEDULING = (FIND, BOOK)


def _slot(tx: Transaction, reference: Resource | None, proposed: Resource) -> Resource:
    named = str(reference["reference"]).rpartition("Appointment/")[2] if reference else ""
    slots = [str(slot.get("reference", "")).rpartition("Slot/")[2] for slot in proposed.get("slot", [])]
    id = named.removeprefix(_OFFER) if named.startswith(_OFFER) else next(iter(slots), None)
    if not id:
        raise Refused("Send appointment-reference with an Appointment that $find offered, or appointment-resource")
    try:
        return tx.read("Slot", id)
    except Gone as error:
        raise Conflict(f"Slot/{id} is not there any more") from error


def _schedule(tx: Transaction, slot: Resource) -> Resource:
    return tx.read(*str(slot["schedule"]["reference"]).split("/", 1))


def _fits(schedule: Resource, asked: Asked) -> bool:
    """Each kind of actor that was asked for takes part; a Schedule that names no services has all."""
    actors = {actor.get("reference") for actor in schedule["actor"]}
    for name in _ACTORS:
        wanted = {reference["reference"] for reference in asked.all(name, dict)}
        if wanted and not wanted & actors:
            return False
    return all(_serves(schedule.get(element, []), asked.all(name, str)) for name, element in _CODES.items())


def _serves(concepts: Sequence[Resource], tokens: Sequence[str]) -> bool:
    offered = {f"{c.get('system', '')}|{c.get('code', '')}" for concept in concepts for c in concept.get("coding", [])}
    return not tokens or not offered or bool(offered & set(tokens))


def _appointment(slot: Resource, schedule: Resource, status: str, patients: Sequence[str]) -> Resource:
    answer = "needs-action" if status == "proposed" else "accepted"
    services = {name: schedule[name] for name in _CODES.values() if name in schedule}
    people = [*schedule["actor"], *({"reference": patient} for patient in patients)]
    return {
        "resourceType": "Appointment",
        "status": status,
        **services,
        "start": slot["start"],
        "end": slot["end"],
        "slot": [{"reference": reference_to(slot)}],
        "participant": [{"actor": actor, "required": "required", "status": answer} for actor in people],
    }


def _bundle(appointments: Sequence[Resource]) -> Resource:
    entries = [{"resource": appointment, "search": {"mode": "match"}} for appointment in appointments]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return {**bundle, "entry": entries} if entries else bundle

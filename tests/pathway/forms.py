"""Answers to the pathway's forms, as the tests' patients give them."""

from __future__ import annotations

from pathway.codes import ANESTHESIA_HISTORY as ANESTHESIA
from pathway.codes import BASE, INDICATIONS, OPERATION_RECORD, OUTCOME, POSTOP_VISIT, PREOP_CHECKLIST
from pathway.ports import Resource
from tests.pathway.conftest import Clinic, coded, yes


def no(link: str) -> Resource:
    return {"linkId": link, "answer": [{"valueBoolean": False}]}


def number(link: str, value: float) -> Resource:
    kind = "valueInteger" if isinstance(value, int) else "valueDecimal"
    return {"linkId": link, "answer": [{kind: value}]}


def words(link: str, value: str) -> Resource:
    return {"linkId": link, "answer": [{"valueString": value}]}


def day(link: str, value: str) -> Resource:
    return {"linkId": link, "answer": [{"valueDate": value}]}


def code(link: str, system: str, value: str) -> Resource:
    return coded(link, f"{BASE}/CodeSystem/{system}", value)


def group(link: str, *items: Resource) -> Resource:
    return {"linkId": link, "item": list(items)}


def medicine(kind: str, decision: str = "continue", *more: Resource) -> Resource:
    """A medicine of the checklist, with a prescriber's decision."""
    chosen = (code("medicine-class", "medicine-class", kind), code("medicine-decision", "medicine-decision", decision))
    return group("prep-medication-disclosure", group("medicine", *chosen, *more))


def checklist(clinic: Clinic, *items: Resource, id: str = "checklist-1", at: str = "2026-03-04") -> None:
    clinic.answer(PREOP_CHECKLIST, id, f"{at}T10:00:00+01:00", list(items))


def anesthesia(clinic: Clinic, *items: Resource, id: str = "history-1", at: str = "2026-03-05") -> None:
    author = {"reference": "Practitioner/anna", "display": "Dr Anna Vogel"}
    clinic.answer(ANESTHESIA, id, f"{at}T10:00:00+01:00", list(items), author=author)


def operation(clinic: Clinic, *items: Resource, id: str = "operation-1", at: str = "2026-03-16T17:00") -> None:
    clinic.answer(OPERATION_RECORD, id, f"{at}:00+01:00", list(items))


def visit(clinic: Clinic, *items: Resource, id: str = "visit-1", at: str = "2026-03-26") -> None:
    clinic.answer(POSTOP_VISIT, id, f"{at}T10:00:00+01:00", list(items))


def outcome(clinic: Clinic, *items: Resource, id: str = "outcome-1", at: str = "2026-04-30") -> None:
    clinic.answer(OUTCOME, id, f"{at}T10:00:00+02:00", list(items))


def reassess(clinic: Clinic, *items: Resource, id: str = "indications-2", at: str = "2026-03-02T11:00:00") -> None:
    """The indications are answered again, with a known cause."""
    cause = group("cause", code("cause-autoimmune", "autoimmune-cause", "systemic-sclerosis"))
    clinic.answer(INDICATIONS, id, f"{at}+01:00", [*items, cause])


def needs(*links: str) -> Resource:
    """What the decision says that the operation needs."""
    return group("needs", *(yes(link) for link in links))

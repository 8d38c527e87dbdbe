"""Questionnaires and responses written down briefly, for the tests of forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_adapters.r4 import admission
from pathway import sdc
from pathway.extract import Extracted, extract
from pathway.populate import populate
from pathway.ports import Resource
from pathway.responses import check
from pathway.sdc import Populated

URL = "http://example.org/Questionnaire/form"
COLOURS = "http://example.org/colours"
AT = "2026-03-02T09:00:00+01:00"
PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "birthDate": "1971-05-04",
    "name": [{"family": "Huber", "given": ["Anna", "Maria"]}, {"family": "Ott", "given": ["Anna"]}],
    "contact": [{"name": {"family": "Huber", "given": ["Eva"]}}],
    "managingOrganization": {"reference": "Organization/clinic"},
}


def form(*items: Resource, **elements: Any) -> Resource:
    return {
        "resourceType": "Questionnaire",
        "url": URL,
        "version": "1",
        "status": "active",
        "item": list(items),
        **elements,
    }


def question(link: str, type: str, *extension: Resource, **elements: Any) -> Resource:
    return {"linkId": link, "type": type, **({"extension": list(extension)} if extension else {}), **elements}


def group(link: str, *items: Resource, extension: tuple[Resource, ...] = (), **elements: Any) -> Resource:
    return question(link, "group", *extension, item=list(items), **elements)


def expression(url: str, text: str, **elements: str) -> Resource:
    return {"url": url, "valueExpression": {"language": "text/fhirpath", "expression": text, **elements}}


def initial(text: str) -> Resource:
    return expression(sdc.INITIAL_EXPRESSION, text)


def computed(text: str) -> Resource:
    return expression(sdc.CALCULATED_EXPRESSION, text)


def context(name: str, text: str) -> Resource:
    return expression(sdc.POPULATION_CONTEXT, text, name=name)


def declared(name: str, *types: str) -> Resource:
    parts = [{"url": "name", "valueCoding": {"code": name}}, *({"url": "type", "valueCode": type} for type in types)]
    return {"url": sdc.LAUNCH_CONTEXT, "extension": parts}


def unit(code: str, display: str) -> Resource:
    coding = {"system": "http://unitsofmeasure.org", "code": code, "display": display}
    return {"url": sdc.UNIT, "valueCoding": coding}


def colour(code: str) -> Resource:
    return {"valueCoding": {"system": COLOURS, "code": code, "display": code.title()}}


def when(question: str, operator: str = "=", **answer: Any) -> Resource:
    """`enableWhen` with one rule; the answer is yes unless another is given."""
    return {"enableWhen": [{"question": question, "operator": operator, **(answer or {"answerBoolean": True})}]}


def answered(*items: Resource, **elements: Any) -> Resource:
    """A completed response to `form`."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "answers-1",
        "status": "completed",
        "questionnaire": f"{URL}|1",
        "subject": {"reference": "Patient/p1"},
        "authored": "2026-03-19T08:00:00+01:00",
        "author": {"reference": "Practitioner/okafor"},
        "item": list(items),
        **elements,
    }


def answer(link: str, *items: Resource, **value: Any) -> Resource:
    return {"linkId": link, "answer": [{**value, **({"item": list(items)} if items else {})}]}


def section(link: str, *items: Resource) -> Resource:
    return {"linkId": link, "item": list(items)}


def extracted(response: Resource, questionnaire: Resource) -> Extracted:
    """Extracted at one hospital; whatever comes out is valid R4."""
    found = extract(response, questionnaire, "north")
    assert admission.check(found.bundle) == []
    for entry in found.bundle.get("entry", []):
        assert admission.check(entry["resource"]) == []
    return found


def resources(found: Extracted) -> list[Resource]:
    return [entry["resource"] for entry in found.bundle.get("entry", [])]


def filled(questionnaire: Resource, data: Sequence[Resource] = (), **launch: Resource | list[Resource]) -> Populated:
    """Populated for the patient; whatever comes out is valid and fits its form."""
    populated = populate(questionnaire, PATIENT, launch, data, AT)
    assert check(populated.response, questionnaire) == []
    assert admission.check(populated.response) == []
    return populated


def values(parent: Resource, link: str) -> list[Any]:
    """The answers to a question, wherever it is."""
    found = []
    for item in parent.get("item", []):
        for one in item.get("answer", []):
            found += [value for name, value in one.items() if name.startswith("value") and item["linkId"] == link]
            found += values(one, link)
        found += values(item, link)
    return found


def links(parent: Resource) -> list[str]:
    items = parent.get("item", [])
    return [item["linkId"] for item in items] + [link for item in items for link in links(item)]

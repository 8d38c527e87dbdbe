"""A FHIR server finds no error in anything that the pathway makes for a patient with every need there is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
from msgspec import json

from pathway.keys import key_of
from pathway.library import Library
from pathway.ports import Resource
from pathway.requests import place
from pathway.risks import risk_assessment
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import (
    anesthesia,
    checklist,
    code,
    day,
    group,
    medicine,
    needs,
    no,
    number,
    operation,
    outcome,
    reassess,
    visit,
    words,
)
from tests.pathway.test_risks import situation

NEEDS = (
    "anesthesia-planned",
    "clearance-required",
    "authorization-required",
    "prep-labs",
    "prep-imaging",
    "mit-nerve-mapping",
    "proc-tissue-analysis",
    "near-joint-or-muscle",
)
JSON = json.Encoder(decimal_format="number")
FHIR = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}
OURS = ("CarePlan", "Task", "ServiceRequest", "Appointment", "CommunicationRequest", "Flag")


def before_surgery(clinic: Clinic) -> None:
    clinic.enrolled()
    reassess(
        clinic,
        group("indications", yes("ind-severe-pain"), yes("ind-diagnostic-uncertainty")),
        group("factors", yes("fac-smoking"), yes("fac-diabetes"), yes("minor")),
        group("work-up", yes("cause-workup-tests"), yes("consultation-wanted")),
    )
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", needs(*NEEDS))
    clinic.book()
    paused = medicine("anticoagulant", "pause")["item"]
    listed = [m for kind in ("immunosuppressant", "anti-inflammatory") for m in medicine(kind)["item"]]
    checklist(
        clinic,
        group("prep-medication-disclosure", *paused, *listed),
        group("examinations", yes("prep-remote-support")),
        group("time-off", code("occupation-demand", "occupation-demand", "physical"), yes("prep-work-school-note")),
        words("prep-ask-questions", "When may I swim?"),
    )
    own = words("prep-fasting-override", "Nothing after midnight.")
    anesthesia(clinic, group("fasting", code("fasting-source", "fasting-source", "surgeon"), own))
    clinic.at("2026-03-15T09:00")
    clinic.release()


def after_surgery(clinic: Clinic) -> None:
    clinic.at("2026-03-16T18:00")
    clinic.record(performedDateTime="2026-03-16", basedOn=[clinic.excision()])
    operation(
        clinic,
        group("findings", yes("tissue-sent"), code("mit-complete-removal", "removal-completeness", "partial")),
        group("closure", yes("sutures-to-remove"), yes("rec-dressing-changes"), words("dressing-interval", "daily")),
        group("afterwards", yes("mit-compression-stockings"), yes("rec-physical-therapy")),
    )
    signs = ("redness", "swelling", "warmth", "wound-not-healing", "leg-clot-signs", "breathing-difficulty")
    clinic.diary(
        number("temperature", 39.1),
        *(yes(f"flag-{sign}") for sign in (*signs, "allergic-reaction", "increased-pain")),
        code("flag-discharge", "wound-discharge", "pus"),
        code("flag-bleeding", "wound-bleeding", "soaking"),
        code("flag-nerve-symptoms", "nerve-symptom", "tingling"),
        yes("fu-telemedicine"),
    )
    complications = group("fu-check-complications", yes("risk-infection"), no("risk-dvt"), yes("risk-recurrence"))
    later = group("later", yes("add-physical-therapy"), yes("add-scar-care"), yes("fu-missed-care"))
    further = (yes("fu-extra-visits"), day("fu-extra-visits-date", "2026-04-07"))
    visit(clinic, complications, *further, later)
    outcome(clinic, yes("symptoms-persist"), yes("flag-new-deposit"))


def made(clinic: Clinic) -> list[Resource]:
    return [r for type in OURS for r in clinic.all(type) if key_of(r) is not None]


def test_of_a_patient_with_every_need(clinic: Clinic, content: Library, hapi_base: str) -> None:
    before_surgery(clinic)
    after_surgery(clinic)
    assert clinic.quarantine() == []
    resources = [*made(clinic), risk_assessment(content, situation(clinic), clinic.now())]
    actions = {key_of(r).value.split(":")[3] for r in made(clinic) if r["resourceType"] != "CarePlan"}  # type: ignore[union-attr]
    assert len(actions) > 60

    def errors(resource: Resource) -> list[Resource]:
        # Without an id, as it would arrive in a create: the server resolves no references.
        body = {name: value for name, value in resource.items() if name not in ("id", "meta")}
        with httpx.Client(base_url=hapi_base, timeout=120, trust_env=False) as client:
            path = f"/{resource['resourceType']}/$validate"
            outcome_ = client.post(path, content=JSON.encode(body), headers=FHIR).json()
        return [i for i in outcome_["issue"] if i["severity"] in ("fatal", "error")]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(errors, resources))
    assert [(r, e) for r, e in zip(resources, found, strict=True) if e] == []


def test_a_dynamic_value_reaches_inside_an_element() -> None:
    resource: Resource = {"payload": [{"contentString": "old"}]}
    place(resource, "payload[0].contentString", "new")
    place(resource, "requestedPeriod[0].start", "2026-04-07")
    place(resource, "requestedPeriod[0].end", "2026-04-08")
    place(resource, "priority", "stat")
    assert resource == {
        "payload": [{"contentString": "new"}],
        "requestedPeriod": [{"start": "2026-04-07", "end": "2026-04-08"}],
        "priority": "stat",
    }

"""The pathway's own content: it loads, it fits together, it is R4, and every artefact names its sources."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pathway import codes
from pathway.elements import actions_of
from pathway.findings import INDICATIONS
from pathway.library import DEFINITIONS, Library
from pathway.requests import KINDS
from pathway.verdicts import CONSERVATIVE, CONSIDER, INSUFFICIENT, INSUFFICIENT_ALONE, NO_INDICATION

Json = dict[str, Any]
FILES = sorted(DEFINITIONS.glob("*.json"))
CANONICAL = [path for path in FILES if not path.name.startswith("DocumentReference-")]
TEXTS = [path for path in FILES if path.name.startswith("DocumentReference-")]
# What the service can be asked to do is not part of the clinical content.
CONTENT = [path for path in FILES if not path.name.startswith("OperationDefinition-")]
FAMILIES = "bg proc ind dec alt cause prep risk mit rec fu flag out fac add faq edu svc goal ten rule".split()  # noqa: SIM905
STATEMENT = re.compile(rf"({'|'.join(FAMILIES)})(-[a-z0-9]+)+")
NOT_R4 = {"subjectCanonical", "valueCodeableReference", "valueRatioRange", "versionAlgorithmString", "copyrightLabel"}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load()


def read(path: Path) -> Json:
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


def parts(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def items(questionnaire: Json) -> dict[str, Json]:
    return {part["linkId"]: part for part in parts(questionnaire) if "linkId" in part}


def concepts(library: Library, url: str) -> set[str]:
    system = library.find_code_system(url)
    assert system is not None
    return {concept["code"] for concept in system["concept"]}


def sources(resource: Json) -> list[str]:
    if resource["resourceType"] == "OperationDefinition":
        return []
    if resource["resourceType"] == "DocumentReference":
        return str(resource["description"]).partition(": ")[2].split(", ")
    if resource["resourceType"] in ("CodeSystem", "Questionnaire"):
        return str(resource["purpose"]).partition(": ")[2].split(", ")
    related = [*resource.get("relatedArtifact", []), *(d for p in parts(resource) for d in p.get("documentation", []))]
    return [id for one in related if one["type"] == "derived-from" for id in one["label"].split(", ")]


@pytest.mark.parametrize("path", CANONICAL, ids=lambda path: path.stem)
def test_is_a_draft_of_this_version_in_its_own_file(path: Path) -> None:
    resource = read(path)
    kind, id = resource["resourceType"], resource["id"]
    assert path.name == f"{kind}-{id}.json"
    assert resource["url"] == f"{codes.BASE}/{kind}/{id}"
    assert (resource["version"], resource["status"], resource["experimental"]) == ("0.1.0", "draft", True)
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", resource["name"])
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", id)
    assert path.read_text(encoding="utf-8") == json.dumps(resource, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_an_education_text_is_preliminary_about_nobody_and_says_for_whom(path: Path) -> None:
    text = read(path)
    assert path.name == f"DocumentReference-{text['id']}.json"
    assert (text["status"], text["docStatus"]) == ("current", "preliminary")
    assert not {"subject", "context", "author"} & text.keys()
    audiences = [c["code"] for one in text["category"] for c in one["coding"] if c["system"] == codes.AUDIENCE]
    assert audiences == ["professional" if text["id"].endswith("-professional") else "lay"]
    [content] = text["content"]
    words = base64.b64decode(content["attachment"]["data"]).decode()
    assert words.startswith(f"# {content['attachment']['title']}\n")
    assert path.read_text(encoding="utf-8") == json.dumps(text, indent=2, ensure_ascii=False) + "\n"


def test_every_text_the_plan_shows_exists(library: Library) -> None:
    shown = {
        document["url"]
        for _, action in actions_of(library.plan(codes.PLAN))
        for document in action["documentation"]
        if document["type"] == "documentation"
    }
    known = {f"{codes.BASE}/DocumentReference/{read(path)['id']}" for path in TEXTS}
    assert shown
    assert shown - known == set()


def test_no_text_for_patients_names_the_unconfirmed_fasting_rule() -> None:
    texts = [base64.b64decode(read(path)["content"][0]["attachment"]["data"]).decode().lower() for path in TEXTS]
    assert [text for text in texts if "midnight" in text] == []


@pytest.mark.parametrize("path", CONTENT, ids=lambda path: path.stem)
def test_names_the_statements_it_comes_from(path: Path) -> None:
    named = sources(read(path))
    assert named
    assert [id for id in named if not STATEMENT.fullmatch(id)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_has_no_element_of_another_fhir_version(path: Path) -> None:
    assert [name for part in parts(read(path)) for name in NOT_R4 & part.keys()] == []


def test_every_code_of_ours_exists(library: Library) -> None:
    known = {
        (r["url"], c["code"]) for r in library.resources() if r["resourceType"] == "CodeSystem" for c in r["concept"]
    }
    used = {
        (part["system"], part["code"])
        for resource in library.resources()
        for part in parts(resource)
        if str(part.get("system", "")).startswith(codes.BASE) and "code" in part
    }
    assert used - known == set()


def test_code_systems_are_complete(library: Library) -> None:
    for system in (r for r in library.resources() if r["resourceType"] == "CodeSystem"):
        assert (system["content"], system["caseSensitive"]) == ("complete", True)
        assert system["count"] == len({concept["code"] for concept in system["concept"]}) == len(system["concept"])
        assert all(concept["display"] and concept["definition"] for concept in system["concept"])


def test_activities_are_of_a_kind_the_engine_makes(library: Library) -> None:
    for activity in (r for r in library.resources() if r["resourceType"] == "ActivityDefinition"):
        assert activity["kind"] in KINDS
        assert activity["description"]
        coding = [c["code"] for c in activity["code"]["coding"] if c["system"] == codes.ACTIVITY_TYPE]
        task_kinds = [code for code in coding if code != "escalation"]  # which is said beside what is to be done
        assert len(task_kinds) == (activity["kind"] in ("Task", "CommunicationRequest"))


def test_what_the_engine_itself_uses_is_there(library: Library) -> None:
    for canonical in (codes.REVIEW, codes.CONFIRM_DATE, codes.DOCUMENT_REASON, codes.BOOK_VISIT, codes.PATIENT_RECORD):
        assert library.activity(canonical)["kind"] == "Task"
    assert library.plan(codes.PLAN)["name"] == "CalcinosisExcisionPathway"
    for canonical in (codes.INDICATIONS, codes.SHARED_DECISION, codes.RECOVERY_DIARY, codes.POSTOP_VISIT):
        assert library.questionnaire(canonical)


def test_a_questionnaire_task_says_which(library: Library) -> None:
    sdc = {"system": codes.SDC_TASK, "code": "complete-questionnaire"}
    for activity in (r for r in library.resources() if r["resourceType"] == "ActivityDefinition"):
        asks = [c for c in activity["code"]["coding"] if {k: c[k] for k in sdc} == sdc]
        assert bool(asks) == ("extension" in activity)


def test_what_makes_a_visit_and_an_operation(library: Library) -> None:
    visit = library.activity(f"{codes.BASE}/ActivityDefinition/fu-first-visit-appointment")
    codings = {(c["system"], c["code"]) for c in visit["code"]["coding"]}
    assert codings == {(codes.APPOINTMENT_TYPE, "FOLLOWUP"), (codes.SNOMED, "439740005")}
    operation = library.activity(f"{codes.BASE}/ActivityDefinition/proc-excision")
    codings = {(c["system"], c["code"]) for c in operation["code"]["coding"]}
    assert codings == {(codes.SNOMED, "65801008"), (codes.PROCEDURE, "calcinosis-excision")}
    assert operation["topic"][0]["coding"][0]["code"] == codes.SURGICAL_PROCEDURE


def test_the_reminder_tells_nothing_about_the_illness(library: Library) -> None:
    text = library.activity(f"{codes.BASE}/ActivityDefinition/fu-attend-all")["description"].lower()
    assert not re.search(r"calcin|surg|operat|wound|follow-up|excis|deposit", text)


@pytest.mark.parametrize(
    ("id", "priority"),
    [
        ("flag-route-emergency", "stat"),
        ("flag-route", "urgent"),
        ("fu-missed-visit", "urgent"),
        ("rule-surgery-unknown", "urgent"),
        ("rule-visit-unbooked", "urgent"),
        ("review", "urgent"),
        ("fu-first-visit", "routine"),
    ],
)
def test_priorities(library: Library, id: str, priority: str) -> None:
    assert library.activity(f"{codes.BASE}/ActivityDefinition/{id}")["priority"] == priority


def test_every_flag_action_has_a_red_flag_code(library: Library) -> None:
    actions = [action["id"] for _, action in actions_of(library.plan(codes.PLAN))]
    assert {id for id in actions if id.startswith("flag-")} == concepts(library, codes.RED_FLAG)


def test_every_question_the_plan_asks_about_exists(library: Library) -> None:
    text = json.dumps(library.plan(codes.PLAN), default=str)
    asked = set(re.findall(r"linkId='([^']+)'", text))
    known = {link for questionnaire in library.questionnaires() for link in items(questionnaire)}
    assert asked
    assert asked - known == set()


def test_indications_questionnaire(library: Library) -> None:
    questionnaire = library.questionnaire(codes.INDICATIONS)
    groups = {group["linkId"]: items(group) for group in questionnaire["item"]}
    assert len(INDICATIONS) == len(set(INDICATIONS)) == 16
    for indication in INDICATIONS:
        assert groups["indications"][indication]["type"] == "boolean"
        evidence = groups["indications"][f"{indication}-evidence"]
        assert evidence["enableWhen"] == [{"question": indication, "operator": "=", "answerBoolean": True}]
    assert {"cause-autoimmune", "cause-kidney-disease", "cause-hypercalcemia", "cause-idiopathic"} <= groups[
        "cause"
    ].keys()
    assert {"dec-location", "dec-size", "dec-size-mm", "proc-tissue-layer"} <= groups["lesion"].keys()


def test_the_decision_must_be_recorded(library: Library) -> None:
    top = {item["linkId"]: item for item in library.questionnaire(codes.SHARED_DECISION)["item"]}
    assert top["dec-record-outcome"]["required"] is True
    offered = {option["valueCoding"]["code"] for option in top["dec-record-outcome"]["answerOption"]}
    assert offered == concepts(library, codes.DECISION)
    assert top["add-additional-surgery"]["type"] == "boolean"


def test_the_diary_always_shows_whom_to_call(library: Library) -> None:
    shown = items(library.questionnaire(codes.RECOVERY_DIARY))
    assert shown["end-page"]["type"] == "display"
    assert "enableWhen" not in shown["end-page"]
    assert "emergency number" in shown["end-page"]["text"]


def test_every_danger_answer_of_the_diary_shows_a_warning(library: Library) -> None:
    diary = items(library.questionnaire(codes.RECOVERY_DIARY))
    warned = {rule["question"] for text in ("danger-text", "contact-text") for rule in diary[text]["enableWhen"]}
    assert warned == {link for link in diary if link.startswith("flag-")} | {"temperature"}
    emergency = {rule["question"] for rule in diary["danger-text"]["enableWhen"]}
    assert emergency == {"flag-leg-clot-signs", "flag-breathing-difficulty", "flag-bleeding", "flag-allergic-reaction"}


def test_every_flag_the_diary_asks_for_is_routed_by_the_plan(library: Library) -> None:
    actions = {action["id"] for _, action in actions_of(library.plan(codes.PLAN))}
    assert {link for link in items(library.questionnaire(codes.RECOVERY_DIARY)) if link.startswith("flag-")} <= actions


@pytest.mark.parametrize("link", ["pain-score", "temperature", "dec-size-mm"])
def test_numbers_have_limits_and_units(library: Library, link: str) -> None:
    question = next(items(q)[link] for q in library.questionnaires() if link in items(q))
    extensions = {e["url"].rpartition("/")[2]: e for e in question["extension"]}
    kind = "valueInteger" if question["type"] == "integer" else "valueDecimal"
    assert extensions["minValue"][kind] < extensions["maxValue"][kind]
    assert ("questionnaire-unit" in extensions) == (link != "pain-score")


def test_the_table_proposes_what_the_code_system_knows(library: Library) -> None:
    known = {CONSIDER, CONSERVATIVE, INSUFFICIENT, INSUFFICIENT_ALONE, NO_INDICATION}
    assert known == concepts(library, codes.RULE_RESULT)


def test_findings_of_a_surgery_are_known_review_reasons(library: Library) -> None:
    source = "".join((DEFINITIONS.parent / name).read_text() for name in ("surgery.py", "intake.py", "review.py"))
    used = set(re.findall(r'Finding\(\s*"([a-z\-]+)"', source))
    assert used
    assert used - concepts(library, codes.REVIEW_REASON) == set()


def test_a_fhir_server_finds_nothing_wrong(hapi_base: str) -> None:
    order = ["CodeSystem", "ValueSet", "Questionnaire", "ActivityDefinition", "PlanDefinition"]
    order += ["DocumentReference", "OperationDefinition"]
    resources = sorted((read(path) for path in FILES), key=lambda r: order.index(r["resourceType"]))
    with httpx.Client(base_url=hapi_base, timeout=120, trust_env=False) as client:
        for resource in resources:
            path = f"/{resource['resourceType']}/{resource['id']}"
            assert client.put(path, json=resource).status_code in (200, 201), path
        for resource in resources:
            outcome = client.post(f"/{resource['resourceType']}/$validate", json=resource).json()
            assert [i for i in outcome["issue"] if i["severity"] in ("fatal", "error")] == []

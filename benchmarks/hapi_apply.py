"""HAPI's PlanDefinition/$apply of our plan: loaded into it as far as it can read it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from benchmarks.load import Ask
from benchmarks.servers import Server
from pathway.library import Library
from pathway.ports import Resource

_PATIENT = "bench-apply-patient"
_COPY = "bench-plan-copy"
_LOADED = ("ActivityDefinition", "Questionnaire")
_NO_REQUEST = ("Goal", "OperationOutcome", "RequestGroup")
_REPLACED = ("action", "relatedAction")
_LEFT_OUT = ("condition", "dynamicValue", "trigger", "cardinalityBehavior")


@dataclass(frozen=True)
class HapiApply:
    """What to ask, how many requests an answer holds, and what was changed so that HAPI can do it."""

    path: str
    requests: int
    note: str

    def ask(self, _: int) -> Ask:
        return Ask("GET", self.path)


def prepare(server: Server, library: Library, plan: Resource, included: Collection[str]) -> HapiApply:
    """Our plan where HAPI understands it, else a copy of only the `included` actions, without conditions."""
    definitions = [r for r in library.resources() if r["resourceType"] in _LOADED]
    server.put({"resourceType": "Patient", "id": _PATIENT}, *definitions, plan)
    path = _path(plan["id"])
    answer = server.get(path)
    if not _failures(answer):
        return HapiApply(path, _requests(answer), "plan as it is")
    copy = {
        **plan,
        "id": _COPY,
        "url": f"{plan['url']}-copy",
        "action": list(_without_conditions(plan["action"], included)),
    }
    server.put(copy)
    path = _path(_COPY)
    note = "HAPI does not know the %names in our conditions: it gets a copy of the plan without conditions, with the "
    note += "actions that hold for this patient only; nothing is stored"
    return HapiApply(path, _requests(server.get(path)), note)


def _path(plan: str) -> str:
    return f"/PlanDefinition/{plan}/$apply?subject=Patient/{_PATIENT}"


def _failures(answer: Resource) -> list[Resource]:
    outcomes = [r for r in answer.get("contained", []) if r["resourceType"] == "OperationOutcome"]
    return [issue for outcome in outcomes for issue in outcome["issue"] if issue["severity"] in ("error", "fatal")]


def _requests(answer: Resource) -> int:
    return sum(
        r["resourceType"] not in ("OperationOutcome", "RequestGroup", "Goal") for r in answer.get("contained", [])
    )


def _without_conditions(actions: list[Resource], included: Collection[str]) -> Iterator[Resource]:
    for action in actions:
        below = list(_without_conditions(action.get("action", []), included))
        if action["id"] not in included and not below:
            continue
        kept = {name: value for name, value in action.items() if name not in (*_LEFT_OUT, *_REPLACED)}
        related = [r for r in action.get("relatedAction", []) if r["actionId"] in included]
        yield {**kept, **({"relatedAction": related} if related else {}), **({"action": below} if below else {})}

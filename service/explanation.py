"""What `CarePlan/[id]/$explain` answers, for a terminal: the whole plan as a list, or one action with all there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from pathway.errors import NotFound
from pathway.explain import NOT_LOOKED_AT
from pathway.ports import Resource

_Parts = Mapping[str, Sequence[Any]]
_MARKS = {"in": "[green]✓[/green]", "out": "–", "missing": "[yellow]?[/yellow]", "failed": "[red]![/red]"}
_LEGEND = (
    f"{_MARKS['in']} in the plan   {_MARKS['out']} not in the plan   {_MARKS['missing']} not in the plan, as something"
    f" is not known yet   {_MARKS['failed']} an expression failed"
)
_OUTCOMES = {
    "true": "[green]true[/green]",
    "false": "false",
    "missing": "[yellow]missing: nothing is recorded[/yellow]",
    "failed": "[red]failed[/red]",
    NOT_LOOKED_AT: "[dim]not looked at[/dim]",
}


def overview(answer: Resource) -> RenderableType:
    """A line for each action: a mark, its title, why it is in the plan or not, and its id.

    What comes once for each operation or diary entry stands below the id of what led to it.
    """
    sections = groupby(_actions(answer), lambda action: _first(action, "occurrence"))
    listed = (part for occurrence, actions in sections for part in _section(occurrence, actions))
    return Group(*_about(answer), _LEGEND, *listed, *_failures(answer))


def details(answer: Resource, id: str) -> RenderableType:
    """All that is said of one action, at each of its occurrences. Raises NotFound for one the plan does not have."""
    found = [action for action in _actions(answer) if _first(action, "id") == id]
    if not found:
        known = ", ".join(sorted({str(_first(action, "id")) for action in _actions(answer)}))
        raise NotFound(f"The plan has no action '{id}'; its actions are {known}")
    return Group(*_about(answer), *(part for action in found for part in _detail(action)))


def _section(occurrence: str | None, actions: Iterable[_Parts]) -> Iterator[RenderableType]:
    yield f"\n[bold]For {escape(occurrence)}[/bold]" if occurrence else "\n[bold]For the whole plan[/bold]"
    lines = Table.grid(padding=(0, 2, 0, 0), expand=True)
    lines.add_column(width=1)
    lines.add_column(ratio=3)
    lines.add_column(ratio=5)
    lines.add_column(ratio=3, style="dim", overflow="fold")
    for action in actions:
        said = [escape(str(_first(action, name))) for name in ("title", "why", "id")]
        lines.add_row(_mark(action), *said, style=None if _included(action) or _outcomes(action) else "dim")
    yield lines


def _about(answer: Resource) -> Iterator[RenderableType]:
    said = _by_name([p for p in answer["parameter"] if p["name"] != "action"])
    care_plan, author = said["care-plan"][0]["reference"], _first(said, "author")
    clinical = datetime.fromisoformat(_first(said, "clinical")).strftime("%Y-%m-%d %H:%M %Z")
    yield f"[bold]{escape(care_plan)}[/bold], version {_first(said, 'version')}"
    yield f"[dim]{escape(str(_first(said, 'definition')))}, engine {escape(str(_first(said, 'engine')))}[/dim]"
    by = f", wanted by {escape(author['reference'])}" if author else ""
    yield f"As of {clinical} on the clinical clock, set off by {escape(str(_first(said, 'cause')))}{by}"


def _detail(action: _Parts) -> Iterator[RenderableType]:
    state = "in the plan" if _included(action) else "not in the plan"
    occurrence = f" for {_first(action, 'occurrence')}" if _first(action, "occurrence") else ""
    yield f"\n{_mark(action)} [bold]{escape(str(_first(action, 'title')))}[/bold]"
    yield Padding(f"[dim]{escape(str(_first(action, 'id')) + occurrence)}[/dim]", (0, 0, 0, 2))
    yield Padding(f"{state}: {escape(str(_first(action, 'why')))}", (0, 0, 0, 2))
    for parts in action.get("expression", []):
        yield Padding(Group(*_expression(_by_name(parts))), (1, 0, 0, 2))
    values = [_by_name(parts) for parts in action.get("parameter", [])]
    yield from _listed("Values of this hospital", [f"{v['name'][0]} = {v['value'][0]}" for v in values])
    sources = [f"{s['code']}: {s.get('display', '')}" for s in action.get("source", [])]
    yield from _listed("Statements of the content behind it", sources)


def _expression(parts: _Parts) -> Iterator[RenderableType]:
    outcome = str(_first(parts, "outcome"))
    values = escape(", ".join(str(value) for value in parts.get("value", [])))
    yield f"{escape(str(_first(parts, 'meaning')))}  →  {_OUTCOMES.get(outcome, values)}"
    yield Padding(
        f"[dim]{escape(str(_first(parts, 'element')))}  {escape(str(_first(parts, 'expression')))}[/dim]", (0, 2)
    )
    for read in map(_by_name, parts.get("read", [])):
        found = ", ".join(read.get("found", [])) or "nothing is there"
        yield Padding(f"read {escape(read['name'][0])}: {escape(found)}", (0, 2))
    yield from (Padding(f"[red]{escape(message)}[/red]", (0, 2)) for message in parts.get("message", []))


def _listed(heading: str, lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield Padding(Group(heading, *(f"  {escape(line)}" for line in lines)), (1, 0, 0, 2))


def _failures(answer: Resource) -> Iterator[RenderableType]:
    outcomes = [p["resource"] for p in answer["parameter"] if p["name"] == "outcome"]
    texts = [issue["diagnostics"] for outcome in outcomes for issue in outcome["issue"]]
    yield from (f"[red]{escape(text)}[/red]" for text in texts)


def _actions(answer: Resource) -> list[_Parts]:
    return [_by_name(p["part"]) for p in answer["parameter"] if p["name"] == "action"]


def _mark(action: _Parts) -> str:
    """What is not in the plan because something is missing is another matter than what is not so."""
    if _included(action):
        return _MARKS["in"]
    return _MARKS.get(next(iter(_outcomes(action)[-1:]), ""), _MARKS["out"])


def _outcomes(action: _Parts) -> list[str]:
    """What its expressions gave, as far as they were looked at: the last one decided."""
    outcomes = [str(_first(_by_name(parts), "outcome")) for parts in action.get("expression", [])]
    return [outcome for outcome in outcomes if outcome != NOT_LOOKED_AT]


def _included(action: _Parts) -> bool:
    return bool(_first(action, "included"))


def _first(parts: _Parts, name: str) -> Any:
    return next(iter(parts.get(name, ())), None)


def _by_name(parts: Sequence[Resource]) -> dict[str, list[Any]]:
    """The values of named parameters, in their order."""
    found: dict[str, list[Any]] = {}
    for part in parts:
        value = next(value for name, value in part.items() if name != "name")
        found.setdefault(part["name"], []).append(value)
    return found

"""An outcome for people: on the terminal, and as a picture."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from service.pictures.bars import Kind, Panel, bars
from service.pictures.picture import BLUE, ORANGE, Picture
from service.simulation.counting import Counted
from service.simulation.simulate import Outcome

_BARS = " ▁▂▃▄▅▆▇█"
_MEANINGS = {
    "surgeries": "took place and were recorded",
    "planned": "the follow-up visit is asked for, has a day, or took place",
    "inside_window": "of these, on days of the plan's window",
    "waitlisted": "asked for, but no day is free",
    "with_people": "ended at the hospital, or in question there",
    "missing": "nothing is planned and nobody is asked",
    "doubled": "visits, Tasks and messages that exist once too often",
}


def show(outcome: Outcome, console: Console) -> None:
    """Weeks, the load of each clinic day, Tasks for people, the totals; and what a change would move."""
    scenario, found = outcome.scenario, outcome.before
    console.print(
        f"[bold]{scenario.patients} patients, {scenario.weeks} weeks from {scenario.start:%a %d %b %Y}, "
        f"seed {scenario.seed}[/bold]"
    )
    console.print(_weeks(found))
    console.print(_load("visits per clinic day", found))
    if outcome.after and outcome.moved:
        moved = outcome.moved
        console.print(_load(f"with {', '.join(outcome.changes)}", outcome.after))
        console.print(
            f"{moved.moved} of {moved.visits} visits would move: {moved.earlier} earlier, {moved.later} later, by "
            f"{moved.days:+g} days on average; {moved.gained} would get a day, {moved.lost} would lose theirs."
        )
    tasks = Table(title="Tasks for people", show_header=False, title_justify="left")
    for title, number in found.tasks.items():
        tasks.add_row(title, str(number))
    tasks.add_row("Reminders to patients", str(found.reminders))
    console.print(tasks)
    console.print(_totals(outcome))


def _weeks(found: Counted) -> Table:
    table = Table("week from", title="Weeks", title_justify="left")
    for name in ("surgeries", "visits", "reminders", "Tasks", "waitlisted"):
        table.add_column(name, justify="right")
    for week in found.weeks:
        numbers = (week.surgeries, week.visits, week.reminders, week.tasks, week.waitlisted)
        table.add_row(f"{week.first:%d %b}", *map(str, numbers))
    return table


def _load(title: str, found: Counted) -> str:
    highest = max((day.visits for day in found.days), default=0)
    if not found.days:
        return f"{title}: none"
    bars = "".join(_BARS[-(-8 * day.visits // highest)] for day in found.days)
    first, last = found.days[0].day, found.days[-1].day
    return f"{title}, {first:%d %b} to {last:%d %b}, at most {highest}:\n{bars}"


def _totals(outcome: Outcome) -> Table:
    table = Table("", title="Totals", title_justify="left")
    table.add_column("now", justify="right")
    columns = [asdict(outcome.before.totals)]
    if outcome.after:
        table.add_column("changed", justify="right")
        columns.append(asdict(outcome.after.totals))
    table.add_column("meaning")
    for name, meaning in _MEANINGS.items():
        table.add_row(name.replace("_", " "), *(str(column[name]) for column in columns), meaning)
    return table


def drawn(outcome: Outcome) -> Picture:
    """The load of each clinic day, and below it the load under the changed rules."""
    scenario, totals = outcome.scenario, outcome.before.totals
    kinds = (Kind("visits", BLUE), Kind("visits to which nobody came", ORANGE))
    panels = [_panel("The rules as they are", outcome.before, outcome.capacity)]
    if outcome.after:
        panels.append(_panel(f"With {', '.join(outcome.changes)}", outcome.after, outcome.capacity_after))
    subtitle = (
        f"{scenario.patients} patients in {scenario.weeks} weeks, seed {scenario.seed}: {totals.surgeries} surgeries, "
        f"{totals.planned} planned, {totals.inside_window} inside the window, {totals.waitlisted} waitlisted, "
        f"{totals.missing} missing"
    )
    return bars("Follow-up visits per clinic day", subtitle, kinds, panels)


def _panel(title: str, found: Counted, limit: int | None) -> Panel:
    return Panel(title, {day.day: (day.visits - day.missed, day.missed) for day in found.days}, limit)

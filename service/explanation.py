"""What `CarePlan/[id]/$explain` answers, as a table for a terminal."""

from __future__ import annotations

from rich.table import Table

from pathway.ports import Resource


def table(explained: Resource) -> Table:
    """A line for each action: a mark when it is in the plan, its title, and why."""
    lines = Table("", "action", "why", title=explained["parameter"][0]["valueReference"]["reference"])
    for action in explained["parameter"][1:]:
        said = {part["name"]: next(v for name, v in part.items() if name != "name") for part in action["part"]}
        lines.add_row("✓" if said["included"] else "–", str(said["title"]), str(said["why"]))
    return lines

"""Days side by side as cells, a strip for each case, with what happens on a day written below it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.pictures.picture import GREY, INK, Line, Picture, Rect, Shape, Text

_WIDTH, _LEFT, _TOP = 960, 24, 96
_CELL, _HEAD, _STEP, _LINE, _GAP = 40, 44, 17, 17, 30
_LETTERS = 125  # of a line of notes


@dataclass(frozen=True)
class Cell:
    """One day: `above` and `below` it in small letters, `inside` it what it is."""

    fill: str
    above: str = ""
    inside: str = ""
    below: str = ""
    outline: str = GREY
    ink: str = INK


@dataclass(frozen=True)
class Mark:
    """What happens on the day of a cell, by its place in the strip."""

    cell: int
    text: str


@dataclass(frozen=True)
class Strip:
    title: str
    cells: Sequence[Cell]
    marks: Sequence[Mark] = ()
    note: str = ""


def strips(title: str, subtitle: str, legend: Sequence[tuple[str, str]], rows: Sequence[Strip]) -> Picture:
    """`legend`: names and colours."""
    shapes: list[Shape] = [Text(_LEFT, 32, title, 18, bold=True), Text(_LEFT, 54, subtitle, 13, colour=GREY)]
    x = float(_LEFT)
    for name, colour in legend:
        shapes += [Rect(x, 68, 12, 12, colour, GREY), Text(x + 18, 78, name, 12)]
        x += 18 + 7 * len(name) + 22
    top = float(_TOP)
    for row in rows:
        shapes += _strip(row, top)
        top += _height(row)
    said = [subtitle, *(f"{row.title}: {row.note or '; '.join(mark.text for mark in row.marks)}" for row in rows)]
    return Picture(_WIDTH, round(top), title, " ".join(said), shapes)


def _strip(row: Strip, top: float) -> Iterator[Shape]:
    yield Text(_LEFT, top + 16, row.title, 14, bold=True)
    width, upper = min((_WIDTH - 2 * _LEFT) / max(len(row.cells), 1), 64.0), top + _HEAD
    for number, cell in enumerate(row.cells):
        x, middle = _LEFT + number * width, _LEFT + (number + 0.5) * width
        yield Rect(x + 1, upper, width - 2, _CELL, cell.fill, cell.outline)
        yield Text(middle, upper - 6, cell.above, 10, "middle", GREY)
        yield Text(middle, upper + 25, cell.inside, 12, "middle", cell.ink)
        yield Text(middle, upper + _CELL + 13, cell.below, 10, "middle", GREY)
    below = upper + _CELL + 20
    for number, mark in enumerate(reversed(row.marks)):  # the last one highest, so that no line goes through a text
        x, y = _LEFT + (mark.cell + 0.5) * width, below + 12 + _STEP * number
        late = x + 7 * len(mark.text) > _WIDTH
        yield Line(x, upper + _CELL - 8, x, y, INK, 1)
        yield Text(x - 6 if late else x + 6, y, mark.text, 12, "end" if late else "start")
    for number, line in enumerate(_lines(row)):
        yield Text(_LEFT, below + 14 + _STEP * len(row.marks) + _LINE * number, line, 12)


def _lines(row: Strip) -> list[str]:
    return textwrap.wrap(row.note, _LETTERS)


def _height(row: Strip) -> float:
    return _HEAD + _CELL + 20 + _STEP * len(row.marks) + _LINE * len(_lines(row)) + _GAP

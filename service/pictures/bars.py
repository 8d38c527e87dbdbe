"""Days as bars, stacked by kind, a panel for each case on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.pictures.picture import FAINT, GREY, INK, VERMILION, Line, Picture, Rect, Shape, Text

_WIDTH, _LEFT, _RIGHT, _TOP = 960, 56, 24, 96
_PANEL, _HEAD, _FOOT = 190, 26, 44  # heights: the bars, the panel's title above them, the days below
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Kind:
    """What a part of a bar stands for."""

    name: str
    colour: str


@dataclass(frozen=True)
class Panel:
    """`bars`: by day how many of each kind, in the order of the kinds. `limit`: places a day."""

    title: str
    bars: Mapping[date, Sequence[int]]
    limit: int | None = None


def bars(title: str, subtitle: str, kinds: Sequence[Kind], panels: Sequence[Panel]) -> Picture:
    """Every panel has the same days and the same scale."""
    days = sorted({day for panel in panels for day in panel.bars})
    first, last = (days[0], days[-1]) if days else (date.min, date.min)
    first -= timedelta(days=first.weekday())
    highest = max([sum(bar) for panel in panels for bar in panel.bars.values()], default=0)
    highest = max([highest, *(panel.limit or 0 for panel in panels), 1])
    shapes: list[Shape] = [Text(_LEFT, 32, title, 18, bold=True), Text(_LEFT, 54, subtitle, 13, colour=GREY)]
    shapes += _legend(kinds, any(panel.limit for panel in panels))
    for number, panel in enumerate(panels):
        top = _TOP + number * (_HEAD + _PANEL + _FOOT)
        shapes += _Drawn(panel, kinds, first, last, highest, top + _HEAD).shapes()
    height = _TOP + len(panels) * (_HEAD + _PANEL + _FOOT) + 6
    return Picture(_WIDTH, height, title, _description(subtitle, kinds, panels), shapes)


@dataclass(frozen=True)
class _Drawn:
    panel: Panel
    kinds: Sequence[Kind]
    first: date
    last: date
    highest: int
    top: float

    def shapes(self) -> Iterator[Shape]:
        yield Text(_LEFT, self.top - 8, self.panel.title, 13, bold=True)
        yield from self._scale()
        for day, bar in sorted(self.panel.bars.items()):
            yield from self._bar(day, bar)
        if self.panel.limit:
            y = self._y(self.panel.limit)
            yield Line(_LEFT, y, _WIDTH - _RIGHT, y, VERMILION, 1.5, dashed=True)
        base = self.top + _PANEL
        yield Line(_LEFT, base, _WIDTH - _RIGHT, base, INK)
        yield from self._weeks(base)

    def _scale(self) -> Iterator[Shape]:
        step = next((step for step in _STEPS if self.highest / step <= 5), self.highest)
        for number in range(0, self.highest + 1, step):
            y = self._y(number)
            yield Line(_LEFT, y, _WIDTH - _RIGHT, y, FAINT)
            yield Text(_LEFT - 8, y + 4, str(number), 11, "end")

    def _bar(self, day: date, bar: Sequence[int]) -> Iterator[Shape]:
        base = self.top + _PANEL
        for kind, number in zip(self.kinds, bar, strict=True):
            height = number * _PANEL / self.highest
            if number:
                said = f"{day:%a} {day.day} {day:%b %Y}: {number} {kind.name}"
                yield Rect(self._x(day) + 1, base - height, max(self._day - 2, 1), height, kind.colour, said=said)
            base -= height

    def _weeks(self, base: float) -> Iterator[Shape]:
        weeks = (self.last - self.first).days // 7 + 1
        every = -(-weeks // 14)
        for number in range(weeks):
            monday = self.first + timedelta(days=7 * number)
            x = self._x(monday)
            yield Line(x, base, x, base + 5, INK)
            if number % every == 0:
                yield Text(x + 2, base + 18, f"{monday.day} {monday:%b}", 11)
        yield Text(_WIDTH - _RIGHT, base + 34, f"weeks from Monday, {self.last:%Y}", 10, "end", GREY)

    @property
    def _day(self) -> float:
        return (_WIDTH - _LEFT - _RIGHT) / ((self.last - self.first).days + 1)

    def _x(self, day: date) -> float:
        return _LEFT + (day - self.first).days * self._day

    def _y(self, number: int) -> float:
        return self.top + _PANEL - number * _PANEL / self.highest


def _legend(kinds: Sequence[Kind], limited: bool) -> Iterator[Shape]:
    x = float(_LEFT)
    for kind in kinds:
        yield Rect(x, 68, 12, 12, kind.colour)
        yield Text(x + 18, 78, kind.name, 12)
        x += 18 + 7 * len(kind.name) + 22
    if limited:
        yield Line(x, 74, x + 24, 74, VERMILION, 1.5, dashed=True)
        yield Text(x + 30, 78, "places a day", 12)


def _description(subtitle: str, kinds: Sequence[Kind], panels: Sequence[Panel]) -> str:
    said = [subtitle]
    for panel in panels:
        sums = [sum(bar[number] for bar in panel.bars.values()) for number in range(len(kinds))]
        counts = ", ".join(f"{number} {kind.name}" for kind, number in zip(kinds, sums, strict=True))
        said.append(f"{panel.title}: {counts} on {len(panel.bars)} days.")
    return " ".join(said)

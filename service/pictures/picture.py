"""A picture as a list of shapes, written as SVG or PNG: the same in both, and the same every time.

Lengths are in pixels from the upper left corner. Both are dark on light, in colours that people who see some colours
alike can tell apart (https://jfly.uni-koeln.de/color/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

INK, FAINT, PAPER = "#222222", "#d9d9d9", "#ffffff"
BLUE, SKY, ORANGE, VERMILION, GREEN, GREY = "#0072b2", "#8ecae6", "#e69f00", "#d55e00", "#009e73", "#8a8a8a"
_ANCHORS = {"start": "l", "middle": "m", "end": "r"}
_SCALE = 2  # a PNG has this many pixels for each of the picture's


@dataclass(frozen=True)
class Rect:
    """`said` is read out for it and shown under the pointer."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    outline: str | None = None
    said: str = ""


@dataclass(frozen=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    colour: str = INK
    width: float = 1
    dashed: bool = False


@dataclass(frozen=True)
class Text:
    """`y` is the base line's."""

    x: float
    y: float
    text: str
    size: int = 12
    anchor: Literal["start", "middle", "end"] = "start"
    colour: str = INK
    bold: bool = False


Shape = Rect | Line | Text


@dataclass(frozen=True)
class Picture:
    """`title` and `description` are for those who do not see it."""

    width: int
    height: int
    title: str
    description: str
    shapes: Sequence[Shape]

    def svg(self) -> str:
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description" '
                'font-family="Helvetica, Arial, sans-serif">',
                f'<title id="title">{escape(self.title)}</title>',
                f'<desc id="description">{escape(self.description)}</desc>',
                f'<rect width="{self.width}" height="{self.height}" fill="{PAPER}"/>',
                *map(_svg, self.shapes),
                "</svg>\n",
            )
        )

    def png(self) -> bytes:
        from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - only who asks for a PNG waits for it

        image = Image.new("RGB", (self.width * _SCALE, self.height * _SCALE), PAPER)
        draw = ImageDraw.Draw(image)
        for shape in self.shapes:
            match shape:
                case Rect(x, y, width, height, fill, outline):
                    corners = [(x * _SCALE, y * _SCALE), ((x + width) * _SCALE - 1, (y + height) * _SCALE - 1)]
                    if width > 0 and height > 0:
                        draw.rectangle(corners, fill=fill, outline=outline, width=_SCALE if outline else 0)
                case Line():
                    for piece in _pieces(shape):
                        draw.line([n * _SCALE for n in piece], fill=shape.colour, width=round(shape.width * _SCALE))
                case Text(x, y, text, size, anchor, colour, bold):
                    font = ImageFont.load_default(size * _SCALE)
                    thick = _SCALE / 4 if bold else 0
                    place = (x * _SCALE, y * _SCALE)
                    draw.text(place, text, fill=colour, font=font, anchor=f"{_ANCHORS[anchor]}s", stroke_width=thick)
        written = BytesIO()
        image.save(written, "PNG", optimize=True)
        return written.getvalue()


def _svg(shape: Shape) -> str:
    match shape:
        case Rect(x, y, width, height, fill, outline, said):
            place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
            stroke = f' stroke="{outline}"' if outline else ""
            if not said:
                return f'<rect {place} fill="{fill}"{stroke}/>'
            return f'<rect {place} fill="{fill}"{stroke}><title>{escape(said)}</title></rect>'
        case Line(x1, y1, x2, y2, colour, width, dashed):
            ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
            dashes = ' stroke-dasharray="6 4"' if dashed else ""
            return f'<line {ends} stroke="{colour}" stroke-width="{_n(width)}"{dashes}/>'
        case Text(x, y, text, size, anchor, colour, bold):
            weight = ' font-weight="bold"' if bold else ""
            where = f'x="{_n(x)}" y="{_n(y)}" font-size="{size}" text-anchor={quoteattr(anchor)}'
            return f'<text {where} fill="{colour}"{weight}>{escape(text)}</text>'


def _pieces(line: Line) -> list[tuple[float, float, float, float]]:
    """A dashed line as its dashes, 6 long and 4 apart; these lines are level or upright."""
    if not line.dashed:
        return [(line.x1, line.y1, line.x2, line.y2)]
    length = abs(line.x2 - line.x1) + abs(line.y2 - line.y1)
    along = ((line.x2 - line.x1) / length, (line.y2 - line.y1) / length) if length else (0.0, 0.0)
    starts = [10 * n for n in range(int(length // 10) + 1)]
    return [
        (
            line.x1 + along[0] * a,
            line.y1 + along[1] * a,
            line.x1 + along[0] * min(a + 6, length),
            line.y1 + along[1] * min(a + 6, length),
        )
        for a in starts
    ]


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

"""The pictures of the documentation are those that the code draws today."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.pictures import FOLDER, PICTURES

PAGE = Path(__file__).parent.parent / "docs" / "scheduling.md"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_current(name: str) -> None:
    """`make pictures` draws it again."""
    drawn = PICTURES[name]().svg()
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == drawn
    root = ElementTree.fromstring(drawn)
    assert root.findtext("{http://www.w3.org/2000/svg}title")
    assert root.findtext("{http://www.w3.org/2000/svg}desc")


def test_the_page_shows_every_picture_and_describes_it() -> None:
    shown = dict(re.findall(r"!\[([^\]]+)\]\(pictures/([a-z-]+)\.svg\)", PAGE.read_text(encoding="utf-8")))
    assert sorted(shown.values()) == sorted(PICTURES)
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(PICTURES)

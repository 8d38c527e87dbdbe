"""Searching over pages."""

from __future__ import annotations

import pytest

from pathway.errors import HospitalError
from pathway.ports import Page, Query, Resource, search_all

QUERY = [("active", "true")]
PATIENTS: list[Resource] = [{"resourceType": "Patient", "id": str(number)} for number in range(4)]


class Pages:
    """A repository of fixed pages: token -> (resources, next token)."""

    def __init__(self, pages: dict[str | None, tuple[list[Resource], str | None]]) -> None:
        self._pages = pages

    def search(self, type: str, query: Query = (), *, page: str | None = None) -> Page:
        assert (type, list(query)) == ("Patient", QUERY)
        return Page(*self._pages[page])


def ids(pages: Pages) -> list[str]:
    return [resource["id"] for resource in search_all(pages, "Patient", QUERY)]


def test_every_page_is_read_and_what_stands_on_two_comes_once() -> None:
    assert ids(Pages({None: (PATIENTS[:2], "b"), "b": (PATIENTS[1:3], "c"), "c": (PATIENTS[3:], None)})) == [
        "0",
        "1",
        "2",
        "3",
    ]


def test_pages_that_go_in_a_circle_are_an_error_and_not_an_end() -> None:
    with pytest.raises(HospitalError, match="circle"):
        ids(Pages({None: (PATIENTS[:2], "b"), "b": (PATIENTS[2:], "b")}))

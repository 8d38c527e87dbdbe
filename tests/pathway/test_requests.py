"""What an action adds to the request that it leads to."""

from __future__ import annotations

from pathway.ports import Resource
from pathway.requests import place


def test_a_dynamic_value_reaches_inside_an_element() -> None:
    resource: Resource = {"payload": [{"contentString": "old"}]}
    place(resource, "payload[0].contentString", "new")
    place(resource, "requestedPeriod[0].start", "2026-04-07")
    place(resource, "requestedPeriod[0].end", "2026-04-08")
    place(resource, "priority", "stat")
    assert resource == {
        "payload": [{"contentString": "new"}],
        "requestedPeriod": [{"start": "2026-04-07", "end": "2026-04-08"}],
        "priority": "stat",
    }

"""Whether a message reached its patient: only a confirmation says so, never that it was sent or time passed."""

from __future__ import annotations

from collections.abc import Iterator

from pathway.ports import Resource
from pathway.references import reference_to
from pathway.situation import Situation
from pathway.tasks import is_open


def delivered(situation: Situation) -> Iterator[tuple[Resource, str]]:
    """The open CommunicationRequests of ours that a completed Communication is based on, and a sentence for each."""
    done = [c for c in situation.of_type("Communication") if c.get("status") == "completed"]
    by_request = {str(r.get("reference")): c for c in done for r in c.get("basedOn", [])}
    for (type, _), request in situation.by_key.items():
        confirmation = by_request.get(reference_to(request))
        if type == "CommunicationRequest" and confirmation is not None and is_open(request):
            yield request, f"{reference_to(confirmation)} confirms that it was delivered"

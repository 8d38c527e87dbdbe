"""What a completed form says, as resources of their own (SDC $extract): Observations, and what its definitions name.

https://hl7.org/fhir/uv/sdc/extraction.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pathway.definition_based import definition_based
from pathway.enabled import enabled_only
from pathway.errors import InvalidResource
from pathway.issues import Issue
from pathway.observations import observations
from pathway.ports import Resource
from pathway.responses import FINISHED, check


@dataclass(frozen=True)
class Extracted:
    """A transaction Bundle and, as issues, what could not be extracted."""

    bundle: Resource
    issues: Sequence[Issue] = ()


def extract(response: Resource, questionnaire: Resource, hospital: str) -> Extracted:
    """A transaction that PUTs each resource under an id of its own: extracting again writes the same ones again.

    Raises InvalidResource for a response that is not finished, is to another form, or does not fit its form.
    """
    _refuse_unusable(response, questionnaire)
    asked = enabled_only(response, questionnaire)
    found, doubts = observations(asked, questionnaire, hospital)
    drawn, more_doubts = definition_based(asked, questionnaire, hospital)
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_entry(resource) for resource in [*found, *drawn]],
    }
    return Extracted({name: value for name, value in bundle.items() if value}, [*doubts, *more_doubts])


def _refuse_unusable(response: Resource, questionnaire: Resource) -> None:
    if response.get("status") not in FINISHED:
        raise InvalidResource(
            f"Answers are extracted once they are completed or amended; these are '{response.get('status')}'."
        )
    if "id" not in response:
        raise InvalidResource("The answers have no id, which what is extracted from them would refer to.")
    url = questionnaire.get("url")
    if url is not None and str(response.get("questionnaire", "")).partition("|")[0] != url:
        raise InvalidResource(f"The answers are to {response.get('questionnaire')}, not to {url}.")
    if issues := [issue for issue in check(response, questionnaire) if issue.severity == "error"]:
        raise InvalidResource(issues)


def _entry(resource: Resource) -> Resource:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": {"method": "PUT", "url": url}}

"""Who does the work of a role for one patient: whoever the patient's CareTeam names, else whoever the site names.

The teams are the active ones that CarePlan.careTeam names, or without such all active teams of the patient. A
participant has a role by the codes that the site maps to it, and by ours always, while its period lasts. Several
members with one role leave the work with the site's own owner: nobody can say here which of them is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from pathway.codes import PROPOSED_OWNER, ROLE
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Code, Owner, has_code
from pathway.situation import Situation
from pathway.tags import tag_of, tagged
from pathway.timing import calendar_date

_CAN_OWN = re.compile(r"(PractitionerRole|Practitioner|Organization)/[A-Za-z0-9.\-]{1,64}")


def owner_of(situation: Situation, role: str, today: date, *, in_person: bool = False) -> Owner | None:
    """Who has a role for this patient on a day at the clinic; None when nobody has.

    `in_person`: for an Appointment, in which no Organization can take part.
    """
    members = {
        str(participant["member"]["reference"]): participant["member"]
        for team in _teams(situation, today)
        for participant in team.get("participant", [])
        if _has_role(participant, role, situation) and _lasts(participant, today, situation.site.zone)
    }
    able = [m for reference, m in members.items() if not (in_person and reference.startswith("Organization/"))]
    if len(able) != 1:
        return situation.site.roles.get(role)
    return Owner(reference=able[0]["reference"], display=str(able[0].get("display", "")))


def _teams(situation: Situation, today: date) -> Sequence[Resource]:
    active = [
        team
        for team in situation.of_type("CareTeam")
        if team.get("status") == "active" and _lasts(team, today, situation.site.zone)
    ]
    named = {r.get("reference") for r in situation.care_plan.get("careTeam", [])}
    return [team for team in active if reference_to(team) in named] or active


def _has_role(participant: Resource, role: str, situation: Situation) -> bool:
    if not _CAN_OWN.fullmatch(str(participant.get("member", {}).get("reference", ""))):
        return False
    wanted = (Code(system=ROLE, code=role), *situation.site.care_team_roles.get(role, ()))
    return any(has_code(concept, wanted) for concept in participant.get("role", []))


def _lasts(something: Resource, today: date, zone: str) -> bool:
    """Whether a day lies in the period; of a partial date counts as much as it says."""
    period = something.get("period", {})
    day = today.isoformat()
    return all(
        edge <= day[: len(edge)] if name == "start" else day[: len(edge)] <= edge for name, edge in _edges(period, zone)
    )


def _edges(period: Resource, zone: str) -> Iterator[tuple[str, str]]:
    for name in ("start", "end"):
        if name in period:
            whole = calendar_date(str(period[name]), zone)
            yield name, whole.isoformat() if whole else str(period[name])[:10]


def reowned(task: Resource, proposed: Resource, usual: str | None) -> Resource:
    """A Task with the owner that is proposed now, as long as it has the one that was proposed before.

    A member is noted in meta.tag when proposed; without that it was `usual`, the site's own. Any other owner was chosen
    at the hospital and stays.
    """
    before = task.get("owner", {}).get("reference")
    given = tag_of(task, PROPOSED_OWNER) or usual
    if "owner" not in proposed or before is None or before != given or before == proposed["owner"]["reference"]:
        return task
    return tagged({**task, "owner": proposed["owner"]}, PROPOSED_OWNER, tag_of(proposed, PROPOSED_OWNER))

"""The clinical sign-off of the content at a hospital: who, when, what."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter

from pathway.errors import InvalidDefinition, InvalidResource, NotFound, Refused
from pathway.signing import Approval
from service.admin import models
from service.admin.access import ACTOR, Registered, TheServices
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.strict import StrictRoute
from service.content import SignOff

router = APIRouter(prefix="/hospitals/{name}/sign-offs", tags=["sign-offs"], route_class=StrictRoute)


class SignOffAsked(Approval):
    """`changed`: artefacts of the site's own, in place of the shipped ones of the same url; all of them each time."""

    changed: tuple[dict[str, Any], ...] = ()


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=documented(NotFound, Malformed, TooLarge, Refused, InvalidResource, InvalidDefinition),
    summary="Sign the content off for a hospital",
)
def sign(asked: SignOffAsked, name: Registered, services: TheServices) -> models.SignOff:
    """It becomes the site's own active version, for new enrolments. The same again changes nothing."""
    approval = Approval(approver=asked.approver, date=asked.date, changes=asked.changes)
    return _shown(services.sign(name, approval, ACTOR, asked.changed))


@router.get("", responses=documented(NotFound), summary="What was signed off, by whom and when")
def sign_offs(name: Registered, services: TheServices) -> models.SignOffs:
    return models.SignOffs(sign_offs=[_shown(each) for each in services.content.sign_offs(name)])


def _shown(done: SignOff) -> models.SignOff:
    approval = done.approval
    return models.SignOff.model_validate({**vars(done), **dict(approval)})

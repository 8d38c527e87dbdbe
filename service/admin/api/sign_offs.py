"""The clinical sign-off of the content at a hospital: who, when, what."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from pathway.errors import InvalidResource, NotFound, Refused
from pathway.signing import Approval
from service.admin import models
from service.admin.access import ACTOR, Registered, TheServices
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.strict import StrictRoute
from service.content import SignOff

router = APIRouter(prefix="/hospitals/{name}/sign-offs", tags=["sign-offs"], route_class=StrictRoute)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=documented(NotFound, Malformed, TooLarge, Refused, InvalidResource),
    summary="Sign the content off for a hospital",
)
def sign(asked: Approval, name: Registered, services: TheServices) -> models.SignOff:
    """It becomes the site's own active version, for new enrolments. The same again changes nothing."""
    return _shown(services.sign(name, asked, ACTOR))


@router.get("", responses=documented(NotFound), summary="What was signed off, by whom and when")
def sign_offs(name: Registered, services: TheServices) -> models.SignOffs:
    return models.SignOffs(sign_offs=[_shown(each) for each in services.content.sign_offs(name)])


def _shown(done: SignOff) -> models.SignOff:
    approval = done.approval
    return models.SignOff.model_validate({**vars(done), **dict(approval)})

"""Calendar feeds: made for somebody, listed without their addresses, revoked."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from pathway.errors import NotFound
from service.admin import feed_models as models
from service.admin.access import ACTOR, Id, Registered, TheServices
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.strict import StrictRoute
from service.calendar_feeds import FeedAsked

router = APIRouter(prefix="/hospitals/{name}/feeds", tags=["feeds"], route_class=StrictRoute)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=documented(NotFound, Malformed, TooLarge),
    summary="Make a calendar of the visits to subscribe to",
)
def make(asked: FeedAsked, name: Registered, services: TheServices) -> models.MadeFeed:
    """Its address is shown once. Whoever has it reads when visits are, not whose."""
    made = services.feeds.create(name, asked, ACTOR)
    return models.MadeFeed.model_validate({**vars(made.feed), "url": made.url})


@router.get(
    "", responses=documented(NotFound), summary="Which calendars there are, for whom, and whether they are read"
)
def feeds(name: Registered, services: TheServices) -> models.Feeds:
    return models.Feeds(feeds=[models.Feed.model_validate(feed) for feed in services.feeds.all(name)])


@router.delete("/{feed}", responses=documented(NotFound), summary="Revoke a calendar: its address leads nowhere")
def revoke(feed: Id, name: Registered, services: TheServices) -> models.Feed:
    """Again changes nothing. Programs may go on showing what they fetched before."""
    return models.Feed.model_validate(services.feeds.revoke(name, feed, ACTOR))

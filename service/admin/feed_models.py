"""What the admin REST answers about calendar feeds. Times are aware and real."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from service.admin.models import Answer


class Feed(Answer):
    """A calendar that somebody subscribes to, without its address. `last_used_at`: to the hour."""

    id: str
    label: str
    scope: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None


class MadeFeed(Feed):
    url: str = Field(description="the secret address; shown this once and kept nowhere")


class Feeds(Answer):
    feeds: list[Feed] = Field(description="oldest first, revoked ones too")

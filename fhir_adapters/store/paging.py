"""Pages that stay in place while others write: a page starts after the last resource of the one before."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal

import msgspec

from pathway.errors import InvalidResource

DEFAULT_COUNT = 50
MAX_COUNT = 500
_TOO_LARGE = 2**63  # for a database


@dataclass(frozen=True)
class Sort:
    """`seq` is the order of the last write, that is `_lastUpdated` without ties."""

    by: Literal["seq", "id"]
    descending: bool = False


def page_token(sort: Sort, last: int | str) -> str:
    """An opaque token for what follows the resource whose sort value is `last`."""
    text = msgspec.json.encode([sort.by, sort.descending, last])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def page_start(sort: Sort, token: str) -> int | str:
    """The sort value to go on after. Raises InvalidResource for a token of another search or of nobody."""
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        by, descending, last = msgspec.json.decode(text, type=tuple[str, bool, int | str])
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidResource("The page token is not one of ours") from error
    if isinstance(last, int) and abs(last) >= _TOO_LARGE:
        raise InvalidResource("The page token is not one of ours")
    if (by, descending) != (sort.by, sort.descending) or isinstance(last, str) != (sort.by == "id"):
        raise InvalidResource("The page token belongs to another search")
    return last

"""Who is called about an alert, and when: a ladder of steps that is climbed until somebody acknowledges.

A hospital gives its ladder as `Site.alerts`. Pure: what was tried so far and the time are given, the calls come back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Priority = Literal["urgent", "stat"]

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=5)
_STAT_DIVISOR = 3

Minutes = Annotated[int, Field(ge=0, le=1440)]
Interval = Annotated[int, Field(ge=1, le=1440)]


def is_mail(address: str) -> bool:
    return _MAIL.fullmatch(address) is not None


def _address(text: str) -> str:
    if is_mail(text) or _is_web(text):
        return text
    raise ValueError("must be a mail address such as duty@hospital.example, or an http(s) URL without a user name")


def _is_web(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and parts.username is None and not parts.fragment and not any(c.isspace() for c in text)


Address = Annotated[str, Field(max_length=500), AfterValidator(_address)]


class AlertStep(BaseModel):
    """Everybody in `to` is called once an alert is unacknowledged for `after_minutes`.

    `label` names the step in records and logs, where no address stands. `stat_after_minutes`: the same for an alert
    of priority stat, by default a third.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    label: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
    after_minutes: Minutes = 0
    stat_after_minutes: Minutes | None = None
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=20)]

    def after(self, priority: Priority) -> int:
        """Minutes."""
        if priority == "urgent":
            return self.after_minutes
        return self.after_minutes // _STAT_DIVISOR if self.stat_after_minutes is None else self.stat_after_minutes


class AlertLadder(BaseModel):
    """The steps of a hospital, the first at once. Whoever was called is called again until somebody acknowledges."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: Annotated[tuple[AlertStep, ...], Field(min_length=1, max_length=20)]
    repeat_minutes: Interval = 15
    stat_repeat_minutes: Interval = 5

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first, labels = self.steps[0], [step.label for step in self.steps]
        if first.after_minutes or first.after("stat"):
            raise ValueError(f"the first step ({first.label}) must be at once: after_minutes 0")
        if len(set(labels)) < len(labels):
            raise ValueError("every step needs a label of its own")
        addresses = [address for step in self.steps for address in step.to]
        if len(set(addresses)) < len(addresses):
            raise ValueError("an address can stand in one place only: it is called again anyway")
        for step, following in zip(self.steps, self.steps[1:], strict=False):
            if following.after_minutes <= step.after_minutes or following.after("stat") < step.after("stat"):
                raise ValueError(f"{following.label} must come later than {step.label}")
        for step in self.steps:
            if step.after("stat") > step.after_minutes:
                raise ValueError(f"{step.label}: stat_after_minutes must not be later than after_minutes")
        if self.stat_repeat_minutes > self.repeat_minutes:
            raise ValueError("stat_repeat_minutes must not be longer than repeat_minutes")
        return self


@dataclass(frozen=True)
class Step:
    label: str
    after: timedelta
    to: tuple[str, ...]


@dataclass(frozen=True)
class Ladder:
    """The steps for one priority, first one first; an address that took the call is called again after `repeat`."""

    steps: tuple[Step, ...]
    repeat: timedelta


@dataclass(frozen=True)
class Tried:
    """What became of the calls to one address: the newest, and how many failed since one was taken."""

    at: datetime
    failures: int = 0


@dataclass(frozen=True)
class Call:
    """One address to be called at `at`, in the step `label`."""

    label: str
    address: str
    at: datetime


def ladder(configured: AlertLadder, priority: Priority) -> Ladder:
    """The configured ladder, as it is for an alert of this priority."""
    steps = (Step(s.label, timedelta(minutes=s.after(priority)), s.to) for s in configured.steps)
    repeat = configured.repeat_minutes if priority == "urgent" else configured.stat_repeat_minutes
    return Ladder(tuple(steps), timedelta(minutes=repeat))


def calls(ladder: Ladder, raised_at: datetime, tried: Mapping[str, Tried]) -> list[Call]:
    """The next call to each address, as long as nobody acknowledges; the soonest first. `tried` is by address."""
    found = [
        Call(step.label, address, _next(raised_at + step.after, tried.get(address), ladder.repeat))
        for step in ladder.steps
        for address in step.to
    ]
    return sorted(found, key=lambda call: call.at)


def calls_due(
    ladder: Ladder, raised_at: datetime, tried: Mapping[str, Tried], now: datetime, *, acknowledged: bool = False
) -> list[Call]:
    """The calls whose time has come; none once somebody acknowledged."""
    return [] if acknowledged else [call for call in calls(ladder, raised_at, tried) if call.at <= now]


def _next(first: datetime, tried: Tried | None, repeat: timedelta) -> datetime:
    if tried is None:
        return first
    # Never earlier than its step: a ladder may be changed while an alert is open.
    return max(first, tried.at + (min(_pause(tried.failures), repeat) if tried.failures else repeat))


def _pause(failures: int) -> timedelta:
    """5, 10, 20 seconds and so on, at most five minutes."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * (1 << min(failures - 1, 10)))

"""Structured logs, one JSON object a line, without patient data: what is not known to be harmless is left out."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_HARMLESS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "method",
        "route",
        "status",
        "ms",
        "seconds",
        "duty",
        "error",
        "exception",
        "hospital",
        "alert",
        "step",
        "kind",
        "count",
        "log_id",
        "library",
        "journal",
        "version",
        "url",
    }
)


def only_harmless(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, so that nobody can log a resource by accident."""
    return {name: value for name, value in event.items() if name in _HARMLESS}


def _without_message(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep an exception's type and place; its message may quote the data."""
    info = event.pop("exc_info", None)
    if info:
        kind, _value, trace = sys.exc_info() if info is True else info
        frames = []
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["exception"] = f"{kind.__name__ if kind else ''} at {' > '.join(frames[-6:])}"
    return event


def configure_logs() -> None:
    """To stderr; uvicorn's access log, which prints URLs, is off."""
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick that is still at work is no news
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _without_message,
            only_harmless,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )

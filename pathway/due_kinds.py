"""The kinds of due work that this version knows, and the version of what their rows carry (`DueWork.payload`)."""

from __future__ import annotations

from pathway.due_work import DueWork

START = "start"  # an action's start condition has to be looked at
VERSION = 1
UNKNOWN = "due-kind-unknown"  # the reason in quarantine
FAILED = "due-failed"
LEFT = "Due work that this version does not know: "


def entry_of(work: DueWork) -> str:
    """The `version` of its quarantine entry, `key/generation`: work that is taken up again and fails is a new one."""
    return f"{work.key}/{work.generation}"


def key_of_entry(version: str) -> str:
    """The key of the due work that `entry_of` names."""
    return version.rpartition("/")[0]


def unknown(work: DueWork) -> str | None:
    """Why this version must leave it alone, as a sentence; None when it knows it. Without a version it is the first."""
    if work.kind != START:
        return f"{LEFT}{work.kind}"
    version = work.payload.get("version", 1)
    if version != VERSION:
        return f"{LEFT}{work.kind} of version {version}"
    return None

"""Idempotency keys: the same thing always gets the same key, and its id is derived from it."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

from pathway.codes import BASE, KEY_SYSTEM
from pathway.ports import Key

_NAMESPACE = uuid5(NAMESPACE_URL, BASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9.\-]")


def _join(*parts: str) -> Key:
    return Key(KEY_SYSTEM, ":".join(_UNSAFE.sub("-", part) for part in parts))


def care_plan_key(hospital: str, referral: str, plan: str) -> Key:
    """CarePlan = hospital + referral id + name of the plan (last segment of its url)."""
    return _join(hospital, referral, plan.rsplit("/", 1)[-1])


def action_key(care_plan: Key, action: str, *parts: str) -> Key:
    """Action = CarePlan key + action id + surgery identity and occurrence, as far as it has them."""
    return Key(KEY_SYSTEM, f"{care_plan.value}:{_join(action, *[p for p in parts if p]).value}")


def again(base: Key, number: int) -> Key:
    """The key of what is asked for once more, as the second, third ... of `base`."""
    return Key(base.system, f"{base.value}:again-{number}")


def is_again(key: Key) -> bool:
    return key.value.rpartition(":")[2].startswith("again-")


def action_of(care_plan: Key, value: str) -> tuple[str, str]:
    """The action and occurrence of a key of this CarePlan; "" for any other, such as that of a hospital's review."""
    prefix = f"{care_plan.value}:"
    action, _, rest = value.removeprefix(prefix).partition(":") if value.startswith(prefix) else ("", "", "")
    return action, rest.partition(":")[0]


def extraction_key(hospital: str, response: str, *place: str) -> Key:
    """What is extracted from answers = hospital + id of the QuestionnaireResponse + the place of the answer in it."""
    return _join(hospital, "extract", response, *place)


def id_of(type: str, key: Key) -> str:
    """The UUID of our resource with this key."""
    return str(uuid5(_NAMESPACE, f"{type}|{key.value}"))


def key_of(resource: dict[str, object]) -> Key | None:
    """The key a resource of ours carries, None for any other resource."""
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, dict) and identifier.get("system") == KEY_SYSTEM:
            return Key(KEY_SYSTEM, str(identifier.get("value", "")))
    return None

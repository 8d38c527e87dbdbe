"""$apply as it is asked over REST: from its parameters to what `pathway.applying` answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fhir_adapters.server.apply_operations import apply_activity, apply_plan
from fhir_adapters.server.operation import Asked, Operation
from pathway.applying import Applying, definition, each, with_definition
from pathway.circumstances import Circumstances, resources_of, values_of
from pathway.errors import InvalidResource, Refused
from pathway.intake import Pathway
from pathway.nested import pinned
from pathway.ports import Resource, Transaction
from pathway.situation import Now


def apply_operations(pathway: Callable[[], Pathway], now: Callable[[], Now]) -> tuple[Operation, Operation]:
    """Both operations of a hospital; its pathway and its time are looked up at each call."""

    def plan(tx: Transaction, asked: Asked) -> Resource:
        applying, found = _applying(tx, asked, "PlanDefinition", "planDefinition")
        bundle = asked.one("bundle", bool) is True
        return each(asked.all("subject", str), lambda subject: applying.plan(found, subject, bundle=bundle))

    def activity(tx: Transaction, asked: Asked) -> Resource:
        applying, found = _applying(tx, asked, "ActivityDefinition", "activityDefinition")
        return each(asked.all("subject", str), lambda subject: applying.activity(found, subject))

    def _applying(tx: Transaction, asked: Asked, type: str, name: str) -> tuple[Applying, Resource]:
        own, given, canonical = pathway(), asked.resource(name), _canonical(asked)
        if given is not None:
            if asked.id is not None or canonical is not None:
                raise InvalidResource(f"Say which {type} is meant in one way: {name} cannot go with another")
            if own.site.kind == "real" and given not in own.library.resources():
                raise Refused(f"A real hospital applies its own signed content only, no {type} that comes with a call")
            own = replace(own, library=with_definition(own.library, given))
            canonical = pinned(given)
        found = definition(own.library, type, id=asked.id, canonical=canonical)
        return Applying(own, tx, now(), circumstances(asked)), found

    return apply_plan(plan), apply_activity(activity)


def circumstances(asked: Asked) -> Circumstances:
    """Raises InvalidResource, naming the parameter."""
    data, parameters = asked.resource("data"), asked.resource("parameters")
    return Circumstances(
        encounter=asked.one("encounter", str),
        practitioner=asked.one("practitioner", str),
        organization=asked.one("organization", str),
        care_plan=asked.one("carePlan", str) if "carePlan" in asked.values else None,
        use_server_data=asked.one("useServerData", bool) is not False,
        data=resources_of(data) if data else (),
        parameters=values_of(parameters) if parameters else {},
    )


def _canonical(asked: Asked) -> str | None:
    canonical, url, version = (asked.one(name, str) for name in ("canonical", "url", "version"))
    if canonical is not None and url is not None:
        raise InvalidResource("Say by canonical or by url which definition is meant, not by both")
    if version is not None and url is None:
        raise InvalidResource("version says which version of url is meant; there is no url")
    return canonical or (f"{url}|{version}" if version else url)

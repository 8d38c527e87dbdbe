"""Every interaction this server has: the router and the CapabilityStatement are both made from these rows.

The operations that a door adds are rows too: `operations.offered` makes them from their declarations.
"""

from __future__ import annotations

from fhir_adapters.server import bundle, capability, operations, read, search, validate, write
from fhir_adapters.server.door import Door
from fhir_adapters.server.interaction import Answer, FhirRequest, Interaction
from fhir_adapters.server.performing import reading, writing

_TYPE, _INSTANCE = "/{type}", "/{type}/{id}"
_VALIDATE = "http://hl7.org/fhir/OperationDefinition/Resource-validate"


def rows(door: Door) -> tuple[Interaction, ...]:
    """Everything a door answers, its own operations with FHIR's."""
    return (METADATA, *operations.offered(door), *INTERACTIONS)


def _capabilities(door: Door, request: FhirRequest) -> Answer:
    return capability.capabilities(door, request, (*INTERACTIONS, *operations.offered(door)))


METADATA = Interaction("capabilities", "whole-system", "GET", "/metadata", _capabilities, public=True)

INTERACTIONS = (
    Interaction("transaction", "whole-system", "POST", "/", bundle.system, "resource"),
    Interaction("batch", "whole-system", "POST", "/", bundle.system, "resource"),
    Interaction("search-type", "type", "POST", f"{_TYPE}/_search", reading(search.search), "form"),
    Interaction("validate", "type", "POST", f"{_TYPE}/$validate", validate.validate, "resource", operation=_VALIDATE),
    Interaction(
        "validate", "instance", "POST", f"{_INSTANCE}/$validate", validate.validate, "optional", operation=_VALIDATE
    ),
    Interaction(
        "vread",
        "instance",
        "GET",
        f"{_INSTANCE}/_history/{{version}}",
        reading(read.vread),
        offers={"versioning": "versioned-update", "readHistory": True},
    ),
    Interaction("history-instance", "instance", "GET", f"{_INSTANCE}/_history", reading(read.history)),
    Interaction("read", "instance", "GET", _INSTANCE, reading(read.read), offers={"conditionalRead": "full-support"}),
    Interaction(
        "update", "instance", "PUT", _INSTANCE, writing(write.update), "resource", offers={"updateCreate": True}
    ),
    Interaction(
        "delete",
        "instance",
        "DELETE",
        _INSTANCE,
        writing(write.delete),
        offers={"conditionalDelete": "not-supported"},
    ),
    Interaction("search-type", "type", "GET", _TYPE, reading(search.search)),
    Interaction("create", "type", "POST", _TYPE, writing(write.create), "resource", offers={"conditionalCreate": True}),
    Interaction(
        "update",
        "type",
        "PUT",
        _TYPE,
        writing(write.conditional_update),
        "resource",
        offers={"conditionalUpdate": True},
    ),
)

"""What we can do at a hospital's server, in sentences for its engineers."""

from __future__ import annotations

import httpx

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.feed import TYPES
from pathway.errors import PathwayError
from service.admin.models import Reach

_EXCHANGED = (*TYPES, "Provenance")


def reach(client: HospitalClient) -> Reach:
    """Reads the server's CapabilityStatement, once for each client. Never raises for what the server does."""
    try:
        plan = client.plan
    except (PathwayError, httpx.HTTPError) as error:
        return Reach(problem=f"Its CapabilityStatement could not be read: {error}")
    except (AttributeError, KeyError, TypeError, ValueError):
        return Reach(problem="Its CapabilityStatement could not be understood")
    types = {type: plan.of(type).explain() for type in _EXCHANGED}
    return Reach(software=plan.software, transaction=plan.transaction, types=types)

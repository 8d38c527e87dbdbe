"""Request bodies are read as strictly as FHIR ones: no NaN, no duplicate keys, no half surrogate pairs, no excess."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from fhir_adapters.r4.admission import Limits, parse
from pathway.errors import InvalidResource
from service.admin.problems import Malformed, TooLarge

_LIMITS = Limits(size=1024 * 1024)


class Asked(BaseModel):
    """A request: what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _StrictRequest(Request):
    async def body(self) -> bytes:
        """Raises TooLarge before all of it is read."""
        if not hasattr(self, "_body"):
            read = bytearray()
            async for chunk in self.stream():
                read += chunk
                if len(read) > _LIMITS.size:
                    raise TooLarge(f"At most {_LIMITS.size} bytes are accepted")
            self._body = bytes(read)
        return self._body

    async def json(self) -> Any:
        """Raises Malformed."""
        try:
            return parse(await self.body(), _LIMITS)
        except InvalidResource as error:
            raise Malformed(str(error)) from error


class StrictRoute(APIRoute):
    """A route whose body is read by `fhir_adapters.r4.admission`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict

"""Simulations: invented patients in virtual time on a hospital's own content, calendar and parameters."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from pathway.errors import Conflict, InvalidDefinition, NotFound, Refused
from service.admin.access import ACTOR, Id, Registered, TheServices
from service.admin.planning_models import Simulation, Simulations, Svg
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.strict import Asked, StrictRoute
from service.simulation.jobs import Job
from service.simulation.scenario import Habits, Scenario, Weekdays

router = APIRouter(prefix="/hospitals/{name}/simulations", tags=["simulations"], route_class=StrictRoute)


class SimulationAsked(Asked):
    """`changes`: rules as `target_day=12`, `calendar.capacity=6` or `pathway.<parameter>=<value>`."""

    patients: Annotated[int, Field(ge=1, le=500)] = 200
    weeks: Annotated[int, Field(ge=1, le=26)] = 12
    seed: int = 7
    start: Annotated[date | None, Field(description="the first day, 2026-03-02 by default")] = None
    surgery_days: Annotated[Weekdays, Field(description="Monday = 0")] = frozenset(range(5))
    habits: Habits = Habits()
    capacity: Annotated[int | None, Field(ge=1, description="visits a clinic day, in place of the site's")] = None
    changes: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=10)] = ()

    def scenario(self) -> Scenario:
        asked = self.model_dump(exclude={"capacity", "changes"}, exclude_none=True)
        return Scenario.model_validate(asked)


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    responses=documented(Malformed, TooLarge, NotFound, Refused, InvalidDefinition, Conflict),
    summary="Begin a simulation",
)
def begin(
    asked: SimulationAsked, name: Registered, services: TheServices, request: Request, response: Response
) -> Simulation:
    """In a process of its own, one at a time; look at `Location` until it is done. Nothing of the hospital changes."""
    site = services.site(name)
    if asked.capacity is not None:
        site = site.model_copy(update={"calendar": site.calendar.model_copy(update={"capacity": asked.capacity})})
    job = services.simulations.start(services.content.library(name), site, asked.scenario(), asked.changes)
    with services.store.transaction(name, actor=ACTOR) as tx:
        tx.audit(ACTOR, "simulate", f"hospital/{name}")
    path = request.app.url_path_for("simulation", name=name, id=job.id)
    response.headers["Location"] = f"{request.scope.get('root_path', '').rstrip('/')}{path}"
    return _answer(job)


@router.get("", responses=documented(NotFound), summary="The hospital's simulations, oldest first")
def simulations(name: Registered, services: TheServices) -> Simulations:
    """Those that this process still keeps."""
    return Simulations(simulations=[_answer(job) for job in services.simulations.of(name)])


@router.get("/{id}", responses=documented(NotFound), summary="A simulation and what came of it")
def simulation(name: Registered, id: Id, services: TheServices) -> Simulation:
    return _answer(services.simulations.job(name, id))


@router.get(
    "/{id}/picture",
    response_class=Svg,
    responses=documented(NotFound),
    summary="The load of each clinic day as a picture",
)
def picture(name: Registered, id: Id, services: TheServices) -> Svg:
    """Not found before the simulation is done."""
    found = services.simulations.job(name, id).result.picture
    if found is None:
        raise NotFound(f"Simulation {id} has no picture: it is not done")
    return Svg(found)


def _answer(job: Job) -> Simulation:
    return Simulation(
        id=job.id,
        state=job.state,
        scenario=job.scenario,
        changes=list(job.changes),
        began=job.began,
        ended=job.ended,
        problem=job.result.problem,
        result=job.result.found,
    )

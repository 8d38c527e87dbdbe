"""One simulation in a process of its own: what to do comes as JSON on stdin, what came of it goes to stdout."""

from __future__ import annotations

import os
import sys

import msgspec

from pathway.errors import PathwayError
from pathway.library import Library
from pathway.site import Site
from service.simulation.jobs import Asked, Result, read
from service.simulation.scenario import Scenario
from service.simulation.showing import drawn
from service.simulation.simulate import simulate

_NICE = 10  # whoever waits for a simulation waits longer, so that no duty does


def _done(asked: Asked) -> Result:
    site, scenario = Site.model_validate(asked.site), Scenario.model_validate(asked.scenario)
    try:
        outcome = simulate(Library(asked.definitions), site, scenario, asked.changes)
    except PathwayError as error:
        return Result(problem=str(error))
    return Result(found=outcome.as_json(), picture=drawn(outcome).svg())


if __name__ == "__main__":
    os.nice(_NICE)
    sys.stdout.buffer.write(msgspec.json.encode(_done(read(sys.stdin.buffer.read()))))

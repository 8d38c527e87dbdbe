"""The commands for people who plan: simulate, forecast, downtime."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from pathway.errors import Refused
from service.simulation.scenario import Habits, Scenario

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, on one line.")]
SvgFile = Annotated[Path | None, typer.Option("--svg", help="Draw the load per clinic day into this file.")]
PngFile = Annotated[Path | None, typer.Option("--png", help="The same as a PNG.")]


def simulate(  # noqa: PLR0913, PLR0917 - every parameter is an option of the command
    patients: Annotated[int, typer.Option(help="How many, each with one surgery.", min=1, max=100_000)] = 2000,
    weeks: Annotated[int, typer.Option(help="Over how many weeks of surgery.", min=1, max=104)] = 12,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result, byte for byte.")] = 7,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day; 2026-03-02 by default.")
    ] = None,
    no_show: Annotated[float, typer.Option(help="The share of visits to which nobody comes.", min=0, max=1)] = 0.08,
    capacity: Annotated[int | None, typer.Option(help="Visits a clinic day; no limit by default.", min=1)] = None,
    surgery_days: Annotated[str, typer.Option(help="Weekdays with surgery.")] = "mon,tue,wed,thu,fri",
    hospital: Annotated[
        str | None, typer.Option(help="A registered hospital: its content, calendar and parameters.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Whose public holidays, such as DE.")] = None,
    subdivision: Annotated[str | None, typer.Option(help="Of which part of the country, such as BY.")] = None,
    closure: Annotated[
        list[str] | None, typer.Option(help="Days on which the clinic is closed: 2026-04-02 or 2026-04-02/2026-04-05.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            help="A rule to change: target_day=12, calendar.weekdays=mon,wed, calendar.capacity=6, pathway.NAME=VALUE. "
            "Runs without and with it and says what would move."
        ),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="The whole plan, not only its follow-up: slower.")] = False,
    as_json: AsJson = False,
    svg: SvgFile = None,
    png: PngFile = None,
) -> None:
    """Run the real engine on invented patients in virtual time, and show what it plans.

    The result ends with six numbers. surgeries: took place and were recorded. Of these, planned: the follow-up visit
    is asked for, has a day, or took place; inside_window: of the planned, on days of the plan's window (7 to 14 days
    after surgery); waitlisted: asked for, but no day is free; missing: nothing is planned and nobody is asked. Those
    that somebody at the hospital ended count as with_people; planned + waitlisted + with_people + missing = surgeries.
    doubled: visits, Tasks and messages that exist once too often.
    """
    from service.simulation.changing import weekdays  # noqa: PLC0415 - keeps `--version` fast
    from service.simulation.setting import setting  # noqa: PLC0415
    from service.simulation.showing import show  # noqa: PLC0415
    from service.simulation.simulate import simulate as run  # noqa: PLC0415

    begin = {"start": start.date()} if start else {}
    scenario = Scenario(
        patients=patients,
        weeks=weeks,
        seed=seed,
        surgery_days=weekdays(surgery_days),
        habits=Habits(no_show=no_show),
        whole=whole,
        **begin,
    )
    library, site = setting(hospital, capacity, country, subdivision, closure or ())
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, Any] = {}

        def progress(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=1.0)
            bar.update(tasks[what], completed=share)

        outcome = run(library, site, scenario, change or (), progress)
    if as_json:
        typer.echo(json.dumps(outcome.as_json()))
    else:
        show(outcome, Console(highlight=False))
    if svg or png:
        from service.simulation.showing import drawn  # noqa: PLC0415

        _draw(drawn(outcome), svg, png)


Hospital = Annotated[str, typer.Argument(help="The name it is registered by.")]


def forecast(
    hospital: Hospital,
    weeks: Annotated[int, typer.Option(help="How far ahead.", min=1, max=26)] = 6,
    as_json: AsJson = False,
    svg: SvgFile = None,
    png: PngFile = None,
) -> None:
    """How full the coming clinic days will be, and which windows will have no place; counts only."""
    from service.bootstrap import bootstrap  # noqa: PLC0415
    from service.forecasts import as_json as told  # noqa: PLC0415
    from service.forecasts import drawn, forecast_of, shown  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    found = forecast_of(bootstrap(Settings()), hospital, weeks)
    if as_json:
        typer.echo(json.dumps(told(found)))
    else:
        Console(highlight=False).print(shown(found))
    _draw(drawn(found, hospital), svg, png)


def downtime(
    hospital: Hospital,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Those that ended then or later (UTC)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """After an outage: what was done late, what was suppressed, and whom to call, the most urgent first."""
    from service.bootstrap import bootstrap  # noqa: PLC0415
    from service.downtimes import as_json as told  # noqa: PLC0415
    from service.downtimes import reports, shown  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    services = bootstrap(Settings())
    found = reports(services, hospital, since.replace(tzinfo=UTC) if since else None)
    if as_json:
        typer.echo(json.dumps({"downtimes": [told(one, services.timelines(hospital)) for one in found]}))
        return
    console = Console(highlight=False)
    if not found:
        console.print(f"{hospital}: no downtime is recorded")
    for one in found:
        console.print(shown(one))


def _draw(picture: Any, svg: Path | None, png: Path | None) -> None:
    try:
        if svg:
            svg.write_text(picture.svg(), encoding="utf-8")
        if png:
            png.write_bytes(picture.png())
    except OSError as error:
        raise Refused(f"The picture cannot be written: {error}") from error

"""The console command `calcinosis-pathway`."""

from __future__ import annotations

import signal
import sys
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console

from fhir_adapters.r4.admission import parse
from fhir_adapters.store.feed_tokens import CLINIC
from pathway.errors import PathwayError
from pathway.signing import Approval
from pathway.version import VERSION
from service import planning_commands
from service.bootstrap import bootstrap
from service.calendar_feeds import FeedAsked
from service.settings import Settings, check_binding

app = typer.Typer(
    help="Follow-up after calcinosis excision surgery, planned in the hospital's own system.", no_args_is_help=True
)

Host = Annotated[str, typer.Option(help="Address to listen on; beyond this machine only with a bearer token.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if show:
        typer.echo(VERSION)
        raise typer.Exit


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    work: Annotated[bool, typer.Option("--worker/--no-worker", help="Run the duties in this process too.")] = True,
) -> None:
    """Serve FHIR, admin REST and health."""
    from service.app import create_app  # noqa: PLC0415 - keeps `--version` fast

    settings = Settings()
    check_binding(host, settings)
    uvicorn.run(create_app(bootstrap(settings), work=work), host=host, port=port, log_level="warning", access_log=False)


@app.command()
def worker() -> None:
    """Run the duties only: pull, slots, release, push, alert, sweep."""
    from service.logs import configure_logs  # noqa: PLC0415

    configure_logs()
    services = bootstrap(Settings())
    timetable, dispatcher = services.timetable(), services.dispatcher
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    dispatcher.start()
    timetable.start()
    stopped.wait()
    timetable.stop()
    dispatcher.stop()
    services.leadership.stop()


@app.command()
def hospital(
    host: Host = "127.0.0.1",
    port: Port = 8001,
    database_url: Annotated[str, typer.Option(help="Its own database.")] = "sqlite:///var/hospital.db",
) -> None:
    """Serve a plain FHIR server that stands for a hospital's own, for demonstrations and tests."""
    from service.demo.hospital import hospital_app  # noqa: PLC0415

    check_binding(host, Settings())
    uvicorn.run(
        hospital_app(database_url, f"http://{host}:{port}/fhir"),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
    )


@app.command()
def demo(
    story: Annotated[
        str, typer.Option(help="default, conservative, red-flag, nobody-comes, never-recorded, staged, holiday")
    ] = "default",
    hospital: Annotated[
        str | None, typer.Option(help="Base URL of another FHIR R4 server to use as the hospital's.")
    ] = None,
    port: Port = 8000,
    once: Annotated[bool, typer.Option("--once", help="Stop everything when the story has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Play one patient's story against a hospital's FHIR server and show it as a timeline."""
    from service.demo.show import demonstrate  # noqa: PLC0415

    if not demonstrate(story, hospital, port, once=once, as_json=as_json):
        raise typer.Exit(1)


@app.command()
def explain(
    hospital: Annotated[str, typer.Argument(help="The name it is registered by.")],
    care_plan: Annotated[str, typer.Argument(help="The id of our CarePlan.")],
    action: Annotated[
        str | None, typer.Option(help="One action's id: its expressions, what each gave and read, and its sources.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="A version of the CarePlan; the present one by default.", min=1)
    ] = None,
) -> None:
    """Say for every action of a plan whether it is in it, and why."""
    from service.explanation import details, overview  # noqa: PLC0415

    services, reference = bootstrap(Settings()), f"CarePlan/{care_plan.removeprefix('CarePlan/')}"
    with services.store.transaction(hospital, read_only=True) as tx:
        answer = services.pathway(hospital).explain(tx, reference, services.now(hospital), version)
    Console(highlight=False).print(details(answer, action) if action else overview(answer))


@app.command()
def sweep(hospital: Annotated[str, typer.Argument(help="The name it is registered by.")]) -> None:
    """Look at every running plan again and write what is missing; ends with 1 when something still is missing."""
    from service.logs import configure_logs  # noqa: PLC0415

    configure_logs()
    report = bootstrap(Settings()).sweep_now(hospital)
    typer.echo(report.sentence())
    if not report.good:
        raise typer.Exit(1)


@app.command()
def feed(
    hospital: Annotated[str, typer.Argument(help="The name it is registered by.")],
    label: Annotated[str, typer.Option(help="Who subscribes; the calendar's name. No patient's name.")],
    scope: Annotated[
        str, typer.Option(help="clinic for all visits, or Practitioner/ID, PractitionerRole/ID, HealthcareService/ID.")
    ] = CLINIC,
) -> None:
    """Make a calendar of the visits to subscribe to, and print its secret address, once."""
    made = bootstrap(Settings()).feeds.create(hospital, FeedAsked(label=label, scope=scope), "command-line")
    typer.echo(made.url)


@app.command()
def sign_off(
    hospital: Annotated[str, typer.Argument(help="The name it is registered by.")],
    by: Annotated[str, typer.Option(help="Who signs: Practitioner/ID or PractitionerRole/ID at the hospital.")],
    display: Annotated[str, typer.Option(help="Their name.")],
    changes: Annotated[str, typer.Option(help="What was looked at and changed.")],
    changed: Annotated[
        list[Path] | None, typer.Option(help="A file with an artefact of the site's own, in place of the shipped one.")
    ] = None,
    date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today by default.")] = None,
) -> None:
    """Record that a site's clinical owner has signed off the content: the site's own active version is made."""
    services = bootstrap(Settings())
    day = (date or services.store.wire_now().astimezone(ZoneInfo(services.site(hospital).zone))).date().isoformat()
    approval = {"approver": {"reference": by, "display": display}, "date": day, "changes": changes}
    own = [parse(path.read_bytes()) for path in changed or ()]
    done = services.sign(hospital, Approval.model_validate(approval), "command-line", own)
    typer.echo(f"{hospital}: version {done.version} is {done.status}, {sum(done.artefacts.values())} artefacts")


app.command()(planning_commands.simulate)
app.command()(planning_commands.forecast)
app.command()(planning_commands.downtime)


def main() -> None:
    """The console script: our errors are sentences, not tracebacks."""
    try:
        app()
    except (PathwayError, ValidationError) as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()

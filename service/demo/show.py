"""`calcinosis-pathway demo`: plays a story on real processes and shows it as a timeline."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path
from tempfile import mkdtemp
from threading import Event

import httpx
from rich.console import Console
from rich.table import Table

from fhir_adapters.hospital.client import HospitalClient
from service.demo.processes import running
from service.demo.stage import Stage
from service.demo.story import Step, play, story_named, summary

_TIMEOUT = 60.0


def demonstrate(story_name: str, hospital: str | None, port: int, *, once: bool, as_json: bool) -> bool:
    """Play one story; whether every step went well. With `once` everything is stopped and removed at the end."""
    console = Console(stderr=as_json, highlight=False)
    story = story_named(story_name)
    folder = Path(mkdtemp(prefix="calcinosis-pathway-demo-"))
    try:
        with (
            running(folder, hospital, None if once else port) as (service, base, desk),
            httpx.Client(timeout=_TIMEOUT) as http,
        ):
            admin = httpx.Client(base_url=f"{service.url}/admin/v1", timeout=_TIMEOUT)
            stage = Stage(HospitalClient(base, http), admin, story.clinic, story.days, alerts=lambda: desk.received)
            _opening(console, story.title, service.url, base)
            with admin:
                played = play(story, stage, lambda step: _line(console, step))
                if as_json:
                    sys.stdout.write(json.dumps(summary(played, stage), ensure_ascii=False) + "\n")
                    sys.stdout.flush()
            _closing(console, played.ok, service.url, story.clinic.name, stay=not once)
            if not once:
                _until_interrupted()
            return played.ok
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _opening(console: Console, title: str, service: str, hospital: str) -> None:
    console.print(f"\n[bold]{title}[/bold]")
    console.print(f"[dim]service {service} · hospital {hospital} · the clinical clock is advanced[/dim]\n")


def _line(console: Console, step: Step) -> None:
    line = Table.grid(padding=(0, 2))
    line.add_column(width=1)
    line.add_column(width=16, style="cyan")
    line.add_column()
    line.add_row("[green]✓[/green]" if step.ok else "[red]✗[/red]", step.at[:16].replace("T", " "), step.text)
    console.print(line)


def _closing(console: Console, ok: bool, service: str, name: str, *, stay: bool) -> None:
    console.print(
        "\n[green]Every step went well.[/green]" if ok else "\n[red]The story stopped at the step marked ✗.[/red]"
    )
    if stay:
        console.print(f"The patient's timeline with all reasons: {service}/admin/v1/hospitals/{name}/patients")
        console.print(f"FHIR: {service}/fhir/metadata    Ctrl-C ends it.")


def _until_interrupted() -> None:
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()

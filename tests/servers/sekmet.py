"""A real FHIR server in pure Python: sekmet-fhir from PyPI, with its hospital simulator switched off."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import free_port, serving

START_SECONDS = 60


def unavailable() -> str | None:
    """Why this server cannot run here, or None."""
    if importlib.util.find_spec("sekmet") is None:
        return "the Python package sekmet-fhir is not installed"
    return None


@contextmanager
def running() -> Iterator[str]:
    """Yields the FHIR base URL of a new, empty server; its data goes with the block."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    with tempfile.TemporaryDirectory(prefix="sekmet-") as name:
        folder = Path(name)
        # The simulator would answer our Tasks and book our Appointments by itself.
        settings = {"host": "127.0.0.1", "port": port, "base_url": base, "simulator": {"enabled": False}}
        (folder / "settings.yaml").write_text(json.dumps(settings))  # JSON is YAML
        command = [sys.executable, "-m", "sekmet.cli", "serve", "--config", "settings.yaml"]
        with serving(command, base=base, folder=folder, seconds=START_SECONDS, env=_environment()):
            yield base


def _environment() -> dict[str, str]:
    # SEKMET_* variables would win over settings.yaml.
    return {name: value for name, value in os.environ.items() if not name.startswith("SEKMET_")}

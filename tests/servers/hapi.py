"""HAPI FHIR's JPA server, built by Maven from the folder `hapi`; its `$validate` judges what we send."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers.process import ServerStartError, free_port, serving

PROJECT = Path(__file__).parent / "hapi"
TARGET = PROJECT / "target"
JAR = TARGET / "hospital-hapi-1.jar"
JAVA_RELEASE = 17
BUILD_SECONDS = 900
START_SECONDS = 120

LAUNCH_CONTEXT = {
    "resourceType": "CodeSystem",
    "id": "sdc-launch-context",
    "url": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext",
    "status": "active",
    "content": "complete",
    "concept": [{"code": code} for code in ("patient", "encounter", "location", "user", "study", "clinical")],
}


def unavailable() -> str | None:
    """Why this server cannot run here, or None."""
    version = _java_version()
    if version is None:
        return "no java"
    if version < JAVA_RELEASE:
        return f"java is version {version}, HAPI needs {JAVA_RELEASE}"
    missing = [] if _built() else [tool for tool in ("javac", "mvn") if shutil.which(tool) is None]
    return f"it is not built and there is no {' and no '.join(missing)}" if missing else None


@contextmanager
def running() -> Iterator[str]:
    """Yields the FHIR base URL of a new server on an in-memory database, after building it if need be."""
    build()
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    with tempfile.TemporaryDirectory(prefix="hapi-") as name:
        folder = Path(name)
        with serving(_command(port, folder), base=base, folder=folder, seconds=START_SECONDS):
            _teach_launch_context(base)
            yield base


def build() -> None:
    """Runs Maven unless the jar is newer than all it is made from; of two test runs at once the second waits."""
    TARGET.mkdir(exist_ok=True)
    with (TARGET / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _built():
            _package()


def _package() -> None:
    maven = ["mvn", "-q", "-B", "package"]
    done = subprocess.run(
        maven, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if done.returncode != 0:
        raise ServerStartError(f"{' '.join(maven)} failed in {PROJECT}:\n{(done.stdout + done.stderr)[-4000:]}")
    JAR.touch()


def _built() -> bool:
    sources = [PROJECT / "pom.xml", *PROJECT.glob("src/**/*.java")]
    return JAR.exists() and JAR.stat().st_mtime >= max(source.stat().st_mtime for source in sources)


def _java_version() -> int | None:
    if shutil.which("java") is None:
        return None
    answer = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found[1]) if found else None


def _command(port: int, folder: Path) -> list[str]:
    # Serial collector and first-tier compiler: a server for tests should start soon and stay small.
    flags = ["-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={folder}"]
    return ["java", *flags, "-cp", f"{JAR}:{TARGET}/lib/*", "hospital.HapiServer", str(port)]


def _teach_launch_context(base: str) -> None:
    # Before the first $validate: HAPI remembers for a while that it did not know a code system.
    url = f"{base}/CodeSystem/{LAUNCH_CONTEXT['id']}"
    httpx.put(url, json=LAUNCH_CONTEXT, timeout=60, trust_env=False).raise_for_status()


if __name__ == "__main__":
    build()

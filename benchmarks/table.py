"""The one table at the end, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.measure import Comparison, Sample, Spread

_MIB = 1024 * 1024
_BESIDE = ("against", "times as many\nmin/med/max", "CPU of theirs / ours\nmin/med/max")


def table(found: Sequence[Comparison]) -> Table:
    """A row per comparison; without the columns of the others when there is none."""
    beside = any(one.other for one in found)
    made = Table(title="Ratios within this run", show_lines=True)
    for column in ("what", "ours", *(_BESIDE if beside else ())):
        made.add_column(column)
    for one in found:
        cells = [one.what, _figures(one.ours)]
        if beside:
            other = f"{one.against}\n{_figures(one.other)}" if one.other else ""
            cells += [other, _ratio(one.rates()), _ratio(one.cpu())]
        made.add_row(*cells)
    return made


def notes(found: Sequence[Comparison]) -> list[str]:
    """What has to be known to read a row."""
    return [f"{one.what}: {one.note}." for one in found if one.note]


def as_json(one: Comparison) -> dict[str, Any]:
    """Every round, and the ratios over all."""
    rates, cpu = one.rates(), one.cpu()
    return {
        "what": one.what,
        "against": one.against,
        "note": one.note,
        "ours": [_round(sample) for sample in one.ours],
        "other": [_round(sample) for sample in one.other],
        "rate_ratio": rates._asdict() if rates else None,
        "cpu_ratio": cpu._asdict() if cpu else None,
    }


def _round(sample: Sample) -> dict[str, float]:
    found = {"per_second": sample.rate, "cpu_us_each": sample.cpu_each * 1e6, "memory_bytes": sample.memory}
    if sample.latencies:
        found |= {"p50_ms": sample.percentile(50) * 1e3, "p99_ms": sample.percentile(99) * 1e3}
    return found


def _figures(samples: Sequence[Sample]) -> str:
    """Medians over the rounds."""
    lines = [f"{_short(median(s.rate for s in samples))}/s", f"CPU {_duration(median(s.cpu_each for s in samples))}"]
    if all(s.latencies for s in samples):
        p50, p99 = (median(s.percentile(percent) for s in samples) for percent in (50, 99))
        lines.append(f"p50 {_duration(p50)}, p99 {_duration(p99)}")
    lines.append(f"{max(s.memory for s in samples) / _MIB:.0f} MiB")
    return "\n".join(lines)


def _ratio(spread: Spread | None) -> str:
    return " / ".join(_short(value) for value in spread) if spread else ""


def _duration(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 0.001 else f"{_short(seconds * 1e3)} ms"


def _short(value: float) -> str:
    """Enough digits to compare."""
    if value < 1:
        return f"{value:.2g}"
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"

"""What a Patient record says of itself: that the patient has died, or that another record took its place."""

from __future__ import annotations

from pathway.ports import Resource


def died(patient: Resource) -> str | None:
    """That the patient is recorded as deceased, in words; None when not (Patient.deceased[x])."""
    when = patient.get("deceasedDateTime")
    if when is not None:
        return f"the patient is recorded as deceased on {when}"
    return "the patient is recorded as deceased" if patient.get("deceasedBoolean") is True else None


def replaced_by(patient: Resource) -> list[str]:
    """The records that took the place of this one, as `Patient/id` (Patient.link, type replaced-by)."""
    links = [link for link in patient.get("link", []) if link.get("type") == "replaced-by"]
    references = [str(link.get("other", {}).get("reference", "")) for link in links]
    return [r[r.rindex("Patient/") :] for r in references if "Patient/" in r]

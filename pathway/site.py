"""What one hospital decides about its pathway: owners, codes, zone, calendar and parameters.

Values come as JSON when a hospital is registered; wrong ones are refused with the element's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from pathway.escalation import AlertLadder
from pathway.ports import Resource

Kind = Literal["demo", "test", "real"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from error
    return name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Code(_Part):
    system: str
    code: str


class Owner(_Part):
    """Who does the work of a role: a PractitionerRole, Practitioner or Organization in the hospital.

    An Organization cannot take part in an Appointment: there its `healthcare_service` stands for it.
    """

    reference: Annotated[
        str, Field(pattern=r"^(PractitionerRole|Practitioner|Organization|CareTeam)/[A-Za-z0-9.\-]{1,64}$")
    ]
    display: str = ""
    healthcare_service: Annotated[str | None, Field(pattern=r"^HealthcareService/[A-Za-z0-9.\-]{1,64}$")] = None


Weekdays = frozenset[Annotated[int, Field(ge=0, le=6)]]


class Closure(_Part):
    """Days without visits, both included. `absent`: only those of this one (a reference as in `Site.roles`)."""

    first: date
    last: date
    reason: str
    absent: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"the last day, {self.last}, is before the first, {self.first}")
        return self


class Hours(_Part):
    """Clinic hours on some weekdays, on the clinic's clock."""

    weekdays: Annotated[Weekdays, Field(min_length=1)]
    opens: time
    closes: time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError(f"it closes at {self.closes}, before it opens at {self.opens}")
        return self


class ClinicCalendar(_Part):
    """When follow-up visits can take place. `weekdays`: Monday = 0. `capacity`: visits a day, None for no limit.

    `hours`: of each weekday; a weekday without any has whole days. `schedules`: the hospital's Schedules whose Slots
    are the places of the clinic; without them any open day has one. `booking`: whether a visit is proposed to the
    hospital, for a person to book, or booked by the hospital's own $find and $book.
    """

    weekdays: Weekdays = frozenset({0, 1, 2, 3, 4})
    hours: tuple[Hours, ...] = ()
    country: str | None = None
    subdivision: str | None = None
    closures: tuple[Closure, ...] = ()
    capacity: Annotated[int | None, Field(ge=1)] = None
    schedules: tuple[Annotated[str, Field(pattern=r"^Schedule/[A-Za-z0-9.\-]{1,64}$")], ...] = ()
    booking: Literal["propose", "book"] = "propose"

    def works(self, day: date) -> bool:
        """Whether people are at work, for limits in working days. Public holidays count as working days here: what
        is not answered is passed on a day early rather than a day late."""
        return day.weekday() in self.weekdays and not any(c.first <= day <= c.last for c in self.closures)


class Parameters(_Part):
    """Numbers a site may change; every default is a product default that needs clinical sign-off.

    `quiet_from` to `quiet_until`, on the patient's clock, no message is sent to a patient. `pathway`: the site's own
    values of the parameters in CodeSystem pathway-parameter.
    """

    target_day: Annotated[int, Field(ge=0)] = 10
    surgery_match_days: Annotated[int, Field(ge=0)] = 14
    reminder_time: time = time(9, 0)
    quiet_from: time = time(20, 0)
    quiet_until: time = time(8, 0)
    pathway: dict[str, bool | int | Decimal | str] = {}

    @field_serializer("pathway", when_used="json")
    def _numbers_stay_numbers(self, values: dict[str, bool | int | Decimal | str]) -> dict[str, Any]:
        return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


class Site(_Part):
    """`care_team_roles`: which codes of CareTeam.participant.role mean a role of ours at this hospital. `alerts`: who
    is called when; without it, whoever the service's own alert webhook reaches.
    """

    hospital: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
    kind: Kind
    zone: Annotated[str, AfterValidator(_known_zone)]
    roles: dict[str, Owner]
    referral_codes: tuple[Code, ...]
    surgery_codes: tuple[Code, ...]
    calcinosis_codes: tuple[Code, ...] = ()
    care_team_roles: dict[str, tuple[Code, ...]] = {}
    calendar: ClinicCalendar = ClinicCalendar()
    parameters: Parameters = Parameters()
    alerts: AlertLadder | None = None

    @field_validator("care_team_roles")
    @classmethod
    def _known_roles(cls, codes: dict[str, tuple[Code, ...]], info: ValidationInfo) -> dict[str, tuple[Code, ...]]:
        unknown = sorted(set(codes) - set(info.data.get("roles", {})))
        if unknown:
            raise ValueError(f"nobody has the role {', '.join(unknown)} at this site; its roles stand in `roles`")
        return codes

    def missing_roles(self, needed: Iterable[str]) -> list[str]:
        """Roles that the pathway needs and this site gives to nobody."""
        return sorted(set(needed) - set(self.roles) - {"patient"})


def has_code(concept: Resource | None, codes: Iterable[Code]) -> bool:
    """Whether a CodeableConcept carries one of `codes`."""
    wanted = {(code.system, code.code) for code in codes}
    return any((c.get("system"), c.get("code")) in wanted for c in (concept or {}).get("coding", []))


def coding_of(concept: Resource | None, system: str) -> str | None:
    """The code a CodeableConcept has in `system`."""
    for coding in (concept or {}).get("coding", []):
        if coding.get("system") == system and coding.get("code"):
            return str(coding["code"])
    return None


Roles = Mapping[str, Owner]

"""Hospitals: registered, described, activated, paused; their clinical clock, and their duties run on request."""

from __future__ import annotations

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Self
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from fhir_adapters.store.hospitals import HospitalRecord
from pathway.errors import Conflict, InvalidDefinition, NotFound, Refused
from pathway.parameters import effective
from pathway.site import Site
from schedules.calendar import OpenDays
from service.admin import models
from service.admin.access import ACTOR, Registered, TheServices, TheTimetable
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.reach import reach
from service.admin.runs import run_now
from service.admin.strict import Asked, StrictRoute
from service.bootstrap import Services

router = APIRouter(prefix="/hospitals", tags=["hospitals"], route_class=StrictRoute)

_BODY = documented(Malformed, TooLarge)
_FURTHEST = timedelta(days=3653)  # a clinical clock further than ten years from the real time is a mistake
_SOME_DAY = date(2026, 1, 1)


def _http_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or parts.query or parts.fragment or any(c.isspace() for c in url):
        raise ValueError("must be the http(s) URL of a FHIR base, without user name, query and fragment")
    return url.rstrip("/")


class Registration(Asked):
    """`base_url`: the base of the hospital's own FHIR R4 server. `clinical_time`: where its clinical clock starts."""

    base_url: Annotated[
        str, Field(max_length=2000, examples=["https://hospital.example/fhir"]), AfterValidator(_http_url)
    ]
    site: Site
    clinical_time: AwareDatetime | None = None


class ClockChange(Asked):
    """Either of the two: how far the clock goes ahead, or the time it goes ahead to."""

    advance_seconds: Annotated[float | None, Field(ge=-_FURTHEST.total_seconds(), le=_FURTHEST.total_seconds())] = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.advance_seconds is None) == (self.until is None):
            raise ValueError("give either advance_seconds or until")
        return self


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=_BODY | documented(Conflict, Refused, InvalidDefinition),
    summary="Register a hospital",
)
def register(
    asked: Registration, services: TheServices, request: Request, response: Response
) -> models.HospitalSummary:
    """It is not active yet. The kind (demo, test, real) stays for good."""
    _known_holidays(asked.site)
    effective(services.library, asked.site.parameters.pathway)
    if asked.clinical_time is not None:
        _not_too_far(asked.clinical_time - services.store.wire_now())
    record = services.register(asked.site, asked.base_url, asked.clinical_time)
    _audit(services, record.name, "register")
    path = request.app.url_path_for("describe", name=record.name)
    response.headers["Location"] = f"{request.scope.get('root_path', '').rstrip('/')}{path}"
    return _summary(services, record)


@router.get("", summary="All hospitals, in the order of registration")
def all_hospitals(services: TheServices) -> models.Hospitals:
    return models.Hospitals(hospitals=[_summary(services, record) for record in services.store.hospitals()])


@router.get("/{name}", responses=documented(NotFound), summary="One hospital: what it has, lacks and lets us do")
def describe(
    name: Registered,
    services: TheServices,
    with_reach: Annotated[bool, Query(alias="reach", description="ask its server what it lets us do")] = True,
) -> models.Hospital:
    record = services.hospital(name)
    site = services.site(name)
    signs = [sign for sign in services.store.heartbeats() if sign.name.startswith(f"{name}.")]
    return models.Hospital(
        **_summary(services, record).model_dump(),
        site=site,
        missing_roles=site.missing_roles(services.content.library(name).roles()),
        missing=services.missing(site),
        reach=reach(services.client(record)) if with_reach else models.Reach(problem="not asked for"),
        counts=models.Counts.model_validate(services.store.counts(name)),
        duties=[models.DutySign(duty=s.name.removeprefix(f"{name}."), at=s.at, outcome=s.note) for s in signs],
        sweep=services.sweeps.last(name),
    )


@router.put(
    "/{name}/site",
    responses=_BODY | documented(NotFound, Refused, InvalidDefinition),
    summary="Change what the hospital decides",
)
def put_site(site: Site, name: Registered, services: TheServices) -> Site:
    """Name and kind stay, and an active hospital keeps somebody for every role (a real one also a confirmed route)."""
    record = services.hospital(name)
    if (site.hospital, site.kind) != (record.name, record.kind):
        raise Refused(f"{record.name} stays {record.name}, and {record.kind}: register another hospital instead")
    library = services.content.library(name)
    missing = site.missing_roles(library.roles())
    if record.status == "active" and missing:
        raise Refused(f"{name} is active, and nobody would be named for: {', '.join(missing)}")
    if record.status == "active" and site.kind == "real" and (lacking := services.confirming.lacking(site)):
        raise Refused(f"{name} is active. {lacking} Add a new address beside a confirmed one, or pause the hospital.")
    if record.status == "active" and (unbookable := services.unbookable(site)):
        raise Refused(f"{name} is active. {unbookable}")
    _known_holidays(site)
    effective(library, site.parameters.pathway)
    services.store.set_site(name, site.model_dump(mode="json"))
    services.confirming.changed(site)
    _audit(services, name, "site")
    return site


@router.post("/{name}/activate", responses=documented(NotFound, Refused), summary="Let the duties work for a hospital")
def activate(name: Registered, services: TheServices) -> models.HospitalSummary:
    """Refused while something is missing, with what it is."""
    record = services.activate(name)
    _audit(services, name, "activate")
    return _summary(services, record)


@router.post("/{name}/pause", responses=documented(NotFound), summary="Stop the duties of a hospital")
def pause(name: Registered, services: TheServices) -> models.HospitalSummary:
    """What is due or waits stays so, and is done after the next activation."""
    services.store.set_status(name, "paused")
    _audit(services, name, "pause")
    return _summary(services, services.hospital(name))


@router.post("/{name}/clock", responses=_BODY | documented(NotFound, Refused), summary="Set the clinical clock ahead")
def clock(asked: ClockChange, name: Registered, services: TheServices) -> models.ClinicalTime:
    """For demonstrations and tests; refused for a real hospital, and it never goes back."""
    by = timedelta(seconds=asked.advance_seconds or 0)
    if asked.until is not None:
        by = asked.until - services.store.clinical_now(name)
    _not_too_far(services.hospital(name).clinical_offset + by)
    clinical_time = services.store.advance(name, by)
    _audit(services, name, "clock")
    return models.ClinicalTime(clinical_time=clinical_time)


@router.post("/{name}/run", responses=documented(NotFound, Refused, Conflict), summary="Run the hospital's duties now")
def run(name: Registered, timetable: TheTimetable) -> models.Run:
    """Each once, one after the other; the answer says how each ended."""
    return models.Run(duties=run_now(timetable, name))


def _summary(services: Services, record: HospitalRecord) -> models.HospitalSummary:
    return models.HospitalSummary(
        name=record.name,
        kind=record.kind,
        status=record.status,
        base_url=record.base_url,
        registered_at=record.registered_at,
        clinical_time=services.store.clinical_now(record.name),
    )


def _not_too_far(offset: timedelta) -> None:
    """Raises Refused."""
    if abs(offset) > _FURTHEST:
        raise Refused(f"A clinical clock stays within {_FURTHEST.days} days of the real time")


def _known_holidays(site: Site) -> None:
    """Raises Refused for a country whose public holidays are not known: no visit could be planned."""
    for closure in site.calendar.closures:
        if closure.last < closure.first:
            raise Refused(f"The closure from {closure.first} ends before it begins")
    open_days = OpenDays(site.calendar.model_copy(update={"closures": (), "weekdays": frozenset(range(7))}))
    open_days.closed(_SOME_DAY)


def _audit(services: Services, name: str, action: str) -> None:
    with services.store.transaction(name, actor=ACTOR) as tx:
        tx.audit(ACTOR, action, f"hospital/{name}")

"""Draws the pictures of docs/scheduling.md with the code that plans: `make pictures`; the same every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from fhir_adapters.store.memory import MemoryStore
from pathway.codes import PLAN
from pathway.due_work import DueWork
from pathway.keys import key_of
from pathway.library import Library
from pathway.site import ClinicCalendar, Closure, Site
from pathway.timing import calendar_date
from pathway.visits import Visit, VisitAsked
from schedules.calendar import OpenDays
from schedules.downtime import Call, StandingVisit, consequences
from schedules.forecast import Placed, Wanted, forecast
from schedules.places import ClinicPlaces
from service.demo.records import Clinic, practitioners
from service.forecasts import drawn as forecast_drawn
from service.pictures.picture import BLUE, FAINT, GREY, INK, ORANGE, PAPER, SKY, VERMILION, Picture
from service.pictures.strips import Cell, Mark, Strip, strips
from service.simulation.people import Person, people
from service.simulation.reduced import reduced
from service.simulation.running import Course
from service.simulation.scenario import Habits, Scenario
from service.simulation.showing import drawn
from service.simulation.simulate import simulate
from service.simulation.world import World, new_world
from service.standing_visits import standing_visits

_CAPACITY = 8
FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
_CALM = Habits(
    no_show=0,
    visit_cancelled=0,
    surgery_moved=0,
    surgery_cancelled=0,
    never_recorded=0,
    recorded_late=0,
    booked_late=0,
)


def _site() -> Site:
    return Clinic().site({role: f"Practitioner/{role}" for role in practitioners()})


def choosing() -> Picture:
    """Three surgeries, and the day that the chooser gives each of them."""
    calendar = _site().calendar
    training = Closure(first=date(2026, 4, 2), last=date(2026, 4, 2), reason="staff training")
    cases = (
        ("The target day is open", date(2026, 3, 9), calendar),
        ("The target day is a Saturday", date(2026, 3, 18), calendar),
        (
            "The target day is Good Friday, and the clinic is closed the day before",
            date(2026, 3, 24),
            calendar.model_copy(update={"closures": (training,)}),
        ),
        ("The target day is full", date(2026, 4, 13), calendar.model_copy(update={"capacity": _CAPACITY})),
    )
    legend = (("open, in the window", SKY), ("closed", FAINT), ("chosen", BLUE), ("outside the window", PAPER))
    subtitle = (
        "Inside day 7 to 14 after surgery, the open clinic day nearest to day 10; of two equally near the earlier."
    )
    return strips("How the day of a visit is chosen", subtitle, legend, [_chosen(*case) for case in cases])


def _chosen(title: str, surgery: date, calendar: ClinicCalendar) -> Strip:
    days, first, last, target = OpenDays(calendar), *(surgery + timedelta(days=n) for n in (7, 14, 10))
    visit = _places(calendar, days, target)(VisitAsked("visit", first, last, target, surgery))
    cells = []
    for number in range(16):
        day = surgery + timedelta(days=number)
        inside = "surgery" if number == 0 else "target" if day == target else ""
        fill = PAPER if not first <= day <= last else FAINT if days.closed(day) else SKY
        chosen = day == visit.day
        said = "visit" if chosen else inside
        cells.append(
            Cell(
                BLUE if chosen else fill,
                f"{day:%a} {day.day}",
                said,
                f"day {number}",
                ink=PAPER if chosen else INK,
            )
        )
    return Strip(title, cells, note=visit.why)


def _places(calendar: ClinicCalendar, days: OpenDays, full: date) -> ClinicPlaces:
    """A clinic that knows of no other visits than those that fill one day."""
    site = _site().model_copy(update={"calendar": calendar})
    store = MemoryStore(lambda: datetime(2026, 3, 1, tzinfo=UTC))
    store.register(site.hospital, "demo", "https://hospital.example/fhir")
    given = {f"other-{number}": Visit(full, "") for number in range(calendar.capacity or 0)}
    return ClinicPlaces(site, days, store.repository(site.hospital), given)


def after_surgery() -> Picture:
    """One patient whose visit is booked, one whose visit nobody books: what the engine makes, and when."""
    rows = []
    for title, booking_days in (("The clerk books on the next day", 1), ("Nobody books", 60)):
        with _world(_site()) as world:
            person = _person(booking_days)
            Course(world, Scenario(patients=1, weeks=4, habits=_CALM), [person]).run()
            rows.append(_told(title, person, world))
    legend = (("surgery", ORANGE), ("the window", SKY), ("the visit", BLUE))
    subtitle = "What the service makes on which day after surgery, as the engine did it for two invented patients."
    return strips("From surgery to day 15", subtitle, legend, rows)


def _person(booking_days: int) -> Person:
    surgery = date(2026, 3, 9)
    told = surgery - timedelta(days=3)
    return Person(0, 7, date(2026, 2, 23), surgery, told, surgery, 2, booking_days)


def _told(title: str, person: Person, world: World) -> Strip:
    zone = world.pathway.site.zone
    happened: list[tuple[date, str]] = [(person.surgery, "Surgery recorded: the follow-up is asked for, with a day")]
    visits = [visit for visit in world.found("Appointment") if key_of(visit)]
    for task in world.found("Task"):
        made = calendar_date(task["authoredOn"], zone)
        if key_of(task) and made and made > person.surgery:
            happened.append((made, f"Task: {task['code']['text']}"))
    for message in world.found("CommunicationRequest"):
        day = calendar_date(message["occurrenceDateTime"], zone)
        happened += [(day, "Reminder to the patient")] if day else []
    met = {day for visit in visits if visit["status"] == "fulfilled" and (day := calendar_date(visit["start"], zone))}
    happened += [(day, "The visit: the follow-up is complete") for day in met]
    cells = []
    for number in range(17):
        day = person.surgery + timedelta(days=number)
        fill = ORANGE if number == 0 else BLUE if day in met else SKY if 7 <= number <= 14 else PAPER
        cells.append(Cell(fill, f"{day:%a} {day.day}", below=f"day {number}"))
    marks = [Mark((day - person.surgery).days, text) for day, text in sorted(set(happened))]
    return Strip(title, cells, [mark for mark in marks if mark.cell < len(cells)])


def load() -> Picture:
    """A small simulation with a changed rule."""
    return drawn(simulate(Library.load(), _site(), Scenario(patients=40, weeks=5), ["target_day=12"]))


def forecasting() -> Picture:
    """Half-way through a simulation with two places a day: what is booked, proposed, and expected."""
    six, three = (Scenario(patients=60, weeks=weeks, habits=_CALM) for weeks in (6, 3))
    calendar = _site().calendar.model_copy(update={"capacity": 2})
    with _world(_site().model_copy(update={"calendar": calendar})) as world:
        Course(world, three, people(six, OpenDays(calendar))).run()
        with world.store.transaction(world.hospital, read_only=True) as tx:
            visits = list(standing_visits(tx, world.pathway))
        today = world.today
    placed = [Placed(visit.day, visit.booked) for visit in visits if visit.day]
    wanted = [Wanted(visit.first, visit.last, visit.target) for visit in visits if visit.day is None]
    return forecast_drawn(forecast(OpenDays(calendar), placed, wanted, today, 6), "north")


def outage() -> Picture:
    """An outage of four days, three patients, and in which order they are called."""
    began, ended = date(2026, 3, 16), date(2026, 3, 19)
    visits = {
        "Booked for the 19th": StandingVisit(
            "CarePlan/a", "Task/a", date(2026, 3, 16), date(2026, 3, 23), date(2026, 3, 19), booked=True
        ),
        "Not booked, window from the 13th": StandingVisit("CarePlan/b", "Task/b", date(2026, 3, 13), date(2026, 3, 20)),
        "Booked for the 27th": StandingVisit(
            "CarePlan/c", "Task/c", date(2026, 3, 24), date(2026, 3, 31), date(2026, 3, 27), booked=True
        ),
    }
    at = datetime(2026, 3, 18, 8, tzinfo=UTC)
    reminder = DueWork(
        "a",
        "start",
        at,
        "2026-03-18T09:00:00",
        "Europe/Berlin",
        "CarePlan/a",
        "reminder",
        "Reminder, one day before",
        state="expired",
    )
    calls = consequences([reminder], list(visits.values()), began, ended).calls
    rows = [_outage_row(title, visit, calls, began, ended) for title, visit in visits.items()]
    legend = (("outage: out", VERMILION), ("the window", SKY), ("the visit", BLUE))
    subtitle = "The report names whom to call, the most urgent first, and why."
    return strips("After an outage from 16 to 19 March", subtitle, legend, rows)


def _outage_row(title: str, visit: StandingVisit, calls: Sequence[Call], began: date, ended: date) -> Strip:
    order = [call.care_plan for call in calls]
    cells = []
    for number in range(20):
        day = date(2026, 3, 12) + timedelta(days=number)
        fill = BLUE if day == visit.day else SKY if visit.first <= day <= visit.last else PAPER
        out = began <= day <= ended
        outline, ink = VERMILION if out else GREY, PAPER if fill == BLUE else INK
        cells.append(Cell(fill, f"{day:%a} {day.day}", "out" if out else "", outline=outline, ink=ink))
    if visit.care_plan not in order:
        return Strip(title, cells, note="Nothing was missed: nobody has to call.")
    place = order.index(visit.care_plan)
    why = ". ".join(calls[place].why)
    return Strip(title, cells, note=f"Call {place + 1}: {why}.")


def _world(site: Site) -> AbstractContextManager[World]:
    return new_world(reduced(Library.load(), PLAN), site, datetime.combine(date(2026, 1, 15), time(), UTC))


PICTURES: Mapping[str, Callable[[], Picture]] = {
    "choosing": choosing,
    "after-surgery": after_surgery,
    "load": load,
    "forecast": forecasting,
    "outage": outage,
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")
        print(f"docs/pictures/{name}.svg")


if __name__ == "__main__":
    main()

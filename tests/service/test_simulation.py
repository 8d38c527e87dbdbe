"""The simulation runs the real engine, says the same for the same seed, and shows it when the engine fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from xml.etree import ElementTree

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from fhir_adapters.store import columns as c
from pathway.codes import PLAN
from pathway.errors import Refused
from pathway.intake import Pathway
from pathway.library import Library
from pathway.outline import walk
from pathway.ports import Create
from pathway.site import ClinicCalendar, Site
from pathway.visits import Visit, VisitAsked
from pathway.writing import Effect
from schedules.calendar import OpenDays
from service.cli import app
from service.demo.records import Clinic, practitioners
from service.simulation.changing import changed
from service.simulation.counting import Totals, counted
from service.simulation.people import people
from service.simulation.reduced import reduced
from service.simulation.running import Course
from service.simulation.scenario import Habits, Scenario
from service.simulation.showing import drawn
from service.simulation.simulate import Outcome, simulate
from service.simulation.world import new_world

SMALL = Scenario(patients=24, weeks=3)
SIX = ["surgeries", "planned", "inside_window", "waitlisted", "missing", "doubled"]


@pytest.fixture(scope="module")
def content() -> Library:
    return reduced(Library.load(), PLAN)


@pytest.fixture(scope="module")
def site() -> Site:
    return Clinic().site({role: f"Practitioner/{role}" for role in practitioners()})


@pytest.fixture(scope="module")
def outcome(site: Site) -> Outcome:
    return simulate(Library.load(), site, SMALL)


def adds_up(totals: Totals) -> bool:
    return totals.planned + totals.waitlisted + totals.with_people + totals.missing == totals.surgeries


def test_every_recorded_surgery_has_its_follow_up_once(outcome: Outcome) -> None:
    totals = outcome.before.totals
    assert totals.surgeries > 15
    assert (totals.missing, totals.doubled) == (0, 0)
    assert adds_up(totals)
    assert 0 < totals.inside_window <= totals.planned
    assert (outcome.before.put_aside, outcome.before.sweep.mended, outcome.before.sweep.failed) == (0, 0, 0)
    assert (totals.surgeries, totals.missing) == (outcome.before.sweep.surgeries, outcome.before.sweep.missing)


def test_the_weeks_add_up_to_the_whole(outcome: Outcome) -> None:
    first, last = SMALL.start, SMALL.last
    weeks = outcome.before.weeks
    assert len(weeks) == 3
    assert sum(week.surgeries for week in weeks) == outcome.before.totals.surgeries
    within = [day.visits for day in outcome.before.days if first <= day.day <= last]
    assert sum(week.visits for week in weeks) == sum(within)
    assert outcome.before.reminders > 0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(site: Site) -> None:
    few = Scenario(patients=8, weeks=2)
    said = json.dumps(simulate(Library.load(), site, few).as_json())
    assert json.dumps(simulate(Library.load(), site, few).as_json()) == said
    other = simulate(Library.load(), site, few.model_copy(update={"seed": 8})).as_json()
    assert other["days"] != json.loads(said)["days"]


def test_a_changed_target_moves_visits_later_and_the_present_rules_stay(outcome: Outcome, site: Site) -> None:
    both = simulate(Library.load(), site, SMALL, ["target_day=13"])
    assert both.before == outcome.before
    assert both.moved is not None and both.after is not None
    assert both.moved.later > 8 and both.moved.earlier == 0
    assert both.after.totals.missing == 0
    assert list(both.as_json())[-6:] == SIX


def test_a_change_of_the_content_is_simulated(site: Site) -> None:
    """The reduction is computed from the plan, so the window that the plan says is the one that is used."""
    library = Library.load()
    plan = json.loads(json.dumps(library.plan_as_written(PLAN), default=float))
    for action in walk(plan["action"]):
        for related in action.get("relatedAction", []) if action["id"].startswith("fu-first-visit") else []:
            if "offsetRange" in related:
                days = {"unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
                related["offsetRange"] = {"low": {"value": 12, **days}, "high": {"value": 13, **days}}
    narrower = Library([*(d for d in library.resources() if d.get("url") != PLAN), plan])
    calm = Habits(no_show=0, visit_cancelled=0, surgery_moved=0, recorded_late=0, booked_late=0, never_recorded=0)
    scenario = Scenario(patients=9, weeks=3, habits=calm, surgery_days=frozenset({1}))
    found = simulate(narrower, site, scenario).before
    assert {day.day.weekday() for day in found.days} == {0}  # 13 days after a Tuesday; 12 days after is a Sunday
    assert found.totals.inside_window == found.totals.planned == 9


def test_the_reduced_plan_keeps_the_surgery_and_what_its_visit_rests_on(content: Library) -> None:
    kept = {action["id"] for action in walk(content.plan(PLAN)["action"])}
    assert {"proc-excision", "rule-surgery-unknown", "fu-first-visit", "fu-first-visit-appointment"} <= kept
    assert {"rule-visit-unbooked", "fu-attend-all-3d", "fu-attend-all-1d", "fu-missed-visit"} <= kept
    assert not kept & {"red-flags", "preparation", "prep-labs", "calcinosis-recovery-diary", "calcinosis-outcome"}
    assert Library.check(content.resources()) == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("target_day", "name=value"),
        ("target_dya=12", "There is no rule 'target_dya'"),
        ("target_day=soon", "target_day"),
        ("calendar.weekdays=mon,someday", "'someday' is no weekday"),
        ("calendar.colour=red", "calendar.colour"),
        ("pathway=1", "There is no rule 'pathway'"),
    ],
)
def test_a_rule_that_cannot_be_changed_so_is_refused_with_a_sentence(
    content: Library, site: Site, rule: str, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        changed(site, content, [rule])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"surgery_codes": ()}, "nobody or nothing for a surgery code"),
        ({"calendar": ClinicCalendar(country="XX")}, "holidays of XX are not known"),
    ],
)
def test_a_site_that_cannot_be_simulated_is_refused_with_a_sentence(
    site: Site, given: dict[str, object], said: str
) -> None:
    few = Scenario(patients=2, weeks=2, habits=Habits(surgery_cancelled=0, never_recorded=0, recorded_late=0))
    with pytest.raises(Refused, match=said):
        simulate(Library.load(), site.model_copy(update=given), few)


def test_no_day_of_surgery_is_refused(site: Site) -> None:
    holiday = Scenario(patients=2, weeks=1, start=date(2026, 4, 6), surgery_days=frozenset({0}))  # Easter Monday
    with pytest.raises(Refused, match="no day of surgery"):
        simulate(Library.load(), site, holiday)


def test_a_change_reaches_the_calendar_and_the_parameters(content: Library, site: Site) -> None:
    new = changed(site, content, ["calendar.weekdays=mon,wed", "calendar.capacity=6", "target_day=9"])
    assert new.calendar.weekdays == {0, 2}
    assert (new.calendar.capacity, new.parameters.target_day) == (6, 9)


class Deaf(Pathway):
    """An engine that answers nothing."""

    def react(self, *_: object) -> None:
        return

    def advance(self, *_: object) -> Effect:
        return Effect()


def totals_with(content: Library, site: Site, broken: Callable[[Pathway], Pathway]) -> Totals:
    """What is counted when the engine is a broken one."""
    few = Scenario(patients=8, weeks=2)
    with new_world(content, site, datetime(2026, 1, 15, tzinfo=UTC)) as world:
        world.pathway = broken(world.pathway)
        course = Course(world, few, people(few, OpenDays(site.calendar)))
        course.run()
        return counted(course).totals


def test_a_chooser_that_gives_no_day_shows_as_waitlisted(content: Library, site: Site) -> None:
    def none(_: VisitAsked) -> Visit:
        return Visit(None, "No day.")

    totals = totals_with(content, site, lambda pathway: replace(pathway, choosing=lambda _: none))
    assert totals.surgeries > 5
    assert totals.waitlisted == totals.surgeries
    assert adds_up(totals)


def test_an_engine_that_answers_nothing_shows_as_missing(content: Library, site: Site) -> None:
    """Nobody is enrolled, so no plan knows of the surgeries: they are counted at the hospital all the same."""
    totals = totals_with(content, site, lambda p: Deaf(p.library, p.site, p.choosing))
    assert totals.surgeries > 5
    assert totals.missing == totals.surgeries
    assert adds_up(totals)


def test_due_work_that_is_lost_shows_as_mended(content: Library, site: Site) -> None:
    few = Scenario(patients=8, weeks=2)
    with new_world(content, site, datetime(2026, 1, 15, tzinfo=UTC)) as world:
        course = Course(world, few, people(few, OpenDays(site.calendar)))
        course.run()
        with world.store.engine.begin() as connection:
            connection.execute(delete(c.due).where(c.due.c.state == "scheduled"))
        assert counted(course).sweep.mended > 0


def test_a_follow_up_that_vanishes_is_missing_and_one_that_is_there_twice_is_doubled(
    content: Library, site: Site
) -> None:
    few = Scenario(patients=12, weeks=3)
    with new_world(content, site, datetime(2026, 1, 15, tzinfo=UTC)) as world:
        course = Course(world, few, people(few, OpenDays(site.calendar)))
        course.run()
        good = counted(course).totals
        visits = [visit for visit in world.found("Appointment") if visit["status"] == "booked" and "comment" in visit]
        copy = {
            **visits[0],
            "id": "copy",
            "identifier": [{**visits[0]["identifier"][0], "value": "copied:fu:once-more"}],
        }
        with world.store.transaction(world.hospital) as tx:
            tx.transact([Create(copy)])
        assert counted(course).totals.doubled == good.doubled + 1
        with world.store.engine.begin() as connection:
            for table in (c.search_value, c.resource):
                connection.execute(delete(table).where(table.c.type == "CarePlan"))
        assert counted(course).totals.missing == good.surgeries


def test_the_picture_is_well_formed_and_says_in_words_what_it_shows(outcome: Outcome) -> None:
    picture = drawn(outcome)
    root = ElementTree.fromstring(picture.svg())
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert "surgeries" in (root.findtext("{http://www.w3.org/2000/svg}desc") or "")
    assert "9 Mar" in texts and "0" in texts
    png = picture.png()
    assert png.startswith(b"\x89PNG") and png == picture.png()


def test_the_command_prints_nothing_but_json(tmp_path_factory: pytest.TempPathFactory) -> None:
    svg = tmp_path_factory.mktemp("picture") / "load.svg"
    asked = ["simulate", "--patients", "6", "--weeks", "2", "--seed", "3", "--json", "--svg", str(svg)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert list(found)[-6:] == SIX
    assert found["missing"] == found["doubled"] == 0
    ElementTree.fromstring(svg.read_text())


def test_people_do_not_depend_on_the_rules(site: Site) -> None:
    theatre = OpenDays(site.calendar)
    everybody = people(SMALL, theatre)
    assert everybody == people(SMALL, theatre)
    assert len({person.surgery for person in everybody}) > 12
    assert all(person.referred < person.told and person.referred < person.surgery for person in everybody)
    assert all(theatre.closed(person.surgery) is None for person in everybody)
    assert min(person.surgery for person in everybody) == date(2026, 3, 2)

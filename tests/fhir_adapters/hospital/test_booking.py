"""A visit is booked by the hospital's own $find and $book: once, inside its window, whatever fails."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from fhir_adapters.hospital.outbound import Outbound
from pathway.codes import BOOKING_ASKED, PROPOSED_DATES
from pathway.keys import key_of
from pathway.ports import Create, Resource
from pathway.tags import tag_of
from tests.fhir_adapters.hospital.conftest import Ours, Theirs, authored, task
from tests.fhir_adapters.hospital.proxy import Answer, Asked, Fault, Forward, Proxy, answers, cut, cut_after, late

SURGEON = {"reference": "Practitioner/surgeon"}
SERVICE = {"system": "http://snomed.info/sct", "code": "439740005"}
SCHEDULE: Resource = {
    "resourceType": "Schedule",
    "id": "wounds",
    "actor": [SURGEON],
    "serviceType": [{"coding": [SERVICE]}],
}
PLACES = {"mon": "2026-03-30T08:00:00Z", "fri2": "2026-03-27T09:00:00Z", "fri1": "2026-03-27T08:00:00Z"}


def visit(name: str = "visit", day: str = "2026-03-27", **elements: Any) -> Resource:
    """Surgery on 18 March: sought from day 7 to 14, at best on day 10, which is a Saturday."""
    terms = {"system": PROPOSED_DATES, "code": f"2026-03-25/2026-04-01/2026-03-28/{day}"}
    people = [{"actor": {"reference": "Patient/p1"}, "status": "needs-action"}]
    people.append({"actor": SURGEON, "status": "needs-action"})
    same: Resource = {"status": "proposed", "participant": people, "serviceType": [{"coding": [SERVICE]}]}
    same |= {"meta": {"tag": [terms]}, "comment": "The day nearest to day 10", "description": "First visit"}
    return authored("Appointment", name, **{**same, "requestedPeriod": [{"start": day, "end": day}], **elements})


def slot(id: str, start: str, **elements: Any) -> Resource:
    end = start.replace(":00:00", ":30:00")
    same = {"schedule": {"reference": "Schedule/wounds"}, "status": "free", "start": start, "end": end}
    return {"resourceType": "Slot", "id": id, **same, **elements}


def by_hand(start: str, **elements: Any) -> Resource:
    """An Appointment that the hospital booked without us."""
    end, who = start.replace(":00:00", ":30:00"), [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}]
    same = {"resourceType": "Appointment", "status": "booked", "start": start, "end": end, "participant": who}
    return {**same, **elements}


@pytest.fixture(autouse=True)
def _books(ours: Ours, our_server: Theirs) -> None:
    ours.books_in = "Europe/Berlin"
    our_server.holds({"resourceType": "Practitioner", "id": "surgeon"}, SCHEDULE)
    our_server.holds(*(slot(id, start) for id, start in PLACES.items()))


def busy(our_server: Theirs) -> list[str]:
    return sorted(one["id"] for one in our_server.all("Slot") if one["status"] == "busy")


def on(operation: str, fault: Fault) -> Fault:
    """The fault for one operation on Appointment only; the other one passes."""
    return lambda asked, forward: fault(asked, forward) if asked.target.endswith(operation) else forward(asked)


def operations(proxy: Proxy) -> list[str]:
    return [request.target.rpartition("$")[2] for request in proxy.requests if "$" in request.target]


def assert_booked_once(ours: Ours, our_server: Theirs, ours_is: Resource, slot_id: str) -> None:
    there = our_server.only("Appointment")
    assert (there["status"], there["start"], busy(our_server)) == ("booked", PLACES[slot_id], [slot_id])
    assert key_of(there) is None
    here = ours.read(ours_is)
    assert (here["status"], here["start"], here["end"]) == ("booked", there["start"], there["end"])
    assert (here["slot"], here["participant"]) == (there["slot"], there["participant"])
    assert (here["comment"], here["identifier"]) == (ours_is["comment"], ours_is["identifier"])
    assert (ours.state(ours_is), ours.link(ours_is).their_id) == ("done", there["id"])


def test_the_earliest_place_of_the_chosen_day_is_booked(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    ours.writes(visit())
    assert (ours.push(), ours.push()) == (1, 0)
    assert_booked_once(ours, our_server, visit(), "fri1")
    assert operations(proxy) == ["find", "book"]
    assert ours.reacted == [f"Appointment/{visit()['id']}"]
    assert ours.inflow.run() == 0


def test_what_is_asked_in_the_words_of_the_profile(ours: Ours, proxy: Proxy) -> None:
    ours.writes(visit())
    ours.push()
    find, book = (json.loads(r.body)["parameter"] for r in proxy.requests if "$" in r.target)
    assert find == [
        {"name": "start", "valueDateTime": "2026-03-26T23:00:00+00:00"},
        {"name": "end", "valueDateTime": "2026-03-27T23:00:00+00:00"},
        {"name": "patient-reference", "valueReference": {"reference": "Patient/p1"}},
        {"name": "practitioner", "valueReference": SURGEON},
        {"name": "visit-type", "valueString": "http://snomed.info/sct|439740005"},
    ]
    assert book[0] == {"name": "appointment-reference", "valueReference": {"reference": "Appointment/offer-fri1"}}
    assert (book[1]["name"], book[1]["resource"]["id"]) == ("patient-resource", "p1")


def test_without_a_place_on_the_day_the_nearest_to_the_target(ours: Ours, our_server: Theirs) -> None:
    our_server.holds(*(slot(id, PLACES[id], status="busy-unavailable") for id in ("fri1", "fri2")))
    our_server.holds(slot("first", "2026-03-25T08:00:00Z"), slot("last", "2026-04-01T08:00:00Z"))
    ours.writes(visit())
    assert ours.push() == 1
    assert_booked_once(ours, our_server, visit(), "mon")


@pytest.mark.parametrize("start", ["2026-03-24T08:00:00Z", "2026-04-02T08:00:00Z", "2026-04-01T22:00:00Z"])
def test_never_outside_the_window(ours: Ours, our_server: Theirs, proxy: Proxy, start: str) -> None:
    """Neither what there is, nor what a server offers that was not asked for."""
    our_server.holds(*(slot(id, PLACES[id], status="busy-unavailable") for id in PLACES), slot("outside", start))

    def offers_it(asked: Asked, forward: Forward) -> Answer:
        answer = forward(asked)
        offer = by_hand(start, id="offer-outside", status="proposed")
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": offer}]}
        return Answer(200, answer.headers, json.dumps(bundle).encode())

    proxy.always("POST", "Appointment", on("$find", offers_it))
    ours.writes(visit())
    assert ours.push() == 0
    assert (our_server.all("Appointment"), ours.state(visit()), ours.quarantine()) == ([], "waiting", [])
    waiting = "From 2026-03-25 to 2026-04-01 the hospital offers nothing"
    assert ours.entry(visit()).last_error == waiting


def test_what_waits_is_booked_when_there_is_a_place_and_holds_up_no_task(ours: Ours, our_server: Theirs) -> None:
    our_server.holds(*(slot(id, PLACES[id], status="busy-unavailable") for id in PLACES))
    sought = task(focus={"reference": f"Appointment/{visit()['id']}"})
    ours.writes(visit(), sought)
    assert ours.push() == 1
    assert "focus" not in our_server.only("Task")
    our_server.holds(slot("mon", PLACES["mon"]))
    ours.push(rounds=2, minutes=5)
    ours.push()
    assert_booked_once(ours, our_server, visit(), "mon")
    booked = our_server.only("Appointment")
    assert our_server.only("Task")["focus"] == {"reference": f"Appointment/{booked['id']}"}
    assert (ours.read(sought)["focus"], ours.open_entries()) == (sought["focus"], [])


# Whatever fails


def test_an_answer_cut_after_the_server_booked_ends_with_one(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    proxy.once("POST", "Appointment", on("$book", cut_after), times=2)
    ours.writes(visit())
    assert ours.push() == 0
    assert (ours.state(visit()), busy(our_server)) == ("unknown", ["fri1"])
    assert str(tag_of(ours.read(visit()), BOOKING_ASKED)).startswith(PLACES["fri1"])
    assert ours.push(rounds=4) == 1
    assert_booked_once(ours, our_server, visit(), "fri1")
    assert operations(proxy).count("book") == 1


def test_what_was_read_before_its_answer_came_is_not_there_twice(ours: Ours, proxy: Proxy) -> None:
    proxy.once("POST", "Appointment", on("$book", cut_after), times=2)
    ours.writes(visit())
    ours.push()
    ours.inflow.run()
    assert len(list(ours.store.repository("demo").search("Appointment").resources)) == 2
    ours.push(rounds=4)
    [here] = ours.store.repository("demo").search("Appointment").resources
    assert (here["id"], here["status"]) == (visit()["id"], "booked")


def test_a_request_cut_before_the_server_heard_of_it_is_asked_again(
    ours: Ours, our_server: Theirs, proxy: Proxy
) -> None:
    proxy.once("POST", "Appointment", on("$book", cut), times=2)
    ours.writes(visit())
    ours.push(rounds=3)
    assert ours.entry(visit()).last_error == "The hospital was asked to book it and may still do so"
    ours.push(rounds=2, seconds=61)
    assert_booked_once(ours, our_server, visit(), "fri1")


def test_one_that_booked_late_is_not_booked_again(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    """The connection broke while the server was still at work: it books after we looked for the first time."""
    held: list[tuple[Asked, Forward]] = []
    proxy.once("POST", "Appointment", on("$book", lambda asked, forward: held.append((asked, forward))), times=2)
    ours.writes(visit())
    ours.push(rounds=4)
    assert (our_server.all("Appointment"), operations(proxy).count("book")) == ([], 1)
    asked, forward = held[0]
    forward(asked)
    ours.push(rounds=2, seconds=61)
    assert_booked_once(ours, our_server, visit(), "fri1")
    assert operations(proxy).count("book") == 1


def test_a_500_is_looked_into_before_it_is_asked_again(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    def fails_after(asked: Asked, forward: Forward) -> Answer:
        forward(asked)
        return answers(500, "it broke")(asked, forward) or Answer(500)

    proxy.once("POST", "Appointment", on("$book", fails_after), times=2)
    ours.writes(visit())
    ours.push(rounds=4)
    assert_booked_once(ours, our_server, visit(), "fri1")


def test_a_server_that_always_fails_is_for_a_person(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    proxy.always("POST", "Appointment", on("$book", answers(500, "it is broken")))
    ours.writes(visit())
    ours.push(rounds=15, seconds=61)
    assert (ours.state(visit()), our_server.all("Appointment")) == ("quarantined", [])
    assert "it is broken" in ours.why()


def test_an_answer_that_makes_no_sense_holds_up_nobody(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    no_day = {**by_hand("2026-03-27T08:00:00Z"), "id": "offer-x", "status": "proposed", "start": "2026-03-99T08:00:00Z"}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": no_day}]}
    proxy.always("POST", "Appointment", on("$find", lambda *_: Answer(200, {}, json.dumps(bundle).encode())))
    ours.writes(visit(), task())
    assert ours.push() == 1
    assert (ours.state(visit()), our_server.only("Task")["status"]) == ("unknown", "requested")
    said = "What it answered about a booking cannot be taken in (ValueError)"
    assert ours.entry(visit()).last_error == said


def test_several_that_could_be_it_are_for_a_person(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    proxy.once("POST", "Appointment", on("$book", cut_after), times=2)
    ours.writes(visit())
    ours.push()
    our_server.data.transact([Create(by_hand(PLACES["fri1"]))])
    ours.push(rounds=4)
    assert ours.state(visit()) == "quarantined"
    assert "may be the visit that the hospital was asked to book" in ours.why()
    assert operations(proxy).count("book") == 1


def test_another_visit_of_the_patient_is_not_taken_for_it(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    our_server.data.transact([Create(by_hand("2026-03-27T15:00:00Z", description="Dermatology"))])
    proxy.once("POST", "Appointment", on("$book", cut), times=2)
    ours.writes(visit())
    ours.push(rounds=3, seconds=61)
    assert (ours.read(visit())["start"], len(our_server.all("Appointment"))) == (PLACES["fri1"], 2)


@pytest.mark.parametrize("status", [409, 412, 422])
def test_an_offer_that_somebody_else_took_is_followed_by_the_next(
    ours: Ours, our_server: Theirs, proxy: Proxy, status: int
) -> None:
    proxy.once("POST", "Appointment", on("$book", answers(status, "taken")), times=2)
    ours.writes(visit())
    assert ours.push() == 1
    assert_booked_once(ours, our_server, visit(), "fri2")


def test_a_no_inside_of_a_bundle_is_a_no(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    """As the profile has it: an unsuccessful $book returns only an OperationOutcome within the Bundle."""
    issue = {"severity": "error", "code": "conflict", "diagnostics": "taken by somebody"}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": outcome}]}
    proxy.always("POST", "Appointment", on("$book", lambda *_: Answer(200, {}, json.dumps(bundle).encode())))
    ours.writes(visit())
    assert ours.push() == 0
    assert (ours.state(visit()), busy(our_server)) == ("waiting", [])
    assert "taken by somebody" in str(ours.entry(visit()).last_error)
    assert operations(proxy) == ["find", "book", "book", "find", "book"]


def test_two_visits_never_get_one_place(ours: Ours, our_server: Theirs) -> None:
    ours.writes(visit("one"), visit("two"))
    with ThreadPoolExecutor(2) as workers:
        runs = [workers.submit(ours.outbound.run) for _ in range(2)]
        assert sum(run.result() for run in runs) == 2
    assert busy(our_server) == ["fri1", "fri2"]
    assert {ours.read(visit(name))["start"] for name in ("one", "two")} == {PLACES["fri1"], PLACES["fri2"]}


def test_a_worker_that_was_overtaken_books_nothing_more(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    ours.writes(visit())
    proxy.once("POST", "Appointment", on("$find", late(1)))
    with ThreadPoolExecutor(1) as slow:
        overtaken = slow.submit(ours.outbound.run)
        while not operations(proxy):
            assert not overtaken.done()
        ours.clock.forward(seconds=61)
        assert ours.outbound.run() == 1
        assert overtaken.result() == 0
    assert_booked_once(ours, our_server, visit(), "fri1")
    assert operations(proxy).count("book") == 1


def test_a_worker_that_was_overtaken_does_not_ask_where_the_other_got_no_answer(
    ours: Ours, our_server: Theirs, proxy: Proxy
) -> None:
    ours.writes(visit())
    proxy.once("POST", "Appointment", on("$find", late(2)))
    with ThreadPoolExecutor(1) as slow:
        overtaken = slow.submit(ours.outbound.run)
        while not operations(proxy):
            assert not overtaken.done()
        ours.clock.forward(seconds=61)
        proxy.always("POST", "Appointment", on("$book", cut_after))
        assert (ours.outbound.run(), ours.state(visit())) == (0, "unknown")
        assert overtaken.result() == 0
    ours.push(rounds=2, seconds=10)
    assert_booked_once(ours, our_server, visit(), "fri1")
    assert operations(proxy).count("book") == 1


def test_a_worker_that_died_while_it_booked(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    class Killed(BaseException):
        pass

    class Dies(Outbound):
        def _booked(self, *_: Any) -> bool:
            raise Killed

    ours.writes(visit())
    out = ours.outbound
    with pytest.raises(Killed):
        Dies(out.store, out.hospital, out.client, out.inbound, out.clock, timedelta(seconds=60), out.books_in).run()
    assert (busy(our_server), ours.read(visit())["status"]) == (["fri1"], "proposed")
    assert ours.push() == 0
    ours.clock.forward(seconds=61)
    assert ours.push() == 1
    assert_booked_once(ours, our_server, visit(), "fri1")
    assert operations(proxy).count("book") == 1


# What comes after, and where it is not wanted


def test_what_the_hospital_does_with_it_later_is_taken_in(ours: Ours, our_server: Theirs) -> None:
    ours.writes(visit())
    ours.push()
    there = f"Appointment/{our_server.only('Appointment')['id']}"
    our_server.changes(there, status="cancelled", comment="The patient called")
    ours.inflow.run()
    here = ours.read(visit())
    assert (here["status"], here["comment"]) == ("cancelled", "The patient called")


def test_what_we_change_in_it_leaves_the_rest_as_the_hospital_has_it(ours: Ours, our_server: Theirs) -> None:
    ours.writes(visit())
    ours.push()
    there = f"Appointment/{our_server.only('Appointment')['id']}"
    our_server.changes(there, identifier=[{"system": "https://hospital.example/visits", "value": "77"}])
    ours.inflow.run()
    ours.changes(visit(), **{**ours.read(visit()), "priority": 1})
    ours.push()
    changed = our_server.only("Appointment")
    assert (changed["priority"], changed["identifier"][0]["value"], changed["status"]) == (1, "77", "booked")
    assert ("comment" in changed, ours.open_entries()) == (False, [])


@pytest.mark.parametrize(
    "elements", [{"status": "cancelled"}, {"day": "2026-04-02"}, {"meta": {}}], ids=["withdrawn", "outside", "no-days"]
)
def test_what_cannot_be_booked_is_there_for_people(
    ours: Ours, our_server: Theirs, proxy: Proxy, elements: Resource
) -> None:
    ours.writes(visit(**elements))
    assert ours.push() == 1
    there = our_server.only("Appointment")
    assert (key_of(there), operations(proxy)) == (key_of(visit()), [])


def test_a_visit_that_is_asked_for_once_more_is_for_people(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    """The hospital cancelled the first, and may have given the patient another day already."""
    ours.writes(visit("visit:again-2"))
    assert ours.push() == 1
    assert (our_server.only("Appointment")["status"], operations(proxy)) == ("proposed", [])


def test_a_window_that_has_passed_is_there_for_people(ours: Ours, our_server: Theirs) -> None:
    our_server.holds(*(slot(id, PLACES[id], status="busy") for id in PLACES))
    ours.writes(visit())
    ours.push()
    ours.clock.forward(days=31)
    assert ours.push() == 1
    assert our_server.only("Appointment")["status"] == "proposed"


@pytest.mark.parametrize("wanted", [True, False])
def test_it_is_proposed_where_the_site_or_the_server_does_not_book(
    ours: Ours, our_server: Theirs, proxy: Proxy, wanted: bool
) -> None:
    if wanted:
        proxy.once("GET", "metadata", _without_operations)
    else:
        ours.books_in = None
    ours.writes(visit())
    assert ours.push() == 1
    assert our_server.only("Appointment")["status"] == "proposed"
    assert operations(proxy) == []


def test_a_waitlisted_visit_takes_any_place_of_its_window(ours: Ours, our_server: Theirs) -> None:
    waiting = visit(day="", status="waitlist", requestedPeriod=None)
    waiting = {name: value for name, value in waiting.items() if value is not None}
    ours.writes(waiting)
    assert ours.push() == 1
    assert_booked_once(ours, our_server, waiting, "fri1")


def _without_operations(asked: Asked, forward: Forward) -> Answer:
    answer = forward(asked)
    statement = json.loads(answer.body)
    for each in statement["rest"][0]["resource"]:
        each["operation"] = []
    return Answer(answer.status, answer.headers, json.dumps(statement).encode())

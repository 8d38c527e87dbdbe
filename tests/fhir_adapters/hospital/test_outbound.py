"""Whatever fails on the way, the hospital ends with exactly one of everything, and nobody waits for somebody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from pathway.codes import KEY_SYSTEM, PERTAINS_TO_GOAL
from pathway.errors import Unreachable
from pathway.keys import id_of
from pathway.ports import Delete, Key, Resource
from tests.fhir_adapters.hospital.conftest import HERE, Ours, Theirs, authored, care_plan, task
from tests.fhir_adapters.hospital.proxy import Proxy, altered, answers, cut, cut_after, late, offering

PLAN_REFERENCE = f"CarePlan/{id_of('CarePlan', Key(KEY_SYSTEM, 'plan'))}"


def step(name: str, **elements: Any) -> Resource:
    """A Task of the CarePlan."""
    return task(name, basedOn=[{"reference": PLAN_REFERENCE}], **elements)


def provenance(*targets: Resource) -> Resource:
    listed = [{"reference": f"{r['resourceType']}/{r['id']}"} for r in targets]
    same = {"recorded": "2026-03-02T09:00:00Z", "agent": [{"who": {"display": "Pathway"}}]}
    return {"resourceType": "Provenance", "id": id_of("Provenance", Key(KEY_SYSTEM, "why")), "target": listed, **same}


def activities(plan: Resource) -> list[str]:
    return [activity["reference"]["reference"] for activity in plan.get("activity", [])]


# Once


def test_a_resource_is_created_once_even_if_sent_twice(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    ours.writes(first)
    assert (ours.push(), ours.push()) == (1, 0)
    there = our_server.only("Task")
    assert there["identifier"] == first["identifier"]
    assert (ours.state(first), ours.link(first).their_id) == ("done", there["id"])
    assert proxy.asked("POST", "PUT") == ["POST Task"]


def test_a_server_cut_off_after_it_stored_ours_ends_with_one(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    proxy.once("POST", "Task", cut_after)
    assert ours.push() == 0
    assert (ours.state(first), len(our_server.all("Task"))) == ("unknown", 1)
    assert "got no answer" in str(ours.entry(first).last_error)
    ours.push(rounds=4)
    assert (ours.state(first), ours.link(first).their_id) == ("done", our_server.only("Task")["id"])
    assert proxy.asked("POST") == ["POST Task"]


def test_a_server_cut_off_before_it_heard_of_ours_ends_with_one(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    proxy.once("POST", "Task", cut, times=2)
    ours.push()
    assert (ours.state(first), our_server.all("Task")) == ("unknown", [])
    ours.push(rounds=8)
    assert (ours.state(first), ours.link(first).their_id) == ("done", our_server.only("Task")["id"])


def test_what_changed_here_after_the_cut_is_sent_too(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    proxy.once("POST", "Task", cut_after)
    ours.push()
    ours.changes(first, status="cancelled")
    ours.push(rounds=4)
    assert our_server.only("Task")["status"] == "cancelled"
    assert (ours.state(first), ours.quarantine()) == ("done", [])


def test_what_the_hospital_changed_after_the_cut_is_taken_over(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    proxy.once("POST", "Task", cut_after)
    ours.push()
    our_server.changes(f"Task/{our_server.only('Task')['id']}", status="accepted")
    ours.changes(first, priority="urgent")
    ours.push(rounds=4)
    for side in (ours.read(first), our_server.only("Task")):
        assert (side["status"], side["priority"]) == ("accepted", "urgent")
    assert (ours.state(first), ours.reacted) == ("done", [f"Task/{first['id']}"])


def test_an_update_cut_off_after_it_was_stored_is_made_once(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    ours.push()
    ours.changes(first, priority="urgent")
    proxy.once("PUT", "Task", cut_after)
    ours.push()
    assert ours.state(first) == "unknown"
    ours.push(rounds=4)
    assert (ours.state(first), our_server.only("Task")["meta"]["versionId"]) == ("done", "2")
    assert ours.read(first)["priority"] == "urgent"


def test_a_copy_that_was_there_before_us_is_ours(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    """Our database was restored from a backup: the hospital has what we do not remember."""
    first = task()
    our_server.holds(first | {"id": "900", "status": "accepted"})
    ours.writes(first)
    ours.push()
    assert (ours.state(first), ours.link(first).their_id) == ("done", "900")
    assert (ours.read(first)["status"], our_server.only("Task")["status"]) == ("accepted", "accepted")
    assert proxy.asked("POST", "PUT") == ["POST Task"]


def test_two_workers_never_send_the_same(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    ours.writes(*(task(f"t{number}") for number in range(6)))
    proxy.always("POST", "Task", late(0.05))
    with ThreadPoolExecutor(2) as workers:
        runs = [workers.submit(ours.outbound.run) for _ in range(2)]
        assert sum(run.result() for run in runs) == 6
    assert len(our_server.all("Task")) == 6
    assert proxy.asked("POST") == ["POST Task"] * 6


@pytest.mark.parametrize("conditional", [True, False])
def test_a_worker_that_was_overtaken_changes_nothing(
    ours: Ours, proxy: Proxy, our_server: Theirs, conditional: bool
) -> None:
    first = task()
    ours.writes(first)
    proxy.once("GET", "metadata", offering(every={"conditionalCreate": conditional}))
    assert ours.client.plan.of("Task").create == ("condition" if conditional else "search")
    proxy.once("POST", "Task", late(1))
    with ThreadPoolExecutor(1) as slow:
        overtaken = slow.submit(ours.outbound.run)
        while not our_server.all("Task"):
            assert not overtaken.done()
        ours.clock.forward(seconds=61)
        ours.outbound.run()
        assert ours.state(first) == "done"
        assert overtaken.result() == 0
    assert ours.link(first).their_id == our_server.only("Task")["id"]


def test_the_loser_of_a_race_to_create_finds_the_winners(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    """HAPI: of several equal conditional creates at once, all but one are answered with 409."""
    first = task()
    ours.writes(first)
    our_server.holds(first | {"id": "900"})
    proxy.once("POST", "Task", answers(409, "HAPI-0550: constraint"))
    ours.push(rounds=3)
    assert (ours.state(first), ours.link(first).their_id) == ("done", our_server.only("Task")["id"])


def test_two_copies_with_our_key_are_for_a_person(ours: Ours, proxy: Proxy) -> None:
    first = task()
    ours.writes(first)
    proxy.once("POST", "Task", answers(412, "2 matches"))
    ours.push()
    assert (ours.state(first), ours.quarantine()) == ("quarantined", [("outbox", f"Task/{first['id']}")])
    assert "2 matches" in ours.why()


# Capabilities


def test_a_server_without_conditional_create_is_searched_first(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first, second = task("first"), task("second")
    our_server.holds(first | {"id": "900"})
    proxy.once("GET", "metadata", offering(every={"conditionalCreate": False}))
    ours.writes(first, second)
    ours.push()
    assert sorted(proxy.asked("GET", "POST")) == ["GET Task", "GET Task", "POST Task"]
    assert not any("if-none-exist" in request.headers for request in proxy.requests)
    assert len(our_server.all("Task")) == 2
    assert ours.link(first).their_id == "900"


def test_a_type_that_cannot_be_written_stays_here_and_says_so(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    read_only = {"interaction": [{"code": "read"}, {"code": "search-type"}]}
    proxy.once("GET", "metadata", offering(CarePlan=read_only))
    plan, alone = care_plan(), task()
    ours.writes(plan, alone)
    assert ours.push() == 1
    assert (ours.state(plan), ours.state(alone)) == ("quarantined", "done")
    assert ours.why() == "This server does not let us create CarePlan"
    assert ours.read(plan)["status"] == "active"
    assert (our_server.all("CarePlan"), proxy.asked("POST")) == ([], ["POST Task"])


# Goals and risks


READ_ONLY = {"interaction": [{"code": "read"}, {"code": "search-type"}]}
GOAL = authored(
    "Goal",
    "less-pain",
    lifecycleStatus="proposed",
    subject={"reference": "Patient/p1"},
    description={"text": "Less pain"},
)
RISKS = authored(
    "RiskAssessment",
    "risks",
    status="final",
    subject={"reference": "Patient/p1"},
    basedOn={"reference": PLAN_REFERENCE},
)
REFERRAL: Resource = {
    "resourceType": "ServiceRequest",
    "id": "r1",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
}


def to(resource: Resource) -> Resource:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def serving(name: str) -> Resource:
    return step(name, extension=[{"url": PERTAINS_TO_GOAL, "valueReference": to(GOAL)}])


def plan_with_goals(*activity: Resource) -> Resource:
    return care_plan(*activity, goal=[to(GOAL)], supportingInfo=[to(REFERRAL), to(RISKS)])


def unlisted(statement: Resource) -> None:
    told = statement["rest"][0]
    told["resource"] = [each for each in told["resource"] if each["type"] not in ("Goal", "RiskAssessment")]


def test_a_care_plan_lists_goals_and_risks_as_soon_as_they_are_there(ours: Ours, our_server: Theirs) -> None:
    first = serving("first")
    our_server.holds(REFERRAL)
    ours.knows(REFERRAL)
    ours.writes(plan_with_goals(first), GOAL, RISKS, first)
    ours.push(rounds=3)
    plan, goal, risks = (our_server.only(type) for type in ("CarePlan", "Goal", "RiskAssessment"))
    assert plan["goal"] == [to(goal)]
    assert plan["supportingInfo"] == [to(REFERRAL), to(risks)]
    assert risks["basedOn"] == to(plan)
    assert our_server.only("Task")["extension"][0]["valueReference"] == to(goal)
    assert [ours.state(r) for r in (plan_with_goals(), GOAL, RISKS, first)] == ["done"] * 4


def test_a_care_plan_is_not_sent_again_for_a_goal_it_shows(ours: Ours, proxy: Proxy) -> None:
    ours.writes(care_plan(goal=[to(GOAL)]), GOAL)
    ours.push()
    sent = proxy.asked("PUT").count("PUT CarePlan")
    ours.changes(GOAL, lifecycleStatus="cancelled")
    ours.push()
    assert (sent, proxy.asked("PUT").count("PUT CarePlan")) == (1, 1)


@pytest.mark.parametrize("refusal", ["not to be created", "not listed, 404", "not listed, 403", "not listed, 422"])
def test_a_server_without_goals_gets_the_care_plan_all_the_same(
    ours: Ours, proxy: Proxy, our_server: Theirs, refusal: str
) -> None:
    first = serving("first")
    ours.knows(REFERRAL)
    our_server.holds(REFERRAL)
    statement = offering(Goal=READ_ONLY, RiskAssessment=READ_ONLY)
    if refusal != "not to be created":
        statement = altered(unlisted)
        for type in ("Goal", "RiskAssessment"):
            proxy.always("POST", type, answers(int(refusal[-3:]), "unknown resource type"))
    proxy.once("GET", "metadata", statement)
    ours.writes(plan_with_goals(first), GOAL, RISKS, first, provenance(GOAL, RISKS))
    ours.push(rounds=4)
    plan = our_server.only("CarePlan")
    assert activities(plan) == [f"Task/{ours.link(first).their_id}"]
    assert ("goal" in plan, plan["supportingInfo"]) == (False, [to(REFERRAL)])
    assert "extension" not in our_server.only("Task")
    assert [ours.state(resource) for resource in (plan_with_goals(), first)] == ["done"] * 2
    assert [our_server.all(type) for type in ("Goal", "RiskAssessment", "Provenance")] == [[], [], []]
    assert (ours.open_entries(), ours.quarantine()) == ([], [])


def test_a_goal_that_changes_is_offered_once_more_and_stays(ours: Ours, proxy: Proxy) -> None:
    proxy.once("GET", "metadata", offering(Goal=READ_ONLY))
    ours.writes(GOAL)
    ours.push()
    ours.changes(GOAL, lifecycleStatus="cancelled")
    ours.push()
    assert (ours.open_entries(), proxy.asked("POST")) == ([], [])


def test_a_goal_that_a_server_with_goals_rejects_is_for_a_person_and_holds_up_nobody(
    ours: Ours, proxy: Proxy, our_server: Theirs
) -> None:
    proxy.once("POST", "Goal", answers(422, "Goal.category is required here"))
    ours.writes(care_plan(goal=[to(GOAL)]), GOAL)
    ours.push(rounds=3)
    assert ours.quarantine() == [("outbox", f"Goal/{GOAL['id']}")]
    assert "goal" not in our_server.only("CarePlan")
    assert ours.state(care_plan()) == "done"


# Order


def test_a_task_waits_for_its_care_plan(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    plan, first = care_plan(), step("first")
    ours.writes(first)
    ours.writes(plan)
    proxy.once("POST", "CarePlan", answers(500))
    ours.push()
    assert (ours.state(first), our_server.all("Task")) == ("waiting", [])
    assert ours.entry(first).last_error == f"Waits for {PLAN_REFERENCE}"
    ours.push(rounds=4)
    assert our_server.only("Task")["basedOn"] == [{"reference": f"CarePlan/{our_server.only('CarePlan')['id']}"}]
    assert proxy.asked("POST") == ["POST CarePlan", "POST CarePlan", "POST Task"]


def test_a_care_plan_lists_only_what_is_there_and_grows(ours: Ours, our_server: Theirs) -> None:
    first, later = step("first"), step("later")
    plan = care_plan(first, later)
    ours.writes(later, send=False)
    ours.writes(plan, first)
    ours.push()
    assert activities(our_server.only("CarePlan")) == [f"Task/{ours.link(first).their_id}"]
    assert our_server.only("CarePlan")["meta"]["versionId"] == "2"
    ours.writes(later)
    ours.push()
    assert activities(our_server.only("CarePlan")) == [f"Task/{ours.link(r).their_id}" for r in (first, later)]
    assert [ours.state(resource) for resource in (plan, first, later)] == ["done"] * 3


def test_a_care_plan_grows_by_what_arrived_unnoticed(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = step("first")
    ours.writes(care_plan(first))
    ours.push()
    ours.writes(first)
    proxy.once("POST", "Task", cut_after)
    ours.push(rounds=4)
    assert activities(our_server.only("CarePlan")) == [f"Task/{our_server.only('Task')['id']}"]


def test_a_care_plan_is_not_sent_again_for_what_it_shows(ours: Ours, proxy: Proxy) -> None:
    first = step("first")
    ours.writes(care_plan(first), first, provenance(care_plan(), first))
    ours.push()
    ours.changes(first, priority="urgent")
    ours.push()
    assert proxy.asked("POST", "PUT").count("PUT CarePlan") == 1


def test_a_provenance_goes_under_its_own_id_and_names_what_is_there(ours: Ours, our_server: Theirs) -> None:
    first, kept = task("first"), task("kept")
    why = provenance(first, kept)
    ours.writes(kept, send=False)
    ours.writes(why, first)
    ours.push(rounds=3)
    there = our_server.only("Provenance")
    assert there["id"] == why["id"]
    assert there["target"] == [{"reference": f"Task/{our_server.only('Task')['id']}"}]


def test_a_provenance_of_what_is_kept_here_waits(ours: Ours, our_server: Theirs) -> None:
    kept = task("kept")
    ours.writes(kept, send=False)
    ours.writes(provenance(kept))
    ours.push()
    assert ours.state(provenance(kept)) == "waiting"
    ours.writes(kept)
    ours.push(rounds=3)
    assert our_server.only("Provenance")["target"] == [{"reference": f"Task/{our_server.only('Task')['id']}"}]


def test_what_is_sent_is_always_the_newest(ours: Ours, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    ours.changes(first, status="accepted")
    ours.changes(first, status="completed")
    assert ours.push() == 1
    there = our_server.only("Task")
    assert (there["status"], there["meta"]["versionId"]) == ("completed", "1")


# A hospital on a bad day


def test_a_hospital_that_was_down_gets_everything_in_order(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    assert ours.client.plan.transaction
    first, second = step("first"), step("second")
    everything = [care_plan(first, second), first, second]
    for resource in everything:
        ours.writes(resource)
        ours.clock.forward(seconds=1)
    proxy.down()
    assert ours.push() == 0
    assert [ours.state(resource) for resource in everything] == ["unknown", "waiting", "waiting"]
    assert "got no answer" in str(ours.entry(second).last_error)
    ours.push(rounds=3, seconds=600)
    proxy.up()
    ours.push(rounds=3, seconds=600)
    assert [ours.state(resource) for resource in everything] == ["done"] * 3
    assert proxy.asked("POST") == ["POST CarePlan", "POST Task", "POST Task"]
    assert activities(our_server.only("CarePlan")) == [f"Task/{ours.link(r).their_id}" for r in (first, second)]
    assert ours.quarantine() == []


def test_a_hospital_that_is_down_is_asked_less_and_less_often(ours: Ours, proxy: Proxy) -> None:
    first = task()
    ours.writes(first)
    proxy.always("POST", "Task", cut)
    delays = []
    for _ in range(10):
        ours.push()
        delays.append((ours.entry(first).next_at - ours.clock()).total_seconds())
        ours.clock.now = ours.entry(first).next_at
    assert all(2**n / 2 <= delay <= 2**n for n, delay in enumerate(delays[:8], start=1))
    assert all(150 <= delay <= 300 for delay in delays[8:])
    assert (ours.state(first), ours.quarantine()) == ("unknown", [])


def test_a_server_error_now_and_then_is_borne(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first, sibling = task("first"), task("sibling")
    ours.writes(first)
    ours.clock.forward(seconds=1)
    ours.writes(sibling)
    proxy.once("POST", "Task", answers(500, "deadlock"))
    assert ours.push() == 1
    assert (ours.state(first), ours.state(sibling)) == ("unknown", "done")
    ours.push(rounds=4)
    assert (ours.state(first), len(our_server.all("Task"))) == ("done", 2)


def test_a_server_error_that_stays_is_for_a_person(ours: Ours, proxy: Proxy) -> None:
    first = task()
    ours.writes(first)
    proxy.always("POST", "Task", answers(500, "ORA-00001"))
    ours.push(rounds=12, seconds=60)
    assert proxy.asked("POST") == ["POST Task"] * 5
    assert ours.state(first) == "quarantined"
    assert ours.why() == "Given up after 5 failures: POST /Task was answered with 500: ORA-00001"


def test_a_page_that_is_not_fhir_holds_up_nobody(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first, sibling = task("first"), task("sibling")
    ours.writes(first)
    ours.clock.forward(seconds=1)
    ours.writes(sibling)
    proxy.once("POST", "Task", lambda asked, forward: type(forward(asked))(200, {}, b"<html>Welcome</html>"))
    assert ours.push() == 1
    ours.push(rounds=4)
    assert (ours.state(first), ours.state(sibling), len(our_server.all("Task"))) == ("done", "done", 2)


def test_what_is_rejected_is_put_aside_with_the_outcome_and_its_siblings_go_on(
    ours: Ours, proxy: Proxy, our_server: Theirs
) -> None:
    bad, good = task("bad"), task("good")
    ours.writes(bad)
    ours.clock.forward(seconds=1)
    ours.writes(good)
    proxy.once("POST", "Task", answers(422, "Task.code is required here"))
    assert ours.push() == 1
    assert (ours.state(bad), ours.state(good)) == ("quarantined", "done")
    assert ours.quarantine() == [("outbox", f"Task/{bad['id']}")]
    assert ours.why() == "POST /Task was answered with 422: Task.code is required here"
    assert our_server.only("Task")["identifier"] == good["identifier"]


def test_what_was_put_aside_is_sent_when_a_person_says_so(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    bad = task()
    ours.writes(bad)
    proxy.once("POST", "Task", answers(422))
    ours.push()
    assert ours.push(rounds=3, seconds=600) == 0
    [entry] = ours.store.quarantine_entries(HERE)
    ours.store.retry_quarantine(HERE, entry.id, "operator")
    assert ours.push() == 1
    assert our_server.only("Task")["identifier"] == bad["identifier"]


def test_what_was_put_aside_is_sent_when_it_was_changed(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    bad = task()
    ours.writes(bad)
    proxy.once("POST", "Task", answers(422))
    ours.push()
    ours.changes(bad, code={"text": "visit"})
    assert ours.push() == 1
    assert our_server.only("Task")["code"] == {"text": "visit"}


def test_what_refers_to_something_put_aside_waits_and_goes_when_that_is_mended(
    ours: Ours, proxy: Proxy, our_server: Theirs
) -> None:
    plan, first = care_plan(), step("first")
    ours.writes(plan, first)
    proxy.once("POST", "CarePlan", answers(422, "no"))
    ours.push(rounds=2)
    assert (ours.state(plan), ours.state(first)) == ("quarantined", "waiting")
    ours.store.requeue_outbox(HERE, "CarePlan", plan["id"])
    ours.push(rounds=4)
    assert (ours.state(plan), ours.state(first)) == ("done", "done")
    assert len(our_server.all("Task")) == 1


def test_an_outage_does_not_use_up_the_patience_for_errors(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    proxy.down()
    ours.push(rounds=8, seconds=600)
    proxy.up()
    proxy.once("POST", "Task", answers(500))
    ours.push(rounds=3, seconds=600)
    assert (ours.state(first), len(our_server.all("Task"))) == ("done", 1)


def test_an_expired_login_stops_the_run_and_puts_nothing_aside(ours: Ours, proxy: Proxy) -> None:
    first, second = task("first"), task("second")
    ours.writes(first, second)
    proxy.once("POST", "Task", answers(401, "token expired"))
    assert ours.push() == 0
    assert ours.store.quarantine_entries(HERE) == []
    ours.push(rounds=3, seconds=600)
    assert (ours.state(first), ours.state(second)) == ("done", "done")


@pytest.mark.parametrize("status", [None, 409, 412])
def test_a_stale_update_is_merged_and_delivered(
    ours: Ours, proxy: Proxy, our_server: Theirs, status: int | None
) -> None:
    first = task()
    ours.writes(first)
    ours.push()
    ours.changes(first, priority="urgent")
    our_server.changes(f"Task/{ours.link(first).their_id}", status="accepted", note=[{"text": "Tuesday"}])
    if status is not None:
        proxy.once("PUT", "Task", answers(status, "stale"))
    ours.push(rounds=3)
    for side in (ours.read(first), our_server.only("Task")):
        assert (side["status"], side["priority"], side["note"]) == ("accepted", "urgent", [{"text": "Tuesday"}])
    assert (ours.state(first), ours.quarantine()) == ("done", [])
    assert ours.reacted == [f"Task/{first['id']}"]
    assert proxy.asked("PUT") == ["PUT Task", "PUT Task"]


def test_a_move_that_comes_too_late_does_not_move_what_was_accepted(ours: Ours, our_server: Theirs) -> None:
    first = task(restriction={"period": {"end": "2026-03-06"}})
    ours.writes(first)
    ours.push()
    ours.changes(first, restriction={"period": {"end": "2026-03-09"}})
    our_server.changes(f"Task/{ours.link(first).their_id}", status="accepted")
    ours.push(rounds=3)
    for side in (ours.read(first), our_server.only("Task")):
        assert (side["status"], side["restriction"]) == ("accepted", first["restriction"])
    assert (ours.state(first), ours.reacted) == ("done", [f"Task/{first['id']}"])


def test_a_conflict_that_nothing_explains_is_for_a_person(ours: Ours, proxy: Proxy) -> None:
    first = task()
    ours.writes(first)
    ours.push()
    ours.changes(first, priority="urgent")
    proxy.always("PUT", "Task", answers(409, "referenced elsewhere"))
    ours.push(rounds=20, seconds=60)
    assert ours.state(first) == "quarantined"
    assert "referenced elsewhere" in ours.why()
    assert proxy.asked("PUT") == ["PUT Task"] * 5


def test_a_conflict_that_cannot_be_looked_at_holds_up_nobody(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    first, sibling = task("first"), task("sibling")
    ours.writes(first)
    ours.push()
    ours.changes(first, priority="urgent")
    ours.clock.forward(seconds=1)
    ours.writes(sibling)
    proxy.once("PUT", "Task", answers(409))
    proxy.once("GET", "Task", answers(500))
    assert ours.push() == 1
    assert (ours.state(first), ours.state(sibling)) == ("unknown", "done")
    ours.push(rounds=4)
    assert (ours.state(first), len(our_server.all("Task"))) == ("done", 2)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_hospital_is_left_alone_as_long_as_it_asks(
    ours: Ours, proxy: Proxy, our_server: Theirs, status: int
) -> None:
    ours.writes(task("first"), task("second"))
    proxy.once("POST", "Task", answers(status, retry_after="900"))
    start = ours.clock()
    assert ours.push() == 0
    assert [ours.entry(task(name)).next_at - start for name in ("first", "second")] == [timedelta(seconds=900)] * 2
    assert ours.push(rounds=15, seconds=59) == 0
    assert proxy.asked("POST") == ["POST Task"]
    ours.clock.forward(seconds=15)
    assert ours.clock() - start > timedelta(seconds=840)
    ours.clock.forward(seconds=60)
    ours.push()
    assert len(our_server.all("Task")) == 2


def test_an_update_of_what_the_hospital_deleted_is_for_a_person(ours: Ours, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    ours.push()
    our_server.data.transact([Delete("Task", ours.link(first).their_id)])
    ours.changes(first, priority="urgent")
    ours.push(rounds=10, seconds=60)
    assert (ours.state(first), our_server.all("Task")) == ("quarantined", [])


def test_the_errors_of_the_client_do_not_leave_a_run(ours: Ours, proxy: Proxy) -> None:
    ours.writes(task())
    proxy.down()
    with pytest.raises(Unreachable):
        _ = ours.client.plan
    assert ours.push() == 0
    proxy.up()


def test_a_copy_that_belongs_to_another_resource_of_ours_is_not_taken(ours: Ours, our_server: Theirs) -> None:
    first, second = task("first"), task("second")
    ours.writes(first)
    ours.push()
    our_server.changes(f"Task/{ours.link(first).their_id}", identifier=second["identifier"])
    ours.writes(second)
    ours.push(rounds=3)
    assert ours.state(second) == "quarantined"
    assert "is the copy of another resource" in ours.why()


def test_an_authored_appointment_goes_out_like_a_task(ours: Ours, our_server: Theirs) -> None:
    participant = [{"actor": {"reference": "Patient/p1"}, "status": "needs-action"}]
    visit = authored("Appointment", "visit", status="proposed", participant=participant)
    ours.writes(visit)
    assert ours.push() == 1
    assert our_server.only("Appointment")["participant"][0]["actor"] == {"reference": "Patient/p1"}

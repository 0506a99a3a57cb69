"""From a told story and a contract to the rows that a client is shown."""

from datetime import date, timedelta

import pytest

from itcare.access import find_scope, list_scopes
from itcare.core.errors import UnsoundError
from itcare.core.words import FindingStatus, HostOutcome, ObligationState, RunState
from itcare.publish.publication import publish_client
from itcare.publish.reader import Snapshot
from tests.support.publishing import SMALL_JUDGE, make_source, write_contract
from tests.support.stories import DAY, Story, observe, task

NOON = DAY + timedelta(hours=4)
HEALTH = "itcare.maintenance.health_info"


@pytest.fixture
def shown(tmp_path):
    """Publish a story and open what the client sees."""

    def publish(story, hosts=("pc01",), *, now=NOON, **options):
        source = make_source(story, write_contract(tmp_path / "contracts", story.client, hosts), **options)
        publish_client(tmp_path / "published", source, SMALL_JUDGE, now)
        scope = find_scope(list_scopes(tmp_path / "published"), story.client)
        return Snapshot.open(scope)

    return publish


def test_a_visit_becomes_a_done_obligation_a_finding_and_its_evidence(shown):
    story = Story("ACME")
    story.visit({"pc01": observe(free_percent=4)})
    with shown(story) as snapshot:
        (finding,) = snapshot.findings()
        assert (finding.status, finding.subject, finding.host) == (FindingStatus.FAIL, "/", "pc01")
        result = snapshot.host_results(finding.run)[0]
        assert (finding.run, finding.entry, finding.task_position) == (1, result.entry, 1)
        assert snapshot.tasks(finding.run, finding.host)[finding.task_position].module == HEALTH
        today = [row for row in snapshot.obligations("2026-03") if row.nominal_date == date(2026, 3, 18)]
        assert [(row.state, row.run) for row in today] == [(ObligationState.DONE, 1)]
        run = snapshot.run(1)
        assert (run.operator, run.reason, run.controller) == ("Katarzyna Wójcik", "visit of ACME", "controller01")
        assert (run.hosts_total, run.hosts_good, run.needs_verify) == (1, 1, 0)
        assert [file.path for file in snapshot.files(1)] == ["playbooks/visit.yml"]
        assert {fact.source: fact.state for fact in snapshot.facts("pc01")} == {
            "filesystems": "ok", "smart": "absent", "reboot": "unavailable"
        }  # fmt: skip
        assert snapshot.host("pc01").os == "Debian GNU/Linux 12"
        assert snapshot.meta().duties == {"visit.daily": "Przegląd"}


def test_the_snapshot_carries_the_tree_it_was_built_from(shown):
    story = Story("ACME")
    story.visit({"pc01": observe()})
    with shown(story) as snapshot:
        meta = snapshot.meta()
        assert (meta.tree_size, meta.published_at, meta.kept_since) == (4, NOON, date(2026, 2, 16))
        assert meta.checkpoint.splitlines()[1] == "4"
        assert meta.ledger_is_sound


def test_a_host_never_looked_at_is_unknown_not_absent(shown):
    with shown(Story("ACME"), ("pc01", "pc02")) as snapshot:
        assert [(row.host, row.status) for row in snapshot.findings()] == [("pc01", "unknown"), ("pc02", "unknown")]
        assert [row.reason for row in snapshot.findings()] == ["missing", "missing"]
        assert snapshot.finding_counts()[FindingStatus.OK] == 0


def test_a_host_that_was_never_reached_says_so(shown):
    story = Story("ACME")
    number = story.open_run(["pc01"])
    story.tell_host(number, "pc01", "not_reached", reason="timeout", tasks=[])
    story.close_run(number, "partial")
    with shown(story) as snapshot:
        (finding,) = snapshot.findings()
        assert (finding.status, finding.reason, finding.run) == (FindingStatus.UNKNOWN, "not_reached", 1)
        assert snapshot.host("pc01").last_reason == "timeout"
        assert snapshot.host("pc01").last_observed_at is None


def test_after_a_broken_look_old_good_news_is_gone_and_old_bad_news_stays(shown):
    story = Story("ACME")
    story.visit({"pc01": observe(free_percent=50), "pc02": observe(free_percent=4)}, at=DAY - timedelta(days=1))
    number = story.open_run(["pc01", "pc02"])
    for host in ("pc01", "pc02"):
        story.tell_host(number, host, "unknown", tasks=[task(0, HEALTH, outcome="timed_out")])
    story.close_run(number, "partial")
    with shown(story, ("pc01", "pc02")) as snapshot:
        told = [(row.host, row.rule, row.status, row.run) for row in snapshot.findings()]
    assert told == [
        ("pc02", "disk.free", "fail", 1),
        ("pc01", "observation", "unknown", 2),
        ("pc02", "observation", "unknown", 2),
    ]


def test_good_news_of_two_weeks_ago_is_no_news(shown):
    story = Story("ACME")
    story.visit({"pc01": observe()})
    with shown(story, now=DAY + timedelta(days=14)) as snapshot:
        assert snapshot.finding_counts()[FindingStatus.OK] == 1
    with shown(story, now=DAY + timedelta(days=14, minutes=1)) as snapshot:
        assert [row.status for row in snapshot.findings()] == [FindingStatus.UNKNOWN]


def test_a_dry_run_keeps_no_promise(shown):
    story = Story("ACME")
    number = story.open_run(["pc01"], check=True)
    story.tell_host(number, "pc01", health=observe())
    story.close_run(number)
    with shown(story) as snapshot:
        assert snapshot.run(1).check_mode
        assert snapshot.obligation_counts("2026-03")[ObligationState.DONE] == 0


def test_a_visit_without_a_usable_observation_keeps_no_promise(shown):
    story = Story("ACME")
    number = story.open_run(["pc01"])
    story.tell_host(number, "pc01", "ok", tasks=[task(0, HEALTH, truncated=True)], truncated=True)
    story.close_run(number)
    with shown(story, now=DAY + timedelta(days=2)) as snapshot:
        (row,) = [r for r in snapshot.obligations("2026-03") if r.nominal_date == date(2026, 3, 18)]
        assert (row.state, row.reason) == (ObligationState.NO_DATA, "unreadable")


def test_a_run_at_work_is_an_attempt_and_no_result(shown):
    story = Story("ACME")
    number = story.open_run(["pc01"])
    with shown(story, live_runs={number}) as snapshot:
        assert snapshot.run(number).state is RunState.RUNNING
        assert snapshot.host_results(number) == ()
        (row,) = [r for r in snapshot.obligations("2026-03") if r.nominal_date == date(2026, 3, 18)]
        assert (row.state, row.run, row.is_open) == (ObligationState.ATTEMPTED, 1, True)


def test_nothing_is_owed_before_the_ledger_began(shown):
    with shown(Story("ACME", began=DAY - timedelta(days=2))) as snapshot:
        days = [row.nominal_date for row in snapshot.obligations("2026-03") if row.state != "planned"]
        assert min(days) == date(2026, 3, 16)
        assert snapshot.months() == ("2026-03",)


def test_a_host_that_left_the_contract_keeps_its_history_and_loses_its_findings(shown):
    story = Story("ACME")
    story.visit({"pc01": observe(), "pc99": observe()})
    with shown(story, ("pc01",)) as snapshot:
        gone = snapshot.host("pc99")
        assert (gone.current, gone.last_outcome, gone.site) == (False, HostOutcome.OK, None)
        assert len(snapshot.host_history("pc99")) == 1
        assert snapshot.host_findings("pc99") == ()
        assert snapshot.facts("pc99")


def test_only_tasks_that_went_wrong_have_their_message_fetched(shown):
    story = Story("ACME")
    number = story.open_run(["pc01"])
    bodies = [story.keep({"msg": "fine"}), story.keep({"msg": "no space left"}),
              story.keep({"msg": {"_cut": {"bytes": 99, "sha256": "5" * 64, "head": "long and"}}})]  # fmt: skip
    tasks = [task(0, "a.b.c", result=bodies[0]), task(1, "a.b.c", outcome="failed", ignored=True, result=bodies[1]),
             task(2, "a.b.c", outcome="failed", result=bodies[2])]  # fmt: skip
    story.tell_host(number, "pc01", "failed", tasks=tasks)
    story.close_run(number)
    with shown(story) as snapshot:
        assert [row.message for row in snapshot.tasks(number)] == [None, "no space left", "long and"]
    assert bodies[0] not in story.fetched


def test_who_cancelled_a_run_and_why_it_ended_is_shown(shown):
    story = Story("ACME")
    number = story.open_run(["pc01"])
    cancelled = story.keep({"by": "Michał Zając"})
    story.close_run(
        number, "cancelled", cancelled=cancelled, reason="wrong client", alarms=[{"kind": "x", "text": "y"}]
    )
    with shown(story) as snapshot:
        run = snapshot.run(number)
        assert (run.state, run.cancelled_by, run.closed_reason) == (RunState.CANCELLED, "Michał Zając", "wrong client")
        assert run.alarms == ({"kind": "x", "text": "y"},)


def test_an_erased_body_leaves_a_gap_and_the_rest(shown):
    story = Story("ACME")
    story.visit({"pc01": observe()})
    story.bodies.clear()
    with shown(story) as snapshot:
        assert snapshot.run(1).operator is None
        assert snapshot.findings()[0].reason == "erased"
        assert snapshot.obligation_counts("2026-03")[ObligationState.DONE] == 1, "the leaf still proves the visit"


def test_an_unsound_ledger_and_unreadable_entries_are_told(shown, tmp_path):
    story = Story("ACME")
    story.visit({"pc01": observe()})
    story.add({"type": "run.praised"})
    with shown(story) as snapshot:
        assert snapshot.meta().problems == 1


def test_a_log_of_another_client_is_never_published_under_a_contract(tmp_path):
    story = Story("NORD")
    source = make_source(story, write_contract(tmp_path, "ACME", ["pc01"]))
    with pytest.raises(UnsoundError, match="begun for 'NORD'"):
        publish_client(tmp_path / "published", source, SMALL_JUDGE, NOON)
    assert list_scopes(tmp_path / "published") == ()


def test_the_publication_names_each_file_as_it_lies_there(tmp_path):
    from hashlib import sha256

    story = Story("ACME")
    story.visit({"pc01": observe()})
    source = make_source(story, write_contract(tmp_path, "ACME", ["pc01"]), client_id=17)
    publication = publish_client(tmp_path / "published", source, SMALL_JUDGE, NOON)
    folder = tmp_path / "published" / "17"
    assert {path.name for path in folder.iterdir()} == {file["name"] for file in publication.to_event()["files"]}
    assert {"current.sqlite", "client.json", "2026-03.4.sqlite"} == {path.name for path in folder.iterdir()}
    for file in publication.to_event()["files"]:
        content = (folder / file["name"]).read_bytes()
        assert (file["sha256"], file["bytes"]) == (sha256(content).hexdigest(), len(content))
    assert publication.to_event()["tree"] == {"size": 4, "root": source.checkpoint.root}

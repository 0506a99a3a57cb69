"""Judging recorded looks again, with a real ledger: what is different under today's thresholds."""

from datetime import timedelta

import pytest

from itcare.access import find_scope, list_scopes
from itcare.assess.policy import policy_for
from itcare.core.clock import FixedClock
from itcare.core.words import FindingStatus
from itcare.publish.again import Difference, judge_again
from itcare.publish.history import read_history
from itcare.publish.judge import judge_for
from itcare.publish.publication import publish_client
from itcare.publish.reader import Snapshot
from itcare.publish.snapshot import list_hosts
from itcare.publish.source import read_source
from tests.support.ledgers import START, check, new_ledger
from tests.support.observations import file_system, observation, ok
from tests.support.publishing import write_contract
from tests.support.questions import count_statements
from tests.support.stories import Story

GB = 10**9
RESERVED = {"v", "entry", "at"}


class Firm:
    """A real ledger whose clock is moved from visit to visit."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = FixedClock(START)
        self.ledger = new_ledger(folder)
        self.ledger._clock = self.clock
        self.loaded = write_contract(folder / "contracts", "ACME", ["pc01"])
        self.log = self.ledger.client_log("ACME", "Acme Sp. z o.o.")
        self.runs = 0

    def visit(self, free, **telling):
        self.clock.advance(timedelta(days=1))
        story = Story("ACME")
        story.runs = self.runs
        health = observation(filesystems=ok([file_system("/", 500 * GB, int(free * GB))]))
        run = story.open_run(["pc01"], at=self.clock.now())
        story.tell_host(run, "pc01", health=health, **telling)
        story.close_run(run)
        self.runs = run
        with self.ledger.append(self.log) as batch:
            digests = {digest: batch.body(value) for digest, value in story.bodies.items()}
            for entry in story.entries[1:]:
                batch.add(renamed({k: v for k, v in entry.event.items() if k not in RESERVED}, digests))
        self.ledger.sign(self.log)

    def publish(self):
        self.clock.advance(timedelta(minutes=1))
        source = read_source(self.ledger, self.log, self.loaded, check(self.ledger.settings, self.log),
                             checked_at=self.clock.now(), code_version="0.1.0")  # fmt: skip
        publication = publish_client(
            self.ledger.settings.published, source, judge_for(self.loaded.contract), self.clock.now()
        )
        with self.ledger.append(self.log) as batch:
            batch.add(publication.to_event(batch.body(list(publication.judgements))))
        self.ledger.sign(self.log)
        return Snapshot.open(find_scope(list_scopes(self.ledger.settings.published), "ACME"))

    def again(self, **thresholds):
        loaded = write_contract(self.folder / "contracts", "ACME", ["pc01"], thresholds=thresholds)
        history = read_history(self.ledger.entries(self.log), lambda digest: self.ledger.body(self.log, digest))
        hosts = list_hosts(loaded.contract, history, set(), self.clock.now())
        return judge_again(history, hosts, judge_for(loaded.contract))


def renamed(value, digests):
    if isinstance(value, dict):
        return {key: renamed(item, digests) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, digests) for item in value]
    return digests.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def firm(tmp_path):
    made = Firm(tmp_path)
    yield made
    made.ledger.engine.dispose()


def test_under_the_same_thresholds_nothing_is_different(firm):
    for free in (300, 250, 40):
        firm.visit(free)
        firm.publish().close()
    result = firm.again()
    assert (result.differences, result.looks, result.gone) == ((), 3, 0)
    assert result.policy_then == policy_for({}).version


def test_a_stricter_threshold_names_each_look_that_it_judges_otherwise(firm):
    for free in (300, 90, 85):
        firm.visit(free)
        firm.publish().close()
    result = firm.again(**{"disk.free": {"warn_pct": 20}})
    assert result.differences == tuple(
        Difference("pc01", "disk.free", "/", run, FindingStatus.OK, FindingStatus.WARN) for run in (2, 3)
    )


def test_looks_that_no_publication_judged_are_not_compared(firm):
    firm.visit(300)
    firm.visit(90)
    firm.publish().close()
    firm.visit(85)
    assert firm.again(**{"disk.free": {"warn_pct": 20}}).looks == 1


def test_before_the_first_publication_there_is_nothing_to_compare(firm):
    firm.visit(300)
    assert firm.again().looks == 0 and firm.again().policy_then is None


def test_a_publication_of_before_has_no_judgements_and_is_passed_over(firm):
    firm.visit(300)
    with firm.ledger.append(firm.log) as batch:
        batch.add({"type": "publication", "files": [], "policy": "2026.0", "tree": {"size": 1, "root": "0" * 64}})
        batch.add({"type": "publication", "files": [], "policy": "2026.0", "findings": batch.body([{"host": 7}, None])})
    assert firm.again().looks == 0


def test_a_look_whose_evidence_is_doubted_is_counted_and_not_judged(firm):
    firm.visit(300)
    firm.publish().close()
    with firm.ledger.append(firm.log) as batch:
        batch.add({"type": "run.host", "run": 1, "host": "pc01", "outcome": "nonsense", "tasks": []})
    result = firm.again()
    assert (result.looks, result.gone, result.differences) == (0, 1, ())


def test_thirty_days_of_a_real_ledger_name_the_day_on_which_the_disk_is_full(firm):
    for day in range(31):
        firm.visit(260 - 5 * day)
    with firm.publish() as snapshot:
        (forecast,) = snapshot.forecasts()
        assert forecast.days == pytest.approx(110 / 5, abs=0.01)
        assert forecast.full_at.date() == (firm.clock.now() + timedelta(days=22)).date()
        assert len(snapshot.measures("pc01", since=firm.clock.now() - timedelta(days=10))) == 10
        now = {(row.rule, row.subject): row for row in snapshot.current_intervals()}
        assert now["disk.free", "/"].status is FindingStatus.OK
        assert now["disk.free", "/"].first_run == 1


def test_an_overview_of_a_computer_takes_few_questions(firm):
    for day in range(5):
        firm.visit(260 - 5 * day)
    questions = {
        lambda snapshot: snapshot.measures("pc01"): 1,
        lambda snapshot: snapshot.host_forecasts("pc01"): 1,
        lambda snapshot: snapshot.current_intervals(["pc01"]): 1,
        lambda snapshot: snapshot.software("pc01"): 1,
        lambda snapshot: snapshot.software_changes("pc01"): 1,
        lambda snapshot: snapshot.temps("pc01"): 1,
    }
    with firm.publish() as snapshot:
        for ask, statements in questions.items():
            assert count_statements(snapshot, ask) == statements

"""States are derived from evidence and time; no data is never green."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itcare.contract.plan import Obligation
from itcare.core.words import HostOutcome, NoDataReason, ObligationState
from itcare.coverage import Attempt, Counts, Coverage, cover, summarise

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 5, 4, tzinfo=UTC)
NOON = MIDNIGHT + DAY / 2
EVENING = MIDNIGHT + timedelta(hours=20)
AFTERWARDS = MIDNIGHT + 10 * DAY
HOUR = timedelta(hours=1)


def obligation(host="pc01", number=0, late=timedelta(), duty="visit.daily"):
    """Due on the day `number` days after MIDNIGHT, catch-up for `late` after that."""
    start = MIDNIGHT + number * DAY
    return Obligation(duty, host, start.date(), start, start + DAY, start + DAY + late)


def attempt(outcome=HostOutcome.OK, at=NOON, *, minutes=5, run=1, host="pc01", duty="visit.daily", **other):
    closed = None if minutes is None else at + timedelta(minutes=minutes)
    values = {"reason": None, "usable": True, "check": False} | other
    return Attempt(duty, host, at, closed, outcome, run=run, **values)


def judge(*attempts, now=AFTERWARDS, late=timedelta()):
    (coverage,) = cover([obligation(late=late)], attempts, now)
    return coverage


def gone(reason="timeout", **other):
    return attempt(HostOutcome.NOT_REACHED, reason=reason, **other)


# attempts on one day -> state and reason while the day runs, and afterwards
STORIES = {
    "nothing": ([], ("planned", None), ("no_data", "not_attempted")),
    "ok": ([attempt()], ("done", None), ("done", None)),
    "changed": ([attempt(HostOutcome.CHANGED)], ("done", None), ("done", None)),
    "failed": ([attempt(HostOutcome.FAILED, reason="task")], ("failed", "task"), ("failed", "task")),
    "not reached": ([gone()], ("attempted", "timeout"), ("not_reached", "timeout")),
    "not reached twice": ([gone(), gone("refused", run=2, at=NOON + HOUR)], ("attempted", "refused"),
                          ("not_reached", "refused")),
    "contact lost": ([attempt(HostOutcome.UNKNOWN)], ("attempted", "interrupted"), ("no_data", "interrupted")),
    "interrupted": ([attempt(HostOutcome.INTERRUPTED)], ("attempted", "interrupted"), ("no_data", "interrupted")),
    "never begun": ([attempt(HostOutcome.NOT_RUN)], ("planned", None), ("no_data", "not_attempted")),
    "evidence cut": ([attempt(usable=False)], ("attempted", "unreadable"), ("no_data", "unreadable")),
    "a dry run": ([attempt(check=True)], ("planned", None), ("no_data", "not_attempted")),
    "a failed dry run": ([attempt(HostOutcome.FAILED, check=True)], ("planned", None), ("no_data", "not_attempted")),
    "still running": ([attempt(minutes=None)], ("attempted", None), ("no_data", "interrupted")),
    "failed without evidence": ([attempt(HostOutcome.FAILED, usable=False)], ("failed", None), ("failed", None)),
    "failed, then ok": ([attempt(HostOutcome.FAILED), attempt(run=2, at=NOON + HOUR)], ("done", None), ("done", None)),
    "ok, then failed": ([attempt(), attempt(HostOutcome.FAILED, run=2, at=NOON + HOUR)], ("done", None),
                        ("done", None)),
    "cut, then ok": ([attempt(usable=False), attempt(run=2, at=NOON + HOUR)], ("done", None), ("done", None)),
    "failed and not reached": ([attempt(HostOutcome.FAILED), gone(run=2, at=NOON + HOUR)], ("failed", None),
                               ("failed", None)),
    "lost and not reached": ([attempt(HostOutcome.UNKNOWN), gone(run=2, at=NOON + HOUR)], ("attempted", "timeout"),
                             ("no_data", "interrupted")),
    "cut and not reached": ([attempt(usable=False), gone(run=2, at=NOON + HOUR)], ("attempted", "timeout"),
                            ("no_data", "unreadable")),
    "not reached and never begun": ([gone(), attempt(HostOutcome.NOT_RUN, run=2, at=NOON + HOUR)],
                                    ("attempted", "timeout"), ("not_reached", "timeout")),
    "another host": ([attempt(host="pc02")], ("planned", None), ("no_data", "not_attempted")),
    "another duty": ([attempt(duty="backup.daily")], ("planned", None), ("no_data", "not_attempted")),
    "the day before": ([attempt(at=MIDNIGHT - HOUR)], ("planned", None), ("no_data", "not_attempted")),
    "the first instant": ([attempt(at=MIDNIGHT)], ("done", None), ("done", None)),
    "the first instant of the next day": ([attempt(at=MIDNIGHT + DAY)], ("planned", None),
                                          ("no_data", "not_attempted")),
}  # fmt: skip


@pytest.mark.parametrize(("attempts", "meanwhile", "in_the_end"), STORIES.values(), ids=STORIES.keys())
def test_what_became_of_a_day(attempts, meanwhile, in_the_end):
    evening, end = judge(*attempts, now=EVENING), judge(*attempts)
    assert (evening.state, evening.reason, evening.is_open) == (*meanwhile, True)
    assert (end.state, end.reason, end.is_open) == (*in_the_end, False)


def test_an_attempt_that_was_not_reached_is_the_last_outcome_while_the_day_runs():
    coverage = judge(attempt(HostOutcome.FAILED, at=NOON - HOUR, check=True), gone(run=7), now=EVENING)
    assert (coverage.state, coverage.last_outcome, coverage.run) == ("attempted", HostOutcome.NOT_REACHED, 7)


def test_the_deciding_run_is_the_first_that_did_it():
    attempts = [gone(run=1), attempt(run=2, at=NOON + HOUR), attempt(run=3, at=NOON + 2 * HOUR)]
    assert judge(*attempts).run == 2


def test_the_order_in_which_runs_were_read_does_not_decide():
    attempts = [attempt(run=n, at=NOON + n * HOUR / 4) for n in range(1, 5)]
    assert judge(*attempts) == judge(*reversed(attempts))
    tries = [gone("timeout", run=1), gone("refused", run=2, at=NOON + HOUR)]
    assert judge(*tries) == judge(*reversed(tries))


def test_two_runs_on_one_day_are_one_obligation_kept():
    counts = summarise(cover([obligation()], [attempt(run=1), attempt(run=2, at=NOON + HOUR)], AFTERWARDS))
    assert (counts.owed, counts.delivered) == (1, 1)


def test_a_day_closes_at_its_last_instant():
    end = MIDNIGHT + DAY
    assert judge(gone(), now=end - timedelta(microseconds=1)).state == "attempted"
    assert judge(gone(), now=end).state == "not_reached"


def test_work_done_during_catch_up_is_late():
    late = attempt(at=MIDNIGHT + DAY + HOUR)
    assert judge(gone(), late, late=3 * HOUR).state == ObligationState.DONE_LATE
    assert judge(gone(), attempt(at=NOON + HOUR), late, late=3 * HOUR).state == ObligationState.DONE
    assert judge(gone(), late, late=HOUR).state == ObligationState.NOT_REACHED


def test_an_attempt_from_after_now_is_not_known_yet():
    assert judge(attempt(at=NOON), now=NOON - HOUR).state == ObligationState.PLANNED
    running = judge(attempt(at=NOON, minutes=60), now=NOON + HOUR / 2)
    assert (running.state, running.last_outcome) == (ObligationState.ATTEMPTED, None)
    assert judge(attempt(at=NOON, minutes=60), now=NOON + HOUR).state == ObligationState.DONE


def test_where_two_times_overlap_the_later_obligation_takes_the_run():
    days = [obligation(number=0, late=2 * DAY), obligation(number=1)]
    first, second = cover(days, [attempt(at=NOON + DAY)], AFTERWARDS)
    assert first.state == ObligationState.NO_DATA
    assert second.state == ObligationState.DONE


def test_counts_of_nothing_are_not_a_hundred_percent():
    assert summarise([]) == Counts()
    assert (Counts().owed, Counts().share) == (0, None)


def test_an_open_day_does_not_count_towards_the_share():
    days = [obligation(number=0), obligation(number=1), obligation("pc02", number=1)]
    counts = summarise(cover(days, [attempt(at=NOON + DAY)], NOON + DAY + HOUR))
    assert (counts.owed, counts.done, counts.planned, counts.no_data) == (3, 1, 1, 1)
    assert (counts.settled, counts.share) == (1, 0.0)


def test_waived_obligations_are_shown_and_leave_the_denominator():
    done, _ = cover([obligation(), obligation("pc02")], [attempt()], AFTERWARDS)
    waived = Coverage(obligation("pc02"), ObligationState.WAIVED, "holiday", None, None, is_open=False)
    counts = summarise([done, waived])
    assert (counts.owed, counts.waived, counts.settled, counts.share) == (2, 1, 1, 1.0)


HOSTS = ["pc01", "pc02"]
OBLIGATIONS = [obligation(host, number, late) for host in HOSTS for number, late in enumerate([2 * HOUR, DAY, DAY * 0])]
MOMENTS = st.integers(-4, 4 * 24 * 4).map(lambda quarter: MIDNIGHT + quarter * HOUR / 4)
ATTEMPTS = st.lists(
    st.builds(
        attempt,
        st.sampled_from(HostOutcome),
        MOMENTS,
        minutes=st.none() | st.integers(0, 300),
        run=st.integers(1, 9),
        host=st.sampled_from([*HOSTS, "pc01", "pc01", "pc99"]),
        duty=st.sampled_from(["visit.daily"] * 5 + ["backup.daily"]),
        reason=st.sampled_from([None, "timeout"]),
        usable=st.sampled_from([True, True, False]),
        check=st.sampled_from([False] * 5 + [True]),
    ),
    max_size=12,
)


@given(ATTEMPTS, MOMENTS)
@settings(max_examples=300)
def test_nothing_is_done_without_usable_evidence_in_its_time(attempts, now):
    for coverage in cover(OBLIGATIONS, attempts, now):
        promise = coverage.obligation
        proofs = [
            a
            for a in attempts
            if (a.duty, a.host) == (promise.duty, promise.subject)
            and promise.due_from <= a.opened_at < promise.catch_up_to
            and a.closed_at is not None
            and a.closed_at <= now
            and a.outcome in (HostOutcome.OK, HostOutcome.CHANGED)
            and a.usable
            and not a.check
        ]
        if coverage.state is ObligationState.DONE:
            assert any(a.opened_at < promise.due_to and a.run == coverage.run for a in proofs)
        elif coverage.state is ObligationState.DONE_LATE:
            assert any(a.run == coverage.run for a in proofs)
        else:
            assert not [a for a in proofs if a.opened_at < promise.due_to]


@given(ATTEMPTS, MOMENTS)
def test_what_is_still_open_and_what_is_closed_have_their_own_states(attempts, now):
    for coverage in cover(OBLIGATIONS, attempts, now):
        assert coverage.is_open == (now < coverage.obligation.catch_up_to)
        if coverage.is_open:
            assert coverage.state not in (ObligationState.NO_DATA, ObligationState.NOT_REACHED)
        else:
            assert coverage.state not in (ObligationState.PLANNED, ObligationState.ATTEMPTED)
        if coverage.state is ObligationState.NO_DATA:
            assert NoDataReason(coverage.reason)


@given(ATTEMPTS, MOMENTS, st.randoms(use_true_random=False))
def test_the_order_of_attempts_and_obligations_does_not_matter(attempts, now, random):
    before = cover(OBLIGATIONS, attempts, now)
    shuffled, promises = list(attempts), list(OBLIGATIONS)
    random.shuffle(shuffled)
    random.shuffle(promises)
    after = {c.obligation.key: c for c in cover(promises, shuffled, now)}
    assert [after[c.obligation.key] for c in before] == before


@given(ATTEMPTS, MOMENTS)
def test_one_run_on_one_host_keeps_at_most_one_obligation(attempts, now):
    once = [a for n, a in enumerate(attempts) if (a.host, a.run) not in {(b.host, b.run) for b in attempts[:n]}]
    done = [
        (c.obligation.duty, c.obligation.subject, c.run)
        for c in cover(OBLIGATIONS, once, now)
        if c.state in (ObligationState.DONE, ObligationState.DONE_LATE)
    ]
    assert len(set(done)) == len(done)


@given(ATTEMPTS, MOMENTS)
def test_the_counts_add_up(attempts, now):
    counts = summarise(cover(OBLIGATIONS, attempts, now))
    assert counts.owed == len(OBLIGATIONS)
    assert counts.owed == counts.delivered + counts.not_delivered + counts.waiting + counts.waived
    assert 0 <= counts.settled_delivered <= counts.settled <= counts.owed
    assert counts.share is None or 0 <= counts.share <= 1


@given(ATTEMPTS, MOMENTS)
def test_a_further_attempt_never_takes_a_kept_promise_back(attempts, now):
    for length in range(len(attempts)):
        fewer, more = cover(OBLIGATIONS, attempts[:length], now), cover(OBLIGATIONS, attempts, now)
        for before, after in zip(fewer, more, strict=True):
            if before.state is ObligationState.DONE:
                assert after.state is ObligationState.DONE


def test_the_nominal_date_names_the_obligation():
    assert obligation(number=1).key == ("visit.daily", "pc01", date(2026, 5, 5))

"""A run that is silent at its start is no idle run, however small the limit that somebody chose."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itcare.core.clock import FixedClock
from itcare.core.words import RunState
from itcare.drive import child, launch, orders
from itcare.drive.child import Guard
from itcare.drive.events import EventWriter
from itcare.drive.folder import make_folder
from itcare.drive.orders import Ending, Orders
from tests.support.driving import LOCAL, make_bench, write_contract, write_playbook

CLIENT = "DOMEK"


def test_a_silent_task_of_five_seconds_outlives_a_limit_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "IDLE_TIMEOUT_SECONDS", 1)
    bench = make_bench(tmp_path)
    silent = {"name": "Say nothing", "ansible.builtin.raw": "sleep 5", "timeout": 30, "changed_when": False}
    playbook = write_playbook(tmp_path / "play", silent)
    report = bench.perform(write_contract(tmp_path, CLIENT, {"pc01": LOCAL}), playbook)
    assert report.state is RunState.COMPLETE, report
    assert report.seconds > 5


@pytest.mark.parametrize(("minimum", "reason"), [(60, None), (0, Ending.IDLE)], ids=["with it", "without it"])
def test_only_the_minimum_keeps_it_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minimum: int, reason: Ending | None
) -> None:
    monkeypatch.setattr(orders, "IDLE_TIMEOUT_MINIMUM_SECONDS", minimum)
    monkeypatch.setattr(child, "_driver_is_gone", lambda: False)
    folder = make_folder(tmp_path, "0123456789abcdef" * 2)
    clock = FixedClock(datetime(2026, 8, 3, tzinfo=UTC))
    given = Orders("x.yml", False, 1, 600, 1, {}, str(tmp_path / "sockets"), None, False)
    guard = Guard(folder, given, EventWriter(folder.events, clock), clock)
    clock.advance(timedelta(seconds=5))
    assert guard.reason_to_stop() is reason

"""Connections by their sockets, reasons to stop, progress, and pinned keys."""

import json
import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itcare.core.clock import FixedClock, SystemClock
from itcare.core.words import TaskOutcome
from itcare.drive import child, trust
from itcare.drive.child import Guard
from itcare.drive.connections import ConnectionWatch, close_masters, note_closed, read_connections
from itcare.drive.events import EventWriter
from itcare.drive.folder import make_folder
from itcare.drive.orders import Ending, Orders
from itcare.drive.progress import ProgressFile, ProgressReader
from itcare.drive.trust import HostKey, HostKeyChangedError, pin_key, pinned_keys, require_new
from tests.support.spools import SpoolText

RUN = "0123456789abcdef" * 2
ED = "AAAAC3NzaC1lZDI1NTE5AAAAIJ4IBcdB8Q0t2pGBYbL2EAmBWRpYpFWlQHPJDGfqH7p1"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIB4IBcdB8Q0t2pGBYbL2EAmBWRpYpFWlQHPJDGfqH7p1"


def listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


def test_a_socket_that_comes_and_goes_is_a_connection(tmp_path: Path) -> None:
    sockets = {"pc01": tmp_path / "0", "pc02": tmp_path / "1"}
    journal = tmp_path / "journal"
    watch = ConnectionWatch(sockets, journal, SystemClock())
    watch.look()
    assert read_connections(journal) == {}
    before = datetime.now(UTC)
    listen(sockets["pc01"]).close()
    watch.look()
    watch.look()
    (first,) = read_connections(journal)["pc01"]
    assert before - timedelta(seconds=0.1) <= first.opened_at <= datetime.now(UTC)
    assert first.closed_at is None
    sockets["pc01"].unlink()
    listen(sockets["pc01"]).close()  # lost and made anew between two looks
    os.utime(sockets["pc01"], ns=(0, time.time_ns()))
    watch.look()
    sockets["pc01"].unlink()
    watch.look()
    links = read_connections(journal)["pc01"]
    assert len(links) == 2
    assert all(link.closed_at is not None and link.closed_at >= link.opened_at for link in links)
    assert "pc02" not in read_connections(journal)


def test_what_is_still_open_is_closed_at_the_end_and_only_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    watch = ConnectionWatch({"pc01": tmp_path / "0", "pc02": tmp_path / "1"}, journal, SystemClock())
    for name in ("0", "1"):
        listen(tmp_path / name).close()
    watch.look()
    end = datetime.now(UTC) + timedelta(seconds=5)
    note_closed(journal, end, ["pc01"])
    note_closed(journal, end + timedelta(seconds=5), ["pc01"])
    links = read_connections(journal)
    assert links["pc01"][0].closed_at == end
    assert links["pc02"][0].closed_at is None  # nobody saw its end: it stays unknown


def test_a_socket_without_a_master_answers_nothing(tmp_path: Path) -> None:
    listen(tmp_path / "0").close()
    (tmp_path / "file").touch()
    assert close_masters(tmp_path) == ()
    assert close_masters(None) == ()


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guard:
    folder = make_folder(tmp_path, RUN)
    clock = FixedClock(datetime(2026, 8, 3, tzinfo=UTC))
    monkeypatch.setattr(child, "_driver_is_gone", lambda: False)
    orders = Orders("x.yml", False, 1, 600, 5, {}, str(tmp_path / "sockets"), None, False)
    return Guard(folder, orders, EventWriter(folder.events, clock), clock)


def _clock(guard: Guard) -> FixedClock:
    assert isinstance(guard._clock, FixedClock)
    return guard._clock


def test_a_run_that_works_is_not_stopped(guard: Guard) -> None:
    _clock(guard).advance(timedelta(seconds=59))
    assert guard.reason_to_stop() is None


def test_silence_stops_a_run_only_after_the_minimum(guard: Guard) -> None:
    _clock(guard).advance(timedelta(seconds=61))
    assert guard.reason_to_stop() is Ending.IDLE
    guard._writer.handle({"event": "verbose", "stdout": "still here"})
    assert guard.reason_to_stop() is None


def test_the_job_s_own_limit_cancel_and_a_dead_driver_stop_it(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    _clock(guard).advance(timedelta(seconds=601))
    assert guard.reason_to_stop() is Ending.TIMEOUT
    monkeypatch.setattr(child, "_driver_is_gone", lambda: True)
    assert guard.reason_to_stop() is Ending.DRIVER_DIED
    guard._folder.cancel.write_text("{}")
    assert guard.reason_to_stop() is Ending.CANCELLED


def test_a_disk_about_to_be_full_stops_it_while_that_can_still_be_written(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_DISK_RESERVE_BYTES", 2**62)
    assert guard.reason_to_stop() is Ending.DISK_FULL


def test_progress_is_that_of_the_planned_hosts(tmp_path: Path) -> None:
    text = SpoolText().header().play("pc01").start("pc01", "t1").end("pc01", "t1", "changed")
    text.start("elsewhere", "t1").start("pc01", "t2")
    reader = ProgressReader(text.write(tmp_path), ["pc01", "pc02"])
    steps = list(reader.read())
    assert [(step.host, step.position, step.outcome) for step in steps] == [
        ("pc01", 0, None), ("pc01", 0, TaskOutcome.CHANGED), ("pc01", 1, None),
    ]  # fmt: skip
    assert list(reader.read()) == []
    assert reader.current["pc02"] is None
    page = ProgressFile(tmp_path, RUN, "DOMEK/1", "visit.daily")
    page.write(reader.current)
    content = json.loads((tmp_path / "progress" / f"{RUN}.json").read_text())
    assert content["hosts"]["pc01"]["task"] == "name of t2"
    page.remove()
    page.remove()
    assert list((tmp_path / "progress").iterdir()) == []


def test_a_key_is_pinned_for_one_address_and_port(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts" / "1"
    key, other = HostKey("ssh-ed25519", ED), HostKey("ssh-ed25519", OTHER)
    name = trust.known_hosts_name("Host.Example", 2201)
    assert name == "[host.example]:2201"
    assert trust.known_hosts_name("192.0.2.1", 22) == "192.0.2.1"
    assert require_new(file, name, key, replace=False)
    pin_key(file, name, key)
    pin_key(file, "192.0.2.1", other)
    assert not require_new(file, name, key, replace=False)
    with pytest.raises(HostKeyChangedError, match="SHA256:"):
        require_new(file, name, other, replace=False)
    pin_key(file, name, other)
    assert pinned_keys(file, name) == [other]
    assert pinned_keys(file, "192.0.2.1") == [other]
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_a_stranger_answers_to_a_scan_cannot_add_a_line_of_its_own() -> None:
    hostile = [
        "# 127.0.0.2:22 SSH-2.0-x", f"@cert-authority * ssh-ed25519 {ED}", f"|1|x|y ssh-ed25519 {ED}",
        "a ssh-ed25519 not-base64!", "a ssh-dss AAAA", "a ssh-ed25519", f"a ssh-ed25519 {ED} comment",
    ]  # fmt: skip
    assert list(trust._parse(hostile)) == [HostKey("ssh-ed25519", ED)]

"""One run over real sshd processes: every way in which a computer can be away, hang or change."""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from itcare.contract.loader import LoadedContract
from itcare.core.clock import SystemClock, read_instant
from itcare.core.errors import ExitCode
from itcare.core.words import HostOutcome, NotReachedReason, RunState, TaskOutcome
from itcare.drive import trust
from itcare.drive.controller import identify_operator
from itcare.drive.progress import Progress
from itcare.drive.recover import recover_all
from itcare.drive.report import HostReport, RunReport
from tests.support.driving import (
    Bench,
    living_of,
    make_bench,
    start_driver,
    wait_for_row,
    wait_for_spool,
    write_contract,
    write_playbook,
)
from tests.support.sshd import Fleet, Sshd, make_key

pytestmark = pytest.mark.component("sshd")
CLIENT = "FLOTA"
PYTHON = "/usr/bin/python3"


@dataclass
class Site:
    """Four computers of one client, each an sshd of its own."""

    bench: Bench
    fleet: Fleet
    loaded: LoadedContract

    def host(self, number: int) -> Sshd:
        return self.fleet.hosts[number]

    def trust(self, *numbers: int) -> None:
        for number in numbers:
            host = trust.find_ssh_host(self.loaded, f"pc{number}", SystemClock())
            key = trust.scan_host_key(host.address or "", host.port or 22)
            trust.trust_host(self.bench.ledger, self.loaded, host, key, operator=identify_operator())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    fleet = Fleet(tmp_path, 4)
    bench = make_bench(tmp_path)
    credentials = bench.settings.home / "credentials" / CLIENT
    credentials.mkdir(parents=True, mode=0o700)
    (credentials / "fleet").write_bytes(fleet.key.read_bytes())
    (credentials / "fleet").chmod(0o600)
    hosts = {f"pc{number}": _ssh_host(host) for number, host in enumerate(fleet.hosts)}
    yield Site(bench, fleet, write_contract(tmp_path, CLIENT, hosts))
    fleet.stop()


def _ssh_host(host: Sshd, **changes: Any) -> dict[str, Any]:
    return {
        "connection": "ssh", "address": host.address, "port": host.port, "user": host.user, "credential": "key:fleet",
        "python": PYTHON, **changes,
    }  # fmt: skip


def outcomes(report: RunReport) -> dict[str, HostOutcome]:
    return {host.name: host.outcome for host in report.hosts}


def named(report: RunReport, name: str) -> HostReport:
    return next(host for host in report.hosts if host.name == name)


def only_on(name: str) -> dict[str, str]:
    return {"when": f"inventory_hostname == '{name}'"}


def test_four_computers_of_one_run_each_get_the_outcome_that_is_true(site: Site, tmp_path: Path) -> None:
    for number in (0, 2, 3):
        site.host(number).start()
    site.trust(0, 2, 3)
    playbook = write_playbook(
        tmp_path / "play",
        {"name": "Work that is cut off", "ansible.builtin.command": "sleep 20", "timeout": 60, **only_on("pc2")},
        {"name": "Hang", "ansible.builtin.command": "sleep 20", "timeout": 2, **only_on("pc3")},
        {"name": "Finish", "ansible.builtin.command": "true", "changed_when": False, "timeout": 30},
    )

    def pull_the_plug(step: Progress) -> None:
        if step.host == "pc2" and step.position == 1 and step.outcome is None:
            site.host(2).kill()

    report = site.bench.perform(site.loaded, playbook, on_progress=pull_the_plug)

    assert outcomes(report) == {
        "pc0": HostOutcome.OK,
        "pc1": HostOutcome.NOT_REACHED,
        "pc2": HostOutcome.UNKNOWN,
        "pc3": HostOutcome.UNKNOWN,
    }
    assert named(report, "pc1").reason == NotReachedReason.REFUSED
    assert (report.state, report.exit_code) == (RunState.PARTIAL, ExitCode.PARTIAL)
    healthy = site.bench.host_event(CLIENT, 1, "pc0")
    assert [task["outcome"] for task in healthy["tasks"]] == [
        TaskOutcome.OK, TaskOutcome.SKIPPED, TaskOutcome.SKIPPED, TaskOutcome.OK
    ]  # fmt: skip
    cut = site.bench.host_event(CLIENT, 1, "pc2")
    assert (cut["tasks"][0]["outcome"], cut["needs_verify"]) == (TaskOutcome.OK, True)
    assert report.alarms == ()
    for number in (0, 3):
        assert_times_agree(site.bench.host_event(CLIENT, 1, f"pc{number}"), site.host(number))
    assert_close(read_instant(cut["opened_at"]), site.host(2).logins[0])
    assert site.bench.host_event(CLIENT, 1, "pc1")["connections"] == []


def assert_times_agree(event: dict[str, Any], host: Sshd) -> None:
    """The ledger's times and those of the computer's own sshd, within two seconds."""
    assert len(event["connections"]) == 1 == len(host.logins)
    assert_close(read_instant(event["opened_at"]), host.logins[0])
    assert_close(read_instant(event["closed_at"]), host.wait_for_logout())


def assert_close(ours: datetime, theirs: datetime) -> None:
    assert abs(ours - theirs) < timedelta(seconds=2)


def test_a_host_key_is_never_accepted_in_silence_and_each_refusal_has_its_reason(site: Site, tmp_path: Path) -> None:
    for host in site.fleet.hosts:
        host.start()
    site.trust(1, 2, 3)  # pc0 was never trusted
    site.host(1).kill()
    site.host(1).change_host_key()
    site.host(1).start()
    stranger = site.bench.settings.home / "credentials" / CLIENT / "stranger"
    make_key(stranger)
    hosts = {f"pc{number}": _ssh_host(host) for number, host in enumerate(site.fleet.hosts)}
    hosts["pc2"]["credential"] = "key:stranger"
    hosts["pc3"]["address"] = "host.invalid"
    loaded = write_contract(tmp_path, CLIENT, hosts)
    known_hosts = trust.known_hosts_file(site.bench.settings, 1)
    before = known_hosts.read_bytes()

    report = site.bench.perform(loaded)

    assert {host.name: host.reason for host in report.hosts} == {
        "pc0": NotReachedReason.HOST_KEY,
        "pc1": NotReachedReason.HOST_KEY,
        "pc2": NotReachedReason.AUTH,
        "pc3": NotReachedReason.NAME,
    }
    assert set(outcomes(report).values()) == {HostOutcome.NOT_REACHED}
    assert known_hosts.read_bytes() == before
    assert all(host.logins == [] for host in site.fleet.hosts)


def test_a_changed_key_is_pinned_only_on_an_explicit_word_and_recorded(site: Site) -> None:
    host = site.host(0).start()
    site.trust(0)
    site.trust(0)  # the same key again is no news
    file = trust.known_hosts_file(site.bench.settings, 1)
    pinned = file.read_bytes()
    host.kill()
    host.change_host_key()
    host.start()
    key = trust.scan_host_key(host.address, host.port)
    resolved = trust.find_ssh_host(site.loaded, "pc0", SystemClock())
    with pytest.raises(trust.HostKeyChangedError):
        trust.trust_host(site.bench.ledger, site.loaded, resolved, key, operator=identify_operator())
    assert file.read_bytes() == pinned
    trust.trust_host(site.bench.ledger, site.loaded, resolved, key, operator=identify_operator(), replace=True)
    told = [entry.event for entry in site.bench.ledger.entries(site.bench.ledger.firm_log())]
    keys = [event["fingerprint"] for event in told if event["type"] == "hostkey.trusted"]
    assert len(keys) == 2
    assert keys[-1] == key.fingerprint == fingerprint_by_ssh_keygen(host)
    assert file.stat().st_mode & 0o777 == 0o600
    assert outcomes(site.bench.perform(site.loaded, limit=["pc0"])) == {"pc0": HostOutcome.OK}


def test_after_a_crash_no_connection_stays_open_and_its_end_is_known(site: Site, tmp_path: Path) -> None:
    host = site.host(0).start()
    site.trust(0)
    loaded = write_contract(tmp_path, CLIENT, {"pc0": _ssh_host(host)})
    play = write_playbook(tmp_path / "play", {"name": "Work", "ansible.builtin.command": "sleep 8", "timeout": 60})
    driver = start_driver(site.bench, loaded, play)
    row = wait_for_row(site.bench, CLIENT)
    wait_for_spool(row, "task_start", "Work")
    driver.send_signal(signal.SIGSTOP)  # so that it cannot clean up after its supervisor
    psutil.Process(driver.pid).children()[0].kill()
    driver.kill()
    driver.communicate()
    assert len(host.logins) == 1
    assert host.logouts == []
    assert any("ssh" in psutil.Process(pid).name() for pid in living_of(row))

    (report,) = recover_all(site.bench.ledger, SystemClock())

    assert outcomes(report) == {"pc0": HostOutcome.INTERRUPTED}
    assert living_of(row) == ()
    assert_times_agree(site.bench.host_event(CLIENT, 1, "pc0"), host)


def fingerprint_by_ssh_keygen(host: Sshd) -> str:
    done = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(host.folder / "host_key.pub")], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[1]

"""What recording costs: plain ansible-playbook, with the spool callback, runner alone, `itcare run` whole.

`python -m benchmarks.recording [--hosts 50] [--tasks 40] [--rounds 3]` runs the four in alternating rounds
on local hosts and prints the medians of wall and CPU seconds. Gate: the callback costs at most 1.15 times
plain, in wall and in CPU; the exit code is 1 where it is missed.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Cost, describe_machine, measure, median

ROOT = Path(__file__).parents[1]
COLLECTIONS = ROOT / "collections"
GATE = 1.15
FORKS = "4"
CLIENT = "MIARA"
KINDS = ("plain", "callback", "runner", "whole")
NAMES = {
    "plain": "ansible-playbook, plain",
    "callback": "ansible-playbook with the spool callback",
    "runner": "ansible-runner alone",
    "whole": "itcare run, whole",
}


class Bench:
    """One folder with playbook, inventory and an installation of itcare over the same local hosts."""

    def __init__(self, folder: Path, hosts: int, tasks: int) -> None:
        self.folder = folder
        self.bin = Path(sys.executable).parent
        self.playbook = folder / "bench.yml"
        self.inventory = folder / "hosts.ini"
        (folder / "empty.cfg").write_text("")
        self._write_playbook(tasks)
        self._write_inventory(hosts)
        self._write_contract(hosts)
        self._initialise()

    def _write_playbook(self, tasks: int) -> None:
        # the cheapest task there is: no module is sent, so what the callback adds weighs the most
        lines = [
            "- name: Bench",
            "  hosts: all",
            "  gather_facts: false",
            "  strategy: ansible.builtin.host_pinned",
            "  tasks:",
        ]
        for number in range(tasks):
            lines += [f"    - name: Task {number}", "      ansible.builtin.assert: {that: [true]}", "      timeout: 60"]
        self.playbook.write_text("\n".join(lines) + "\n")

    def _write_inventory(self, hosts: int) -> None:
        python = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
        self.inventory.write_text("".join(f"pc{number:03} {python}\n" for number in range(hosts)))

    def _write_contract(self, hosts: int) -> None:
        listed = "".join(
            f"  pc{number:03}: {{site: hq, role: workstation, first_day: 2020-01-01, python: {sys.executable}}}\n"
            for number in range(hosts)
        )
        contracts = self.folder / "contracts"
        contracts.mkdir()
        (contracts / "bench.yml").write_text(
            "schema: itcare/contract/v1\n"
            "contract: {number: B/1, version: 1, signed_on: 2020-01-01, first_day: 2020-01-01}\n"
            f'client: {{code: {CLIENT}, legal_name: Miara sp. z o.o., nip: "0000000000",'
            " locale: pl, tz: Europe/Warsaw, dpa: D/1}\n"
            "team: {technician: tech@firm.example.com}\n"
            "sites: {hq: {reach: onsite, connection: local}}\n"
            f"hosts:\n{listed}"
            "duties:\n  visit.daily: {per: [host], select: all, cadence: {daily: all}}\n"
        )

    def _initialise(self) -> None:
        command = [sys.executable, "-m", "itcare", "init", "--recovery-key", str(self.folder / "recovery.key")]
        (self.folder / "itcare").mkdir(mode=0o700)
        command += ["--contracts", str(self.folder / "contracts")]
        measure(command, self.folder, self.environment(), self.folder / "init.log")
        settings = self.folder / "itcare" / "itcare.toml"
        settings.write_text(settings.read_text() + f"forks = {FORKS}\n")

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        return (
            kept
            | {
                "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin",
                "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
                "ITCARE_HOME": str(self.folder / "itcare"),
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_FORKS": FORKS,
                "ANSIBLE_CONFIG": str(self.folder / "empty.cfg"),
            }
            | extra
        )

    def run(self, kind: str, round_number: int) -> Cost:
        log = self.folder / f"{kind}-{round_number}.log"
        playbook = ["ansible-playbook", "-i", str(self.inventory), str(self.playbook)]
        match kind:
            case "plain":
                return measure([str(self.bin / playbook[0]), *playbook[1:]], self.folder, self.environment(), log)
            case "callback":
                spool = self.folder / f"spool-{round_number}.jsonl"
                environment = self.environment(
                    ANSIBLE_CALLBACKS_ENABLED="itcare.maintenance.spool", ITCARE_SPOOL=str(spool)
                )
                return measure([str(self.bin / playbook[0]), *playbook[1:]], self.folder, environment, log)
            case "runner":
                command = [sys.executable, "-m", "benchmarks.runner_alone", str(self.inventory), str(self.playbook)]
                return measure(command, self.folder, self.environment(), log)
            case _:
                command = [sys.executable, "-m", "benchmarks.itcare_whole", CLIENT, "visit.daily", str(self.playbook)]
                return measure(command, self.folder, self.environment(), log)


def _print(costs: dict[str, list[Cost]], hosts: int, tasks: int, rounds: int) -> dict[str, Cost]:
    middle = {kind: median(costs[kind]) for kind in KINDS}
    print(f"recording: {hosts} local hosts x {tasks} tasks, medians of {rounds} alternating rounds, {FORKS} forks")
    print(describe_machine())
    print(f"{'':44}{'wall s':>9}{'CPU s':>9}{'wall ratio':>12}{'CPU ratio':>11}")
    for kind in KINDS:
        peer = middle["plain" if kind in ("plain", "callback") else "runner"]
        cost = middle[kind]
        print(
            f"{NAMES[kind]:44}{cost.wall:9.1f}{cost.cpu:9.1f}{cost.wall / peer.wall:12.3f}{cost.cpu / peer.cpu:11.3f}"
        )
    return middle


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="itcare-bench-"))
    try:
        bench = Bench(folder, options.hosts, options.tasks)
        costs: dict[str, list[Cost]] = {kind: [] for kind in KINDS}
        for round_number in range(options.rounds):
            # each round begins with another kind, so that a drift of the machine's speed favours none
            for kind in KINDS[round_number % 4 :] + KINDS[: round_number % 4]:
                costs[kind].append(bench.run(kind, round_number))
                print(f"round {round_number + 1}: {NAMES[kind]}: {costs[kind][-1].wall:.1f} s", file=sys.stderr)
        middle = _print(costs, options.hosts, options.tasks, options.rounds)
    finally:
        shutil.rmtree(folder)
    ratios = (middle["callback"].wall / middle["plain"].wall, middle["callback"].cpu / middle["plain"].cpu)
    held = max(ratios) <= GATE
    print(
        f"gate: callback <= {GATE} x plain: {'held' if held else 'MISSED'} (wall {ratios[0]:.3f}, CPU {ratios[1]:.3f})"
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

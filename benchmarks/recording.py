"""What recording costs, in seconds and in bytes: itcare beside plain Ansible, ansible-runner and ARA.

`python -m benchmarks.recording [--hosts 50] [--tasks 40] [--rounds 5] [--ara-rounds 3]` runs five kinds in alternating
rounds on local hosts: plain ansible-playbook, with the spool callback, ansible-runner alone, `itcare run` whole, and,
ten times as long and so in fewer rounds, ARA's callback with its offline client. It prints the medians of wall and CPU
seconds, and the bytes a task's result takes. A ratio is the median of the rounds' ratios: what is compared ran right
after each other, while the machine's speed may change by a fifth from one round to the next.
ARA is an ordinary one; the migrations of its database are done before, and not timed.
The exit code is 1 where a gate is missed.

Bytes are those of files, after all rounds. Ours: everything in the state directory that was not there before the first
run, the write-ahead log folded into the database; a run's folder with its spool is gone by then. ARA's: its database.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.ara import Ara
from benchmarks.measure import Cost, describe_machine, measure, median
from benchmarks.sizes import count_rows, measure_database, measure_state

ROOT = Path(__file__).parents[1]
COLLECTIONS = ROOT / "collections"
GATE = 1.15  # times the peer, in wall and in CPU
FORKS = "4"
CLIENT = "MIARA"
PAIRS = ("plain", "callback", "runner", "whole")  # each beside its peer
ARA = "ara"
type Costs = Mapping[str, Sequence[Cost]]

NAMES = {
    "plain": "ansible-playbook, plain",
    "callback": "ansible-playbook with the spool callback",
    "ara": "ansible-playbook with ARA's callback",
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
        self.home = folder / "itcare"
        self.ara = Ara(folder / "ara")
        self.ara.migrate(self.environment())
        self._before = measure_state(self.home)
        self._ara_before = measure_database(self.ara.database)

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
            case "ara":
                environment = self.environment(**self.ara.callback_environment)
                return measure([str(self.bin / playbook[0]), *playbook[1:]], self.folder, environment, log)
            case "runner":
                command = [sys.executable, "-m", "benchmarks.runner_alone", str(self.inventory), str(self.playbook)]
                return measure(command, self.folder, self.environment(), log)
            case _:
                command = [sys.executable, "-m", "benchmarks.itcare_whole", CLIENT, "visit.daily", str(self.playbook)]
                return measure(command, self.folder, self.environment(), log)

    def sizes(self, results: int, ara_results: int) -> dict[str, float]:
        """Bytes that a task's result takes on the disk, of each who keeps some."""
        assert count_rows(self.ara.database, "results") == ara_results
        now = measure_state(self.home)
        grown = {part: (now[part] - self._before[part]) / results for part in now}
        spools = [path.stat().st_size for path in self.folder.glob("spool-*.jsonl")]
        ara = (measure_database(self.ara.database) - self._ara_before) / ara_results
        assert ara > 0, "too few tasks: what ARA wrote fits into pages that its migrations left free"
        return {
            "ours": sum(grown.values()),
            **grown,
            "ara": ara,
            "spool": sum(spools) / results,
        }


def compare(costs: Costs, kind: str, peer: str) -> tuple[float, float]:
    """Medians of the rounds' ratios of a kind to its peer: wall, CPU."""
    pairs = list(zip(costs[kind], costs[peer], strict=False))
    return (
        statistics.median(one.wall / other.wall for one, other in pairs),
        statistics.median(one.cpu / other.cpu for one, other in pairs),
    )


def _print_costs(costs: Costs) -> None:
    print(f"{'':44}{'wall s':>9}{'CPU s':>9}{'wall ratio':>12}{'CPU ratio':>11}   wall ratios by round")
    for kind in (*PAIRS, ARA):
        middle, peer = median(costs[kind]), "runner" if kind in ("runner", "whole") else "plain"
        wall, cpu = compare(costs, kind, peer)
        rounds = " ".join(f"{one.wall / other.wall:.2f}" for one, other in zip(costs[kind], costs[peer], strict=False))
        told = "" if kind == peer else f"   {rounds}"
        print(f"{NAMES[kind]:44}{middle.wall:9.1f}{middle.cpu:9.1f}{wall:12.3f}{cpu:11.3f}{told}")


def _print_sizes(sizes: dict[str, float]) -> None:
    print(f"{'':44}{'bytes a task result':>20}{'of ARA':>9}")
    for name, key in (
        ("itcare, all that stays", "ours"), ("  database", "database"), ("  checkpoints", "checkpoints"),
        ("  anything else", "rest"), ("ARA, its database", "ara"), ("the spool, removed once it is imported", "spool"),
    ):  # fmt: skip
        print(f"{name:44}{sizes[key]:20.0f}{sizes[key] / sizes['ara']:9.2f}")


def judge(costs: Costs, sizes: dict[str, float]) -> Iterator[tuple[str, bool]]:
    """Each gate in words with its figures, and whether it held."""
    for kind, peer, most in (("callback", "plain", GATE), ("callback", ARA, 1.0), ("whole", "runner", GATE)):
        wall, cpu = compare(costs, kind, peer)
        held = max(wall, cpu) < most if most == 1.0 else max(wall, cpu) <= most
        limit = "below" if most == 1.0 else f"<= {most} x"
        yield f"{NAMES[kind]} {limit} {NAMES[peer]} (wall {wall:.3f}, CPU {cpu:.3f})", held
    share = sizes["ours"] / sizes["ara"]
    yield f"bytes a task result <= ARA's ({sizes['ours']:.0f} of {sizes['ara']:.0f}, {share:.2f})", share <= 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ara-rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="itcare-bench-"))
    try:
        bench = Bench(folder, options.hosts, options.tasks)
        costs: dict[str, list[Cost]] = {kind: [] for kind in (*PAIRS, ARA)}
        for number in range(options.rounds):
            # there and back again, so that a drift of the machine's speed favours nobody of a pair
            order = PAIRS[:: -1 if number % 2 else 1]
            for kind in (*order, ARA) if number < options.ara_rounds else order:
                costs[kind].append(bench.run(kind, number))
                print(f"round {number + 1}: {NAMES[kind]}: {costs[kind][-1].wall:.1f} s", file=sys.stderr)
        results = options.hosts * options.tasks
        sizes = bench.sizes(results * options.rounds, results * options.ara_rounds)
        ara = bench.ara.version
    finally:
        shutil.rmtree(folder)
    size = f"{options.hosts} local hosts x {options.tasks} tasks, medians of {options.rounds} alternating rounds"
    print(f"recording: {size}, of ARA {options.ara_rounds}; {FORKS} forks, ARA {ara}")
    print(describe_machine())
    _print_costs(costs)
    print()
    _print_sizes(sizes)
    print()
    verdicts = list(judge(costs, sizes))
    for words, held in verdicts:
        print(f"gate {'held' if held else 'MISSED'}: {words}")
    return 0 if all(held for _, held in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Runs over an invented client's computers, written into its log as a driver would have written them."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from benchmarks.fleet import CLIENT, DUTY, LEGAL_NAME, Computer
from benchmarks.leaves import BodyKeeper, Visited
from itcare.contract.loader import LoadedContract, load_contract
from itcare.core.clock import FixedClock
from itcare.core.words import HostOutcome, RunState
from itcare.drive import rows
from itcare.drive.collection import choose_playbook, find_collection
from itcare.drive.controller import read_code_version
from itcare.drive.leaves import closing_leaf
from itcare.drive.orders import Ending
from itcare.drive.outcome import judge_run
from itcare.drive.rows import RunRow
from itcare.drive.spool import Spool, SpoolFile
from itcare.ledger.batch import EntryBatch
from itcare.ledger.log import Ledger, LogRef

OPENED_AT_HOUR = 4  # UTC; before work in Poland
_FORKS = 10
_VISIT_SECONDS = 8


def opening_of(day: date) -> datetime:
    """When the run of a day begins."""
    return datetime(day.year, day.month, day.day, OPENED_AT_HOUR, tzinfo=UTC)


def duration_of(computers: int) -> timedelta:
    """How long a run over so many computers takes, with one that loses contact at its end."""
    return timedelta(seconds=30 + (computers // _FORKS + 1) * _VISIT_SECONDS + 70)


class RunWriter:
    """Writes runs over some computers into the client's log; `entries` is how many the log has."""

    def __init__(self, ledger: Ledger, clock: FixedClock, computers: Sequence[Computer]) -> None:
        self._ledger, self._clock = ledger, clock
        self.log: LogRef = ledger.client_log(CLIENT, LEGAL_NAME)
        self._visited = [Visited(computer) for computer in computers]
        self.entries = ledger.latest_checkpoint(self.log).size

    def add_month(self, days: Sequence[date]) -> None:
        """The runs of these days in one transaction, then a checkpoint."""
        with self._ledger.append(self.log) as batch:
            for day in days:
                self.add_run(batch, day, opening_of(day))
        self.entries = self._ledger.sign(self.log).size

    def add_run(self, batch: EntryBatch, day: date, opened_at: datetime) -> None:
        """The entries of one run, and its row."""
        number = rows.next_number(batch.connection, self.log.client_id or 0)
        self._clock.instant = opened_at
        row = self._open(batch, number, opened_at)
        keeper, outcomes = BodyKeeper(batch), []
        closed_at = opened_at + duration_of(len(self._visited))
        self._clock.instant = closed_at
        for place, one in enumerate(self._visited):
            # whole microseconds that no other computer has: see `add_leaf`
            begun = opened_at + timedelta(
                seconds=5 + place // _FORKS * _VISIT_SECONDS, microseconds=one.computer.number
            )
            outcomes.append(one.add_leaf(batch, keeper, number, day, begun))
        state = self._close(batch, number, outcomes)
        rows.close_run(batch.connection, row.id, state, closed_at)

    def _open(self, batch: EntryBatch, number: int, opened_at: datetime) -> RunRow:
        names = [one.computer.name for one in self._visited]
        row = RunRow(
            id=secrets.token_hex(16), client_id=self.log.client_id or 0, client=CLIENT, client_name=LEGAL_NAME,
            number=number, duty=DUTY, state=RunState.RUNNING, check=False, nonce=secrets.token_hex(16),
            fence=rows.next_fence(batch.connection), folder=self._ledger.settings.runs / "gone", sockets=None,
            opened_at=opened_at, closed_at=None, cancel_by=None,
        )  # fmt: skip
        rows.insert_run(batch.connection, row)
        about = self._about
        batch.add({
            "type": "run.opened", "run": number, "run_id": row.id, "duty": DUTY, "check": False, "hosts": names,
            "fence": row.fence, "asked": batch.body(_asked()), "files": batch.body(about.files), **about.fields,
        })  # fmt: skip
        return row

    def _close(self, batch: EntryBatch, number: int, outcomes: Sequence[HostOutcome]) -> RunState:
        spool = self._about.spool_of(number, len(outcomes))
        bad = {HostOutcome.FAILED: 2, HostOutcome.NOT_REACHED: 4, HostOutcome.UNKNOWN: 4}
        rc = 0
        for outcome in set(outcomes):
            rc |= bad.get(outcome, 0)
        state = judge_run(spool, Ending.FINISHED, rc, outcomes)
        batch.add(closing_leaf(batch, number, state, outcomes, rc, None, spool, (), None))
        return state

    @cached_property
    def _about(self) -> "_About":
        path = self._ledger.settings.contracts / f"{CLIENT.lower()}.yml"
        return _About.read(load_contract(path))


@dataclass(frozen=True)
class _About:
    """What stands in the opening and the closing of every run: contract, code, collection, its files."""

    fields: dict[str, object]
    files: list[dict[str, object]]
    used: tuple[SpoolFile, ...]

    @classmethod
    def read(cls, loaded: LoadedContract) -> "_About":
        collection = find_collection()
        playbook = choose_playbook(collection, DUTY)
        digests = collection.files()
        terms = loaded.contract.contract
        fields: dict[str, object] = {
            "contract": {
                "number": terms.number, "version": terms.version, "commit": loaded.commit, "dirty": loaded.dirty,
                "sha256": loaded.sha256,
            },
            "code": asdict(read_code_version()),
            "collection": collection.version,
            "playbook": {"path": playbook.path, "sha256": playbook.sha256},
            "inventory_sha256": loaded.sha256,  # there is no inventory: any digest
        }  # fmt: skip
        used = tuple(
            SpoolFile(file.kind, "itcare.maintenance", file.path, file.sha256,
                      (collection.folder / file.path).stat().st_size)
            for file in digests
        )  # fmt: skip
        return cls(fields, [asdict(file) for file in digests], used)

    def spool_of(self, number: int, computers: int) -> Spool:
        """What an import would say of the run's spool; nothing of it is kept."""
        lines = len(self.used) + 3 + 8 * computers
        return Spool(None, (), self.used, (), True, (), lines, f"{number:064x}", lines * 1500)


def _asked() -> dict[str, object]:
    operator = {"user": "itcare", "login": "itcare", "sudo_user": None, "stated": None}
    clock = {"synchronised": True, "estimated_error_seconds": 0.001}
    return {
        "operator": operator, "reason": None, "controller": "kontroler", "clock": clock, "isolation": "scope",
    }  # fmt: skip

"""Publishing one client: its ledger and contract in, its snapshot and sidecar out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from itcare.contract.loader import LoadedContract
from itcare.contract.models import Contract
from itcare.core.errors import UnsafeError, UnsoundError
from itcare.publish.again import list_judgements
from itcare.publish.files import PublishedFile, describe_files
from itcare.publish.firm import ClientSummary, summarise_client
from itcare.publish.host_rows import Judge, KnownHost, make_fact_rows, make_finding_rows, make_host_row
from itcare.publish.months import assign_months
from itcare.publish.obligation_rows import cover_contract, make_obligation_rows
from itcare.publish.records import History
from itcare.publish.rows import Meta
from itcare.publish.run_rows import make_file_rows, make_host_result_rows, make_run_rows, make_task_rows
from itcare.publish.shape import text
from itcare.publish.timeline import make_timeline
from itcare.publish.writer import SnapshotRows, locked_folder, write_sidecar, write_snapshot


class Checkpoint(Protocol):
    """A signed tree head: entries in the tree, lower-case hex root, text of the signed note."""

    @property
    def size(self) -> int: ...
    @property
    def root(self) -> str: ...
    @property
    def text(self) -> str: ...


class Soundness(Protocol):
    """What checking the whole log found."""

    @property
    def sound(self) -> bool: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True)
class Source:
    """All that one client's snapshot is made of.

    `history` is of exactly the tree of `checkpoint`; `soundness` is the check of the log, made at
    `checked_at`. `code_version` is of the itcare that publishes. See `source.read_source`.
    """

    client_id: int
    contract: LoadedContract
    history: History
    checkpoint: Checkpoint
    soundness: Soundness
    checked_at: datetime
    code_version: str
    stale_after_hours: float


@dataclass(frozen=True)
class Publication:
    """What was published: the files as they lie there, and the tree they were built from."""

    files: tuple[PublishedFile, ...]
    policy: str
    tree_size: int
    tree_root: str
    judgements: tuple[Mapping[str, object], ...] = ()
    summary: ClientSummary | None = None

    def to_event(self, findings: str | None = None) -> dict[str, object]:
        """The ledger entry that says what the client was shown (docs/ledger-v1.md).

        `findings`: digest of the body that keeps `judgements`, so that they can be compared with later ones.
        """
        return {
            "type": "publication",
            "files": describe_files(self.files),
            "policy": self.policy,
            "tree": {"size": self.tree_size, "root": self.tree_root},
            "findings": findings,
        }


def publish_client(published: Path, source: Source, judge: Judge, now: datetime) -> Publication:
    """Write the client's snapshot and sidecar; the old snapshot stays when anything fails.

    The caller appends `Publication.to_event()` to the client's log and signs. Raises UnsoundError when
    contract, log and tree do not belong together, UnsafeError for disk and permissions, BusyError
    when another process publishes this client.
    """
    rows = build_rows(source, judge, now)
    with locked_folder(published, source.client_id) as folder:
        # The sidecar makes the client visible, so it comes when there is something to see.
        files = write_snapshot(folder, rows)
        sidecar = write_sidecar(folder, rows.meta.client, rows.meta.legal_name)
    contract = source.contract.contract
    judgements = list_judgements(source.history, list_hosts(contract, source.history, set(), now), judge)
    return Publication(
        (*files, sidecar), judge.policy_version, source.checkpoint.size, source.checkpoint.root, tuple(judgements),
        summarise_client(source.client_id, rows, contract.zone),
    )  # fmt: skip


def build_rows(source: Source, judge: Judge, now: datetime) -> SnapshotRows:
    """Every row of one client's snapshot. Pure, but for the bodies that the history fetches."""
    history = source.history
    _require_one_client(source)
    coverages = cover_contract(source.contract.contract, history, now)
    owed = {coverage.obligation.subject for coverage in coverages}
    hosts = list_hosts(source.contract.contract, history, owed, now)
    timeline = make_timeline(history, hosts, judge, now)
    return SnapshotRows(
        meta=_make_meta(source, judge, now),
        hosts=tuple(make_host_row(history, host) for host in hosts),
        runs=make_run_rows(history, assign_months(history.runs, source.contract.contract.zone)),
        host_results=make_host_result_rows(history),
        tasks=make_task_rows(history),
        files=make_file_rows(history),
        findings=make_finding_rows(history, hosts, judge, now),
        facts=make_fact_rows(history, hosts),
        obligations=make_obligation_rows(coverages, {run.number for run in history.runs}),
        measures=tuple(timeline.measures),
        forecasts=tuple(timeline.forecasts),
        finding_intervals=tuple(timeline.intervals),
        software=tuple(timeline.software),
        software_looks=tuple(timeline.looks),
        software_changes=tuple(timeline.changes),
        temps=tuple(timeline.temps),
    )


def _require_one_client(source: Source) -> None:
    code, enrolled = source.contract.contract.client.code, source.history.client
    if code != enrolled:
        raise UnsoundError(
            "publish", code, f"its ledger was begun for {ascii(enrolled)}",
            "Nothing was published. Check which contract belongs to which log.",
        )  # fmt: skip
    if source.client_id < 1:
        raise UnsafeError("publish", code, "its number is not positive", "Enrol the client first.")


def list_hosts(contract: Contract, history: History, owed: set[str], now: datetime) -> tuple[KnownHost, ...]:
    """Hosts of the contract today, hosts owed something in the months shown, and hosts of any run."""
    today = {host.name: host for host in contract.hosts_on(now.astimezone(contract.zone).date())}
    tried = {name for run in history.runs for name in run.hosts}
    return tuple(
        KnownHost(
            name=name,
            site=contract.hosts[name].site if name in contract.hosts else None,
            role=contract.hosts[name].role if name in contract.hosts else None,
            resolved=today.get(name),
        )
        for name in sorted({*today, *tried, *owed})
    )


def _make_meta(source: Source, judge: Judge, now: datetime) -> Meta:
    contract, history = source.contract.contract, source.history
    newest = history.runs[-1].opened if history.runs else {}
    return Meta(
        client=contract.client.code,
        legal_name=contract.client.legal_name,
        locale=contract.client.locale,
        tz=contract.client.tz,
        published_at=now,
        kept_since=history.first_at.astimezone(contract.zone).date() if history.first_at else None,
        policy_version=judge.policy_version,
        contract_number=contract.contract.number,
        contract_commit=source.contract.commit,
        code_version=source.code_version,
        collection_version=text(newest.get("collection")),
        technician=contract.team.technician,
        technician_phone=contract.team.phone,
        deputy=contract.team.deputy,
        checkpoint=source.checkpoint.text,
        tree_size=source.checkpoint.size,
        tree_root=source.checkpoint.root,
        ledger_state="sound" if source.soundness.sound else "unsound",
        ledger_message=source.soundness.message,
        ledger_checked_at=source.checked_at,
        stale_after_hours=source.stale_after_hours,
        problems=len(history.problems),
        duties={name: duty.title for name, duty in contract.duties.items()},
    )

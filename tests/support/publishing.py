"""Sources of snapshots for tests: real contract files, told stories, a small judge of free space."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from itcare.contract.loader import LoadedContract, load_contract
from itcare.core.words import FindingStatus
from itcare.ledger.merkle import root_of
from itcare.publish.bookmark import Bookmark
from itcare.publish.content import SnapshotRows
from itcare.publish.host_rows import Judge
from itcare.publish.news import read_news
from itcare.publish.shape import text
from itcare.publish.source import Source
from itcare.publish.work import Work
from tests.support.stories import DAY, Story
from tests.support.whole import build_rows


@dataclass(frozen=True)
class SmallFinding:
    """A finding with the fields of `itcare.assess`."""

    rule: str
    status: FindingStatus
    subject: str | None
    fact: str
    reason: str
    rule_version: int = 1
    values: Mapping[str, object] = field(default_factory=dict)
    threshold: Mapping[str, object] = field(default_factory=dict)
    threshold_source: str = "test"
    source: str = "filesystems"


@dataclass(frozen=True)
class Signed:
    """A checkpoint as publishing needs it."""

    size: int
    root: str
    text: str


@dataclass(frozen=True)
class Checked:
    """What a check of the ledger found."""

    sound: bool = True
    message: str = "all entries checked"


def judge_free_space(health, host):
    """One finding per file system: fail under 10 % free."""
    for disk in health["sources"]["filesystems"]["data"]:
        share = disk["available_bytes"] / disk["total_bytes"]
        status = FindingStatus.FAIL if share < 0.10 else FindingStatus.OK
        yield SmallFinding("disk.free", status, disk["mount"], f"disk.free.{status}", f"{host.name}: {share:.0%} free")


def judge_nothing(reason):
    """The finding where nothing can be judged."""
    return SmallFinding("observation", FindingStatus.UNKNOWN, None, "observation.missing", reason)


SMALL_JUDGE = Judge("2026.1", judge_free_space, judge_nothing)


def write_contract(folder: Path, code: str, hosts, *, legal_name: str | None = None, **changes) -> LoadedContract:
    """Write a contract for workstations of these names and load it. JSON is YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "schema": "itcare/contract/v1",
        "contract": {"number": f"IT/{code}/2026", "version": 1, "signed_on": "2025-12-01", "first_day": "2026-01-01"},
        "client": {
            "code": code,
            "legal_name": legal_name or f"Firma {code} Sp. z o.o.",
            "nip": "0000000000",
            "locale": "pl",
            "tz": "Europe/Warsaw",
            "dpa": f"DPA/{code}",
        },
        "team": {"technician": f"Technik firmy {code}", "phone": "+48 22 555 01 23"},
        "sites": {"biuro": {"reach": "vpn", "connection": "ssh", "user": "itcare"}},
        "hosts": {
            name: {"site": "biuro", "role": "workstation", "first_day": "2026-01-01", "address": "192.0.2.7"}
            for name in hosts
        },
        "duties": {"visit.daily": {"title": "Przegląd", "per": ["host"], "select": "all", "cadence": {"daily": "all"}}},
    }
    path = folder / f"{code.lower()}.yml"
    # Days stand unquoted in a contract, so they lose their quotes here.
    text = json.dumps(document | changes, ensure_ascii=False)
    for day in ("2025-12-01", "2026-01-01"):
        text = text.replace(f'"{day}"', day)
    path.write_text(text, encoding="utf-8")
    return load_contract(path)


def make_source(story: Story, loaded: LoadedContract, client_id: int = 1, *, at: datetime = DAY, **options) -> Source:
    """A source out of a told story as it stands; `options` are those of `Source`, such as `live_runs`."""
    entries = list(story.entries)
    size, root = len(entries), root_of([bytes.fromhex(entry.leaf_hash) for entry in entries]).hex()
    return Source(
        client_id=client_id,
        contract=loaded,
        entries=lambda start, stop: entries[start:stop],
        body=story.body,
        checkpoint=Signed(size, root, f"itcare.localhost/client/{client_id}\n{size}\nAAAA\n\n— x AAAA\n"),
        **{"soundness": Checked(), "checked_at": at, "code_version": "0.1.0", "stale_after_hours": 26.0, **options},
    )


def build_whole(source: Source, judge: Judge = SMALL_JUDGE, now: datetime = DAY) -> SnapshotRows:
    """All rows of a snapshot by reading everything at once."""
    with Bookmark.open(None) as mark:
        work = Work(Path(), source, judge, now, mark)
        read_news(mark, source.entries, source.checkpoint, work.contract.zone)
        runs = source.history.runs
        return build_rows(source, work.make_meta(text(runs[-1].opened.get("collection")) if runs else None), judge, now)

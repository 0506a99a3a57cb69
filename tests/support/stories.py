"""Ledger events of invented runs, for tests that read a history.

    story = Story("ACME")
    run = story.open_run(["pc01", "pc02"], at=NOW)
    story.tell_host(run, "pc01", health=observe())
    story.close_run(run)
    history = read_history(story.entries, story.body)

`tell_to` writes the same events into a real log instead.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from itcare.core.clock import write_instant

DAY = datetime(2026, 3, 18, 7, 0, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class StoryEntry:
    """An entry as the ledger hands it out."""

    index: int
    event: Any
    leaf_hash: str


@dataclass
class Story:
    """Events of one client, oldest first, with their bodies."""

    client: str
    began: datetime = DAY - timedelta(days=30)
    entries: list[StoryEntry] = field(default_factory=list)
    bodies: dict[str, object] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    runs: int = 0
    clock: datetime = DAY

    def __post_init__(self) -> None:
        self.clock = self.began
        self.add({"type": "client.enrolled", "client": self.client})

    def add(self, event: object) -> int:
        """Append any event at the story's clock; an object gets what the ledger adds."""
        index = len(self.entries)
        if isinstance(event, dict):
            event = {"v": 1, "entry": index, "at": write_instant(self.clock), **event}
        leaf = sha256(f"{self.client}/{index}".encode()).hexdigest()
        self.entries.append(StoryEntry(index, event, leaf))
        return index

    def keep(self, value: object) -> str:
        """Keep a body and return its digest."""
        digest = sha256(json.dumps([self.client, value], sort_keys=True).encode()).hexdigest()
        self.bodies[digest] = value
        return digest

    def body(self, digest: str) -> object | None:
        """The body of that digest; counts the fetch."""
        self.fetched.append(digest)
        return self.bodies.get(digest)

    def open_run(self, hosts: Sequence[object], *, at: datetime = DAY, **changes: object) -> int:
        """Tell that a run was opened; returns its number."""
        self.runs += 1
        self.clock = at
        asked = {
            "operator": {"user": "Katarzyna Wójcik", "login": "kwojcik", "sudo_user": None, "stated": None},
            "reason": f"visit of {self.client}",
            "controller": "controller01",
            "clock": {"synchronised": True},
        }
        files = [{"kind": "playbook", "path": "playbooks/visit.yml", "sha256": "1" * 64}]
        event = {
            "type": "run.opened",
            "run": self.runs,
            "run_id": f"{self.runs:032x}",
            "duty": "visit.daily",
            "check": False,
            "hosts": list(hosts),
            "asked": self.keep(asked),
            "contract": {"number": "IT/1/2026", "version": 1, "commit": "c" * 40, "dirty": False, "sha256": "2" * 64},
            "code": {"version": "0.1.0", "commit": "d" * 40, "dirty": False},
            "collection": "0.1.0",
            "playbook": {"path": "playbooks/visit.yml", "sha256": "1" * 64},
            "files": self.keep(files),
            "inventory_sha256": "3" * 64,
            "fence": self.runs,
        }
        self.add(event | changes)
        return self.runs

    def tell_host(
        self,
        run: int,
        host: object,
        outcome: str = "ok",
        *,
        health: object = None,
        tasks: object = None,
        **changes: object,
    ) -> int:
        """Tell what became of a host; with `health`, its observation is kept and named."""
        started = self.clock
        self.clock += _MINUTE
        if tasks is None:
            tasks = [task(0, "ansible.builtin.ping", started)]
            if health is not None:
                result = self.keep({"changed": False, "health": health})
                tasks.append(task(1, "itcare.maintenance.health_info", started, result=result))
        detail = {"address": "192.0.2.7", "port": 22, "remote_user": "itcare", "message": None}
        event = {
            "type": "run.host",
            "run": run,
            "host": host,
            "outcome": outcome,
            "reason": None,
            "needs_verify": outcome in ("unknown", "interrupted"),
            "truncated": False,
            "connection": "ssh",
            "opened_at": write_instant(started),
            "closed_at": write_instant(self.clock),
            "connections": [],
            "tasks": tasks,
            "detail": self.keep(detail),
            "alarms": [],
        }
        return self.add(event | changes)

    def close_run(self, run: int, state: str = "complete", **changes: object) -> int:
        """Tell that a run was closed."""
        self.clock += _MINUTE
        event = {
            "type": "run.closed",
            "run": run,
            "state": state,
            "outcomes": {},
            "rc": 0,
            "cancelled": None,
            "reason": None,
            "spool": {"sha256": "4" * 64, "lines": 12, "bytes": 4096, "complete": True, "problems": []},
            "files": None,
            "alarms": [],
        }
        return self.add(event | changes)

    def visit(self, hosts: Mapping[str, object], *, at: datetime = DAY) -> int:
        """One whole run in which every host is observed as given."""
        run = self.open_run(list(hosts), at=at)
        for host, health in hosts.items():
            self.tell_host(run, host, health=health)
        self.close_run(run)
        return run


def task(position: object, module: object, started: datetime = DAY, **changes: object) -> dict[str, object]:
    """One task of a host's leaf."""
    plain = {
        "position": position,
        "name": f"Task {position}",
        "module": module,
        "file": "roles/visit/tasks/main.yml",
        "line": 7,
        "start": write_instant(started),
        "end": write_instant(started + timedelta(seconds=20)),
        "outcome": "ok",
        "ignored": False,
        "truncated": False,
        "args": {},
        "result": None,
    }
    return plain | changes


def observe(*, free_percent: float = 50.0, mark: str = "", at: datetime = DAY) -> dict[str, object]:
    """A health observation whose one interesting fact is the free space on `/`."""
    total = 500_000_000_000
    available = int(total * free_percent / 100)
    disk = {
        "device": "/dev/sda2",
        "mount": "/",
        "type": "ext4",
        "total_bytes": total,
        "available_bytes": available,
        "used_bytes": total - available,
        "inodes_total": 1_000_000,
        "inodes_free": 900_000,
        "read_only": False,
    }
    return {
        "schema": "itcare/health/v1",
        "observed_at": write_instant(at),
        "system": {"family": "linux", "pretty_name": f"Debian GNU/Linux 12 {mark}".strip()},
        "sources": {
            "filesystems": {"state": "ok", "reason": None, "detail": None, "seconds": 0.1, "data": [disk]},
            "smart": {"state": "absent", "reason": None, "detail": None, "seconds": 0.1, "data": None},
            "reboot": {"state": "unavailable", "reason": "no_permission", "detail": mark or None, "seconds": 0.1,
                       "data": None},
        },
    }  # fmt: skip

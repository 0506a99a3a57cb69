"""How far a run is, while it lasts: for the eyes only, from following the spool."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from itcare.core.words import TaskOutcome
from itcare.drive.folder import write_private
from itcare.drive.spool import follow


@dataclass(frozen=True)
class Progress:
    """One step of one host: a task begun (`outcome` None) or ended. `at` as the spool writes it.

    `task` may hold text of a playbook that is not ours: show it as plain text.
    """

    host: str
    task: str
    position: int
    outcome: TaskOutcome | None
    at: str


class ProgressReader:
    """Reads what was added to the spool since the last look, for the planned hosts only."""

    def __init__(self, spool: Path, hosts: Sequence[str]) -> None:
        self._spool = spool
        self._offset = 0
        self._current: dict[str, Progress | None] = dict.fromkeys(hosts)

    @property
    def current(self) -> Mapping[str, Progress | None]:
        """The last step of each host, None for one that has not begun."""
        return self._current

    def read(self) -> Iterator[Progress]:
        """Steps since the last call; lines that are no steps are passed over."""
        events, self._offset = follow(self._spool, self._offset)
        for event in events:
            step = self._read_step(event)
            if step is not None:
                self._current[step.host] = step
                yield step

    def _read_step(self, event: Mapping[str, object]) -> Progress | None:
        kind, host, at = event.get("event"), event.get("host"), event.get("at")
        if kind not in ("task_start", "task_end") or not isinstance(host, str) or host not in self._current:
            return None
        before = self._current[host]
        try:
            if kind == "task_start":
                return Progress(host, str(event["name"]), int(str(event["position"])), None, str(at))
            outcome = TaskOutcome(str(event["outcome"]))
        except (KeyError, ValueError):
            return None
        return before and Progress(host, before.task, before.position, outcome, str(at))


class ProgressFile:
    """`<home>/progress/<run id>.json`: the last step of each host, replaced whole, gone after the run."""

    def __init__(self, home: Path, run_id: str, name: str, duty: str) -> None:
        self._path = home / "progress" / f"{run_id}.json"
        self._head = {"run": name, "duty": duty}

    def write(self, current: Mapping[str, Progress | None]) -> None:
        """Best effort: a page that lags behind must not stop a run."""
        hosts = {host: asdict(step) if step else None for host, step in current.items()}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(self._path, json.dumps({**self._head, "hosts": hosts}))

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()

"""Runner's events: written down apart from the spool, for the alarm and the console, never as evidence.

They travel inside the playbook's stdout, where a managed host can put words of its own. So each
must have its counterpart in the spool, and one that has none is a forgery.
"""

import json
import queue
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itcare.core.clock import Clock
from itcare.core.words import TaskOutcome
from itcare.drive.spool import SpoolTask

# What the spool may say of a task that ansible-core reported so. The spool looks into the items of a
# loop: one that timed out or was unreachable counts for the whole task, whatever the report was.
_DOUBTFUL = frozenset({TaskOutcome.TIMED_OUT, TaskOutcome.UNREACHABLE})
_RESULTS = {
    "runner_on_ok": frozenset({TaskOutcome.OK, TaskOutcome.CHANGED}) | _DOUBTFUL,
    "runner_on_failed": frozenset({TaskOutcome.FAILED}) | _DOUBTFUL,
    "runner_on_unreachable": _DOUBTFUL,
    "runner_on_skipped": frozenset({TaskOutcome.SKIPPED}) | _DOUBTFUL,
}
_CONSOLE_EVENTS = frozenset({"verbose", "error", "warning", "system_warning"})
_UNREADABLE = "unreadable"
_CONSOLE_LINES = 40
_CONSOLE_CHARACTERS = 4096
_NAME_CHARACTERS = 120


class EventWriter(threading.Thread):
    """Takes events from runner without ever making it wait or fail, and writes them in a thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(name="events", daemon=True)
        self._path = path
        self._clock = clock
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._console: deque[str] = deque(maxlen=_CONSOLE_LINES)
        self.last_event = clock.monotonic()
        self.lost = 0

    def handle(self, event: dict[str, Any]) -> bool:
        """Runner's event_handler. Returns False, so that runner keeps no file of the event."""
        self.last_event = self._clock.monotonic()
        try:
            line = _reduce(event)
        except Exception:  # noqa: BLE001 - the event is hostile text, and an error here would end the run
            line = json.dumps({"event": _UNREADABLE})
        if line is not None:
            self._queue.put(line)
        elif event.get("event") in _CONSOLE_EVENTS:
            self.say(event.get("stdout"))
        return False

    def say(self, text: object) -> None:
        """Keep a line that belongs to no host for the operator."""
        if isinstance(text, str) and text.strip():
            self._console.append(text.strip()[:_CONSOLE_CHARACTERS])

    @property
    def console(self) -> str:
        return "\n".join(self._console)[-_CONSOLE_CHARACTERS:]

    def run(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
            except OSError:
                self.lost += 1

    def finish(self) -> None:
        """Write what is queued and stop."""
        self._queue.put(None)
        self.join()


def _reduce(event: Mapping[str, Any]) -> str | None:
    kind = event.get("event")
    if kind not in _RESULTS:
        return None
    data = event["event_data"]
    host, task = data.get("host"), data.get("task_uuid")
    return json.dumps({"event": kind, "host": _name(host), "task": _name(task), "n": event.get("counter")})


def _name(value: object) -> str:
    return value[:_NAME_CHARACTERS] if isinstance(value, str) else ""


@dataclass(frozen=True)
class ForgedEvent:
    """An event that no task of the spool explains; host and kind are the forger's words."""

    host: str
    kind: str


def read_events(path: Path) -> Iterator[Mapping[str, Any]]:
    """Events that the supervisor wrote; a cut last line is left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def find_forged(events: Iterator[Mapping[str, Any]], tasks: tuple[SpoolTask, ...]) -> tuple[ForgedEvent, ...]:
    """Events without a counterpart in the spool: same host, same task, a result of that kind, as often.

    A task that the spool shows as begun and not ended explains any one kind: the run may have been
    cut between the two records.
    """
    told: dict[tuple[str, str], Counter[TaskOutcome]] = defaultdict(Counter)
    for task in tasks:
        told[task.host, task.task][task.outcome] += 1
    forged = []
    for event in events:
        host, kind = str(event.get("host", "")), str(event.get("event"))
        outcomes = told.get((host, str(event.get("task"))), Counter())
        possible = _RESULTS.get(kind, frozenset()) | {TaskOutcome.UNFINISHED}
        explained = next((outcome for outcome in outcomes if outcome in possible and outcomes[outcome] > 0), None)
        if explained is None:
            forged.append(ForgedEvent(host, kind))
        else:
            outcomes[explained] -= 1
    return tuple(forged)

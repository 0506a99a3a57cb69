"""What must not happen in a run and is told loudly: each with the evidence that shows it."""

from collections import Counter
from pathlib import Path

from itcare.drive.collection import NAMESPACE
from itcare.drive.events import find_forged, read_events
from itcare.drive.orders import Ended
from itcare.drive.plan import RunPlan
from itcare.drive.report import Alarm
from itcare.drive.spool import Spool

_NAME_CHARACTERS = 63


def find_alarms(spool: Spool, plan: RunPlan, ended: Ended, events: Path) -> tuple[Alarm, ...]:
    """Every alarm of one run, by kind, host and text."""
    names = frozenset(host.name for host in plan.hosts)
    found = [
        *_forged_events(spool, names, events),
        *_foreign_hosts(spool, names),
        *_changed_files(spool, plan),
        *_lost_events(ended),
    ]
    return tuple(sorted(found, key=lambda alarm: (alarm.kind, alarm.host or "", alarm.text)))


def _forged_events(spool: Spool, names: frozenset[str], events: Path) -> list[Alarm]:
    counted = Counter((event.host, event.kind) for event in find_forged(read_events(events), spool.tasks))
    return [
        Alarm(
            "forged_event",
            f"{count} event(s) {ascii(kind)} for {_shown(host)} came through the playbook's output"
            " and have no counterpart in the spool; they were ignored.",
            host if host in names else None,
        )
        for (host, kind), count in counted.items()
    ]


def _foreign_hosts(spool: Spool, names: frozenset[str]) -> list[Alarm]:
    foreign = sorted({task.host for task in spool.tasks} - names)
    return [
        Alarm("foreign_host", f"The spool has tasks of {_shown(host)}, which the run did not plan; they were ignored.")
        for host in foreign
    ]


def _changed_files(spool: Spool, plan: RunPlan) -> list[Alarm]:
    """Files of our collection that the run used with another content than they had before its start."""
    return [
        Alarm("file_changed", f"{ascii(file.path)} was not the same before the start and while it was used.")
        for file in spool.files
        if (file.name or "").startswith(NAMESPACE) and file.path in plan.files and file.sha256 != plan.files[file.path]
    ]


def _lost_events(ended: Ended) -> list[Alarm]:
    if not ended.lost_events:
        return []
    return [Alarm("lost_events", f"{ended.lost_events} event(s) could not be kept, so forgery was not excluded.")]


def _shown(host: str) -> str:
    return ascii(host[:_NAME_CHARACTERS])

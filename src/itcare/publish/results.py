"""What tasks of a host's record found, beside its health: read only where it may be believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from itcare.core.words import TaskOutcome
from itcare.publish.records import HostRecord, Records, TaskRecord
from itcare.publish.shape import mapping


@dataclass(frozen=True)
class Result:
    """The answer of a module under its own key, with the record and task it stands in."""

    record: HostRecord
    task: TaskRecord
    value: Mapping[str, object]

    @property
    def at(self) -> datetime | None:
        """When, by the controller's clock."""
        return self.task.ended_at or self.record.closed_at


def read_result(history: Records, record: HostRecord, module: str, key: str, schema: str) -> Result | None:
    """The answer of the last task of `module`; None where it failed, was cut, erased, doubted or is of another form."""
    task = record.find_task(module)
    if task is None or task.truncated or task.outcome not in (TaskOutcome.OK, TaskOutcome.CHANGED):
        return None
    if not record.readable or history.is_doubted(record):
        return None
    value = mapping(mapping(history.read(task.result)).get(key))
    return Result(record, task, value) if value.get("schema") == schema else None

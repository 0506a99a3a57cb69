"""Numbers over time, out of what each look at a host found."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from itcare.core.words import SourceState, TempState
from itcare.publish.forecast import days_to_full
from itcare.publish.records import Observation
from itcare.publish.results import Result
from itcare.publish.rows import ForecastRow, MeasureRow, TempRow
from itcare.publish.shape import mapping, sequence, text, whole, word

DISK_USED = "disk_used_bytes"
TEMP_PLANNED = "temp_planned_bytes"
TEMP_FREED = "temp_freed_bytes"
SOFTWARE_COUNT = "software_count"

KEPT = timedelta(days=366)
"""Measures of so long are shown at once, unless a page asks for a time of its own."""

MAXIMUM_MOUNTS = 50
MAXIMUM_CATEGORIES = 50

TEMP_MODULE = "itcare.maintenance.temp_cleanup"
TEMP_SCHEMA = "itcare/temp/v1"


def measure_disks(seen: Observation, at: datetime) -> Iterator[MeasureRow]:
    """Bytes of each file system, by mount, that nobody can write any more; capacity is its size.

    Size less available, so that the share left is the one that the rule `disk.free` judges and the value
    reaches the capacity exactly when the disk is full for its users.
    """
    source = mapping(mapping(seen.health.get("sources")).get("filesystems"))
    if source.get("state") != SourceState.OK:
        return
    told: set[str] = set()
    for item in sequence(source.get("data"))[:MAXIMUM_MOUNTS]:
        disk = mapping(item)
        mount, total, available = (
            text(disk.get("mount")),
            whole(disk.get("total_bytes")),
            whole(disk.get("available_bytes")),
        )
        if mount and mount not in told and total is not None and available is not None and available <= total:
            told.add(mount)
            yield MeasureRow(
                seen.record.host, DISK_USED, mount, at, float(total - available), float(total), seen.record.run
            )


def make_temp_rows(result: Result) -> Iterator[TempRow]:
    """One row per category of a clean-up."""
    categories = mapping(result.value.get("categories"))
    for name in sorted(map(str, categories))[:MAXIMUM_CATEGORIES]:
        category = mapping(categories[name])
        state = word(TempState, category.get("state"))
        planned, deleted = mapping(category.get("planned")), mapping(category.get("deleted"))
        yield TempRow(
            run=result.record.run,
            host=result.record.host,
            category=name,
            state=state or TempState.UNAVAILABLE,
            reason=text(category.get("reason")) if state else "malformed",
            planned_files=whole(planned.get("files")),
            planned_bytes=whole(planned.get("bytes")),
            deleted_files=whole(deleted.get("files")),
            deleted_bytes=whole(deleted.get("bytes")),
            skipped=mapping(category.get("skipped")),
            at=result.at,
        )


def measure_temp(result: Result, at: datetime) -> Iterator[MeasureRow]:
    """Bytes that a clean-up planned to remove, and, unless it only looked, those that became free.

    Freed are the blocks of removed files; what else happens on the disk meanwhile does not count.
    """
    total = mapping(result.value.get("total"))
    freed = whole(result.value.get("blocks_bytes"))
    if freed is None:
        freed = whole(total.get("deleted_bytes"))
    told = [(TEMP_PLANNED, whole(total.get("planned_bytes")))]
    if result.value.get("mode") == "clean":
        told.append((TEMP_FREED, freed))
    for name, value in told:
        if value is not None:
            yield MeasureRow(result.record.host, name, None, at, float(value), None, result.record.run)


def make_forecast_rows(measures: Iterable[MeasureRow]) -> Iterator[ForecastRow]:
    """Of one host's measures: each file system that the newest look showed, and when it will be full."""
    disks: dict[str | None, list[MeasureRow]] = {}
    for measure in measures:
        if measure.name == DISK_USED:
            disks.setdefault(measure.subject, []).append(measure)
    newest_run = max((rows[-1].run for rows in disks.values()), default=None)
    for subject, rows in sorted(disks.items(), key=lambda item: str(item[0])):
        last = rows[-1]
        if last.run == newest_run:
            forecast = days_to_full(rows)
            yield ForecastRow(
                last.host, last.name, subject, last.at, last.value, last.capacity, forecast.full_at, forecast.days,
                forecast.reason, last.run,
            )  # fmt: skip

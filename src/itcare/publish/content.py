"""What goes into the files of a snapshot: the whole of a client, or the present and each month apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from itcare.publish.rows import (
    FactRow,
    FileRow,
    FindingIntervalRow,
    FindingRow,
    ForecastRow,
    HostResultRow,
    HostRow,
    MeasureRow,
    Meta,
    MonthRow,
    ObligationRow,
    Row,
    RunRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TaskRow,
    TempRow,
)


@dataclass(frozen=True)
class PresentRows:
    """Everything that goes into `current.sqlite`."""

    meta: Meta
    hosts: tuple[HostRow, ...] = ()
    months: tuple[MonthRow, ...] = ()
    runs: tuple[RunRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    facts: tuple[FactRow, ...] = ()
    obligations: tuple[ObligationRow, ...] = ()
    forecasts: tuple[ForecastRow, ...] = ()
    finding_intervals: tuple[FindingIntervalRow, ...] = ()
    software: tuple[SoftwareRow, ...] = ()
    software_looks: tuple[SoftwareLookRow, ...] = ()

    def by_table(self) -> Mapping[str, tuple[Row, ...]]:
        """The rows of each table but `meta`."""
        return {
            "host": self.hosts,
            "month": self.months,
            "run": self.runs,
            "finding": self.findings,
            "fact": self.facts,
            "obligation": self.obligations,
            "forecast": self.forecasts,
            "finding_interval": self.finding_intervals,
            "software": self.software,
            "software_look": self.software_looks,
        }


@dataclass
class MonthRows:
    """Everything that goes into the file of one month (`YYYY-MM`): rows of the runs that were opened in it."""

    month: str
    host_results: list[HostResultRow] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    measures: list[MeasureRow] = field(default_factory=list)
    software_changes: list[SoftwareChangeRow] = field(default_factory=list)
    temps: list[TempRow] = field(default_factory=list)

    def by_table(
        self,
    ) -> Mapping[
        str,
        list[HostResultRow]
        | list[TaskRow]
        | list[FileRow]
        | list[MeasureRow]
        | list[SoftwareChangeRow]
        | list[TempRow],
    ]:
        """The rows of each table but `meta`."""
        return {
            "host_result": self.host_results,
            "task": self.tasks,
            "file": self.files,
            "measure": self.measures,
            "software_change": self.software_changes,
            "temp": self.temps,
        }


@dataclass(frozen=True)
class SnapshotRows:
    """Everything of one client at once."""

    meta: Meta
    hosts: tuple[HostRow, ...] = ()
    runs: tuple[RunRow, ...] = ()
    host_results: tuple[HostResultRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    files: tuple[FileRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    facts: tuple[FactRow, ...] = ()
    obligations: tuple[ObligationRow, ...] = ()
    measures: tuple[MeasureRow, ...] = ()
    forecasts: tuple[ForecastRow, ...] = ()
    finding_intervals: tuple[FindingIntervalRow, ...] = ()
    software: tuple[SoftwareRow, ...] = ()
    software_looks: tuple[SoftwareLookRow, ...] = ()
    software_changes: tuple[SoftwareChangeRow, ...] = ()
    temps: tuple[TempRow, ...] = ()

    def by_month(self) -> tuple[MonthRows, ...]:
        """What was done, by the month of the run, the oldest first. KeyError for a row of a run that is not there."""
        months = {run.month: MonthRows(run.month) for run in sorted(self.runs, key=lambda run: run.month)}
        month_of = {run.number: months[run.month] for run in self.runs}
        for result in self.host_results:
            month_of[result.run].host_results.append(result)
        for task in self.tasks:
            month_of[task.run].tasks.append(task)
        for file in self.files:
            month_of[file.run].files.append(file)
        for measure in self.measures:
            month_of[measure.run].measures.append(measure)
        for change in self.software_changes:
            month_of[change.run].software_changes.append(change)
        for temp in self.temps:
            month_of[temp.run].temps.append(temp)
        return tuple(months.values())

    def present(self, months: tuple[MonthRow, ...]) -> PresentRows:
        """How things are, with the files in which the rest lies."""
        return PresentRows(
            self.meta, self.hosts, months, self.runs, self.findings, self.facts, self.obligations, self.forecasts,
            self.finding_intervals, self.software, self.software_looks,
        )  # fmt: skip

"""One host's records, folded one after the other into what is remembered of it and the rows that follow."""

from collections.abc import Iterable
from datetime import datetime

from itcare.publish.host_rows import Judge, KnownHost
from itcare.publish.intervals import IntervalTrack
from itcare.publish.measures import (
    TEMP_MODULE,
    TEMP_SCHEMA,
    make_forecast_rows,
    make_temp_rows,
    measure_disks,
    measure_temp,
)
from itcare.publish.memory import HostMemory
from itcare.publish.records import HEALTH_MODULE, HostRecord, Records
from itcare.publish.results import read_result
from itcare.publish.rows import (
    FindingIntervalRow,
    ForecastRow,
    MeasureRow,
    SoftwareChangeRow,
    SoftwareLookRow,
    SoftwareRow,
    TempRow,
)
from itcare.publish.software import RESULT_KEY, SOFTWARE_MODULE, SOFTWARE_SCHEMA, SoftwareTrack


def results_of(record: HostRecord) -> Iterable[str]:
    """Digests of the results that folding a record asks for."""
    for module in (HEALTH_MODULE, SOFTWARE_MODULE, TEMP_MODULE):
        task = record.find_task(module)
        if task is not None and task.result is not None:
            yield task.result


class HostFold:
    """One host, going on from `memory`; fed its records from the oldest to the newest.

    A list of software that did not change is not even fetched. Only a host of today's contract is judged.
    """

    def __init__(self, history: Records, host: KnownHost, judge: Judge, memory: HostMemory | None = None) -> None:
        self._history = history
        self._host = host
        self._judge = judge
        self._memory = memory or HostMemory()
        self._intervals = IntervalTrack(host.name)
        self._intervals.recall(self._memory.intervals)
        self._software = SoftwareTrack(history, host.name)
        self._software.recall(self._memory.software)
        self._measures: list[MeasureRow] = []
        self.temps: list[TempRow] = []

    def take(self, record: HostRecord, opened_at: datetime) -> None:
        """One record; `opened_at`: of its run."""
        memory = self._memory
        memory.last_run, memory.attempt = record.run, record
        memory.begun = record if record.opened_at else memory.begun
        self._take_health(record, opened_at)
        self._take_software(record, opened_at)
        self._take_temp(record, opened_at)

    def remember(self) -> HostMemory:
        """What is to be remembered of the host after the records so far."""
        self._memory.intervals = self._intervals.remember()
        self._memory.software = self._software.remember()
        return self._memory

    @property
    def measures(self) -> list[MeasureRow]:
        """What the records measured, by time."""
        return sorted(
            [*self._measures, *self._software.counts], key=lambda row: (row.at, row.run, row.name, row.subject or "")
        )

    @property
    def changes(self) -> list[SoftwareChangeRow]:
        """What changed in the software between the records."""
        return self._software.changes

    @property
    def has_other_software(self) -> bool:
        """Whether a list of software is another than the one that was remembered."""
        return self._software.has_other_lists

    def intervals(self, now: datetime) -> list[FindingIntervalRow]:
        """Intervals that ended with these records, and all that have not ended."""
        return list(self._intervals.rows(now))

    def ended_intervals(self) -> list[FindingIntervalRow]:
        """Intervals that ended with these records."""
        return list(self._intervals.ended())

    def software(self) -> list[SoftwareRow]:
        """The packages as last seen."""
        return list(self._software.rows())

    def looks(self) -> list[SoftwareLookRow]:
        """The newest look at each source of software."""
        return list(self._software.looks())

    def forecasts(self, earlier: Iterable[MeasureRow] = ()) -> list[ForecastRow]:
        """When each disk will be full; `earlier`: measures of records before these."""
        return list(make_forecast_rows([*earlier, *self.measures]))

    def _when(self, record: HostRecord, at: datetime | None, opened_at: datetime) -> datetime:
        return at or record.closed_at or opened_at

    def _take_health(self, record: HostRecord, opened_at: datetime) -> None:
        if not record.is_look:
            return  # a host that was merely not reached: what was seen before stands
        self._memory.look = record
        seen = self._history.observe(record)
        if isinstance(seen, str):
            if self._host.resolved:
                at = self._when(record, None, opened_at)
                self._intervals.take_flaw(at, record.run, self._judge.assess_missing(seen))
            return
        self._memory.seen = record
        at = self._when(record, seen.observed_at, opened_at)
        self._measures += measure_disks(seen, at)
        if self._host.resolved:
            self._intervals.take(at, record.run, self._judge.tell(seen.health, self._host.resolved))

    def _take_software(self, record: HostRecord, opened_at: datetime) -> None:
        result = read_result(self._history, record, SOFTWARE_MODULE, RESULT_KEY, SOFTWARE_SCHEMA)
        if result is not None:
            self._software.take(result, self._when(record, result.at, opened_at))

    def _take_temp(self, record: HostRecord, opened_at: datetime) -> None:
        result = read_result(self._history, record, TEMP_MODULE, "temp", TEMP_SCHEMA)
        if result is not None:
            self.temps += make_temp_rows(result)
            self._measures += measure_temp(result, self._when(record, result.at, opened_at))

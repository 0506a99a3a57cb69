"""Questions to a snapshot about runs: who was there, when, and what was done."""

import json
from collections.abc import Collection, Mapping

from itcare.core.words import HostOutcome
from itcare.publish import month_queries, queries
from itcare.publish.database import MAXIMUM_ROWS, host_or_none, number_or_none, text_or_empty, window
from itcare.publish.divided import DividedSnapshot
from itcare.publish.rows import FileRow, HostResultRow, RunRow, TaskRow


class WorkLog(DividedSnapshot):
    """The part of `reader.Snapshot` that asks for runs, and each run's month for what was done in it."""

    def runs(self, *, limit: int = 50, offset: int = 0) -> tuple[RunRow, ...]:
        """Runs, newest first."""
        return self._rows(RunRow, queries.RUNS, window(limit, offset))

    def run_count(self) -> int:
        """How many runs there are."""
        return int(self._fetch(queries.RUN_COUNT, {})[0]["count"])

    def runs_of_month(self, month: str, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[RunRow, ...]:
        """Runs of a month (`YYYY-MM`), newest first."""
        return self._rows(RunRow, queries.RUNS_OF_MONTH, {"month": text_or_empty(month), **window(limit, offset)})

    def runs_with_host(self, month: str, host: str) -> frozenset[int]:
        """Numbers of the runs of a month that concerned a host."""
        file = self._months.of(month)
        found: set[int] = set()
        values = {"host": host_or_none(host)}
        while file is not None:
            rows = file.fetch(month_queries.RUNS_OF_HOST, {**values, **window(MAXIMUM_ROWS, len(found))})
            found.update(int(row["run"]) for row in rows)
            if len(rows) < MAXIMUM_ROWS:
                break
        return frozenset(found)

    def run(self, number: int) -> RunRow | None:
        """One run, or None."""
        return self._row(RunRow, queries.RUN, {"run": number_or_none(number)})

    def host_history(self, name: str, *, limit: int = 50, offset: int = 0) -> tuple[HostResultRow, ...]:
        """What became of one host in its runs, newest run first."""
        if (host := host_or_none(name)) is None:
            return ()
        return self._across(
            HostResultRow, month_queries.HOST_HISTORY, month_queries.HOST_HISTORY_COUNT, {"host": host},
            limit=limit, offset=offset,
        )  # fmt: skip

    def host_results(self, run: int, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[HostResultRow, ...]:
        """What became of every host of a run, by host."""
        file = self._file_of(run)
        values = {"run": run, **window(limit, offset)}
        return () if file is None else file.rows(HostResultRow, month_queries.HOST_RESULTS, values)

    def host_result(self, run: int, host: str) -> HostResultRow | None:
        """What became of one host in a run, or None."""
        file = self._file_of(run)
        values = {"run": run, "host": host_or_none(host)}
        return None if file is None else file.row(HostResultRow, month_queries.HOST_RESULT, values)

    def doubts(self) -> frozenset[tuple[int, str]]:
        """Run and host wherever somebody had to look at what became of it."""
        found: set[tuple[int, str]] = set()
        for file in self._files_since(None):
            offset = 0
            while rows := file.fetch(month_queries.DOUBTS, window(MAXIMUM_ROWS, offset)):
                found.update((int(row["run"]), str(row["host"])) for row in rows)
                offset += len(rows)
        return frozenset(found)

    def last_looks(
        self, hosts: Collection[str], outcomes: Collection[HostOutcome], but_for: Collection[int]
    ) -> Mapping[str, int]:
        """For each host the newest run with one of these outcomes and no doubt; runs of `but_for` do not count."""
        found: dict[str, int] = {}
        values = {"states": json.dumps([*outcomes]), "runs": json.dumps([*but_for])}
        for file in self._files_since(None):  # newest first, so what is found need not be asked again
            if not (left := [host for host in hosts if host not in found]):
                break
            rows = file.fetch(month_queries.LAST_LOOKS, {**values, "hosts": json.dumps(left)})
            found.update((str(row["host"]), int(row["run"])) for row in rows if row["run"] is not None)
        return found

    def tasks(self, run: int, host: str | None = None, *, limit: int = 500, offset: int = 0) -> tuple[TaskRow, ...]:
        """Tasks of a run by host and position, all or those of one host."""
        file = self._file_of(run)
        if file is None:
            return ()
        values: dict[str, object] = {"run": run, **window(limit, offset)}
        if host is None:
            return file.rows(TaskRow, month_queries.TASKS, values)
        return file.rows(TaskRow, month_queries.TASKS_OF_HOST, {**values, "host": host_or_none(host)})

    def task_count(self, run: int) -> int:
        """How many tasks a run had on all its hosts."""
        file = self._file_of(run)
        return 0 if file is None else int(file.fetch(month_queries.TASK_COUNT, {"run": run})[0]["count"])

    def files(self, run: int, *, limit: int = 1000, offset: int = 0) -> tuple[FileRow, ...]:
        """The playbooks, modules and scripts that a run used."""
        file = self._file_of(run)
        values = {"run": run, **window(limit, offset)}
        return () if file is None else file.rows(FileRow, month_queries.FILES, values)

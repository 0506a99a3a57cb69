"""What a client's ledger tells, as values: runs, hosts, tasks, observations. Read by `history.read_history`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache

from itcare.core.errors import ItcareError
from itcare.core.words import HostOutcome, RunGrade, RunState, TaskOutcome
from itcare.publish.shape import mapping, truth

HEALTH_MODULE = "itcare.maintenance.health_info"
HEALTH_SCHEMA = "itcare/health/v1"
CACHED_BODIES = 256  # the same observation is asked for a few times in a row

type Body = Callable[[str], object | None]


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One task of a host's leaf: digest of its `result`, and of large parts of that by name (`attachments`)."""

    position: int
    name: str | None
    module: str | None
    file: str | None
    line: int | None
    started_at: datetime | None
    ended_at: datetime | None
    outcome: TaskOutcome
    ignored: bool
    truncated: bool
    args: Mapping[str, object]
    result: str | None
    attachments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostRecord:
    """What became of one host in one run.

    `entry` is None when the run has no leaf for a host it was to visit: the outcome is then derived.
    `readable` is false when some part of the leaf could not be read or the leaf was told twice.
    """

    run: int
    host: str
    outcome: HostOutcome
    reason: str | None = None
    needs_verify: bool = False
    truncated: bool = False
    readable: bool = True
    connection: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    tasks: tuple[TaskRecord, ...] = ()
    detail: str | None = None
    alarms: tuple[object, ...] = ()
    entry: int | None = None
    leaf: str | None = None

    @property
    def health_task(self) -> TaskRecord | None:
        """The last task that tried to observe the host; None when nothing on the host was touched."""
        return self.find_task(HEALTH_MODULE)

    def find_task(self, module: str) -> TaskRecord | None:
        """The last task of a module that was not skipped; None when nothing on the host was touched."""
        if self.outcome in (HostOutcome.NOT_REACHED, HostOutcome.NOT_RUN):
            return None
        tried = (task for task in reversed(self.tasks) if task.outcome is not TaskOutcome.SKIPPED)
        return next((task for task in tried if task.module == module), None)

    @property
    def flaw(self) -> str | None:
        """Why this record takes the ground from what was seen before: a short word, or None."""
        task = self.health_task
        if not self.readable:
            return "unreadable"
        if task is None:
            return str(self.outcome) if self.needs_verify else None
        if task.outcome not in (TaskOutcome.OK, TaskOutcome.CHANGED):
            return str(task.outcome)
        return "truncated" if task.truncated else None

    @property
    def is_look(self) -> bool:
        """Whether it tells how the host is, or takes the ground from what was seen before; else that stands."""
        return self.flaw is not None or self.health_task is not None

    @property
    def has_usable_observation(self) -> bool:
        """Whether the leaf tells of a whole observation; its body may still be erased."""
        return self.flaw is None and self.health_task is not None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: what its opening and closing leaves say, and its hosts by name."""

    number: int
    state: RunState
    opened_at: datetime
    closed_at: datetime | None
    entry_opened: int
    leaf_opened: str
    entry_closed: int | None
    leaf_closed: str | None
    opened: Mapping[str, object]
    closed: Mapping[str, object]
    hosts: Mapping[str, HostRecord]

    @property
    def is_check(self) -> bool:
        """Whether it only looked; a run that does not say so plainly counts as a look only."""
        return truth(self.opened.get("check")) is not False

    @property
    def grade(self) -> RunGrade:
        """How far it can be believed; a word that is not known is not taken for the better one."""
        said = self.opened.get("grade", RunGrade.ANNOUNCED.value)
        return RunGrade.ANNOUNCED if said == RunGrade.ANNOUNCED else RunGrade.UNANNOUNCED

    @property
    def satisfies_nothing(self) -> bool:
        """Whether it can keep no promise, however well it went: it only looked, or was adopted afterwards."""
        return self.is_check or self.grade is RunGrade.UNANNOUNCED


@dataclass(frozen=True, slots=True)
class PublicationRecord:
    """What was published once: version of the thresholds, and the digest of the judgements (see `again`)."""

    entry: int
    at: datetime | None
    policy: str | None
    findings: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that could not be read; with `host` when it is known whom it is about."""

    entry: int
    text: str
    host: str | None = None


@dataclass(frozen=True)
class Observation:
    """A usable health observation and the leaf it stands in."""

    record: HostRecord
    task: TaskRecord
    health: Mapping[str, object]

    @property
    def observed_at(self) -> datetime | None:
        """When, by the controller's clock: what the host says about the time is only its word."""
        return self.task.ended_at or self.record.closed_at


@dataclass(frozen=True)
class Flaw:
    """A record that should tell how the host is, and a short word for why it does not."""

    record: HostRecord
    reason: str


class Records:
    """What may be asked about hosts, whether all their records are at hand (`History`) or the newest (`Remembered`)."""

    problems: tuple[Problem, ...]
    body: Body

    def attempts(self, host: str) -> tuple[HostRecord, ...]:
        """Records of a host out of announced runs, oldest run first."""
        raise NotImplementedError

    def last_look(self, host: str) -> Observation | Flaw | None:
        """The newest observation of a host, the flaw that stands in its place, or None for a host never looked at.

        A record that only failed to reach the host leaves what was seen before as it was.
        """
        for record in reversed(self.attempts(host)):
            if record.is_look:
                seen = self.observe(record)
                return Flaw(record, seen) if isinstance(seen, str) else seen
        return None

    def is_doubted(self, record: HostRecord) -> bool:
        """Whether an entry that could not be read, and may concern this host, follows the record."""
        last = max(self._last_problems.get(None, -1), self._last_problems.get(record.host, -1))
        return last > (record.entry or 0)

    @cached_property
    def _last_problems(self) -> Mapping[str | None, int]:
        found: dict[str | None, int] = {}
        for problem in self.problems:
            found[problem.host] = max(problem.entry, found.get(problem.host, -1))
        return found

    def observe(self, record: HostRecord) -> Observation | str:
        """The observation of a record, or a short word for why there is none to be used."""
        task = record.health_task
        if record.flaw or task is None:
            return record.flaw or "missing"
        if self.is_doubted(record):
            return "unreadable"
        result = self.read(task.result)
        if result is None:
            return "erased" if task.result else "unreadable"
        health = mapping(mapping(result).get("health"))
        if health.get("schema") != HEALTH_SCHEMA:
            return "unreadable"
        return Observation(record, task, health)

    def read(self, digest: str | None) -> object | None:
        """A body, or None when there is none, it was erased, or its store is damaged. A few are kept at hand."""
        return self._kept(digest) if digest else None

    def read_once(self, digest: str) -> object | None:
        """As `read`, for a large body that nobody asks for again."""
        try:
            return self.body(digest)
        except ItcareError:
            return None

    @cached_property
    def _kept(self) -> Callable[[str], object | None]:
        return lru_cache(maxsize=CACHED_BODIES)(self.read_once)


@dataclass(frozen=True)
class Remembered(Records):
    """The few newest records of each host, the oldest first: enough for how things are, see `memory.HostMemory`."""

    by_host: Mapping[str, tuple[HostRecord, ...]]
    problems: tuple[Problem, ...]
    body: Body = field(repr=False)

    def attempts(self, host: str) -> tuple[HostRecord, ...]:
        return self.by_host.get(host, ())


@dataclass(frozen=True)
class History(Records):
    """Everything one client's ledger tells. `client` is the code of the enrolment entry."""

    client: str | None
    first_at: datetime | None
    runs: tuple[RunRecord, ...]
    problems: tuple[Problem, ...]
    body: Body = field(repr=False)
    publications: tuple[PublicationRecord, ...] = ()

    def attempts(self, host: str) -> tuple[HostRecord, ...]:
        """Every record of a host out of announced runs, oldest run first.

        An adopted run is shown as itself and never as the newest look: anybody can write a spool.
        """
        return self._attempts.get(host, ())

    @property
    def hosts_tried(self) -> Collection[str]:
        """Every host that has a record in an announced run."""
        return self._attempts.keys()

    @cached_property
    def _attempts(self) -> Mapping[str, tuple[HostRecord, ...]]:
        found: dict[str, list[HostRecord]] = {}
        for run in self.runs:
            if run.grade is RunGrade.ANNOUNCED:
                for name, record in run.hosts.items():
                    found.setdefault(name, []).append(record)
        return {name: tuple(records) for name, records in found.items()}

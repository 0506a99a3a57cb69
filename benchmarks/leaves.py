"""The ledger entries of an invented visit: shaped once by the code that imports real ones, then filled for every day.

`drive.leaves.host_leaf` makes the leaf of each kind of visit, and what it hands on as bodies becomes templates. So the
generated entries have whatever shape an imported one has, at a twentieth of the cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from benchmarks.fleet import Computer, Draw, Kind
from benchmarks.holes import Template, hole, json_number, json_plain
from benchmarks.programs import count_programs, list_programs, write_programs
from benchmarks.visits import TEMPORARY, make_tasks
from itcare.core.clock import write_instant
from itcare.core.words import HostOutcome
from itcare.drive.connections import Connection
from itcare.drive.leaves import host_leaf
from itcare.drive.outcome import judge_host
from itcare.drive.plan import PlannedHost
from itcare.ledger.batch import EntryBatch
from itcare.store.bodies import digest_of

USER, PORT = "itcare", 22
_PACKAGES = "the list of programs"
_SOME_TIME = datetime(2020, 1, 1, tzinfo=UTC)
_SECONDS = [json_number(0.012 + number / 1000) for number in range(256)]
_LOAD = [json_number(number / 100) for number in range(256)]
_TAKES = (640_000, 1_570_000, 1_690_000, 2_900_000)  # microseconds of each task, at least
_FAILED_TAKES = 60_000_000  # a visit that loses contact waits for the time limit of ssh


class BodyKeeper:
    """Keeps bodies whose canonical bytes are at hand; `EntryBatch.body` would make these from a value every time.

    Uses the batch's own way of holding rows back: everything but the encoding is the ledger's.
    """

    def __init__(self, batch: EntryBatch) -> None:
        self._batch = batch

    def keep(self, content: bytes) -> str:
        """Keep a body and return its digest."""
        return self._batch.hold(digest_of(self._batch._salt, content), content)


@dataclass(frozen=True)
class Shape:
    """A kind of visit of one computer: its leaf, and the bodies by what stands for their digests in it."""

    leaf: Mapping[str, object]
    tasks: tuple[Mapping[str, object], ...]
    bodies: Mapping[str, Template]
    outcome: HostOutcome


class _Collector:
    """Takes the place of a batch while a leaf is shaped: keeps each body as a template."""

    def __init__(self) -> None:
        self.bodies: dict[str, Template] = {}

    def body(self, value: object) -> str | None:
        if value is None:
            return None
        if isinstance(value, list):
            return _PACKAGES
        if isinstance(value, dict) and "software" in value:
            software = value["software"]
            kept = {**software["packages"], "count": hole("programs")}
            value = {**value, "software": {**software, "packages": kept}}
        name = f"body {len(self.bodies)}"
        self.bodies[name] = Template(value)
        return name


def make_shape(computer: Computer, kind: Kind) -> Shape:
    """Shape a kind of visit of a computer as its import would."""
    tasks = make_tasks(computer, kind, list_programs(computer.updates, _SOME_TIME.date()), _SOME_TIME)
    verdict = judge_host(tasks, ran_to_end=True)
    planned = PlannedHost(computer.name, "ssh", computer.address, PORT, USER)
    connections = () if kind is Kind.NOT_REACHED else (Connection(_SOME_TIME, _SOME_TIME),)
    collector = _Collector()
    leaf = host_leaf(collector, 1, planned, verdict, tasks, connections, ())  # type: ignore[arg-type]  # see _Collector
    listed: list[Mapping[str, object]] = leaf["tasks"]  # type: ignore[assignment]  # a list of objects, as made above
    return Shape(leaf, tuple(listed), collector.bodies, verdict.outcome)


class Visited:
    """Makes the leaves of one computer's visits."""

    def __init__(self, computer: Computer) -> None:
        self.computer = computer
        self._shapes: dict[Kind, Shape] = {}
        self._packages: tuple[int, str] | None = None

    def add_leaf(self, batch: EntryBatch, keeper: BodyKeeper, run: int, day: date, begun: datetime) -> HostOutcome:
        """Add the leaf and the bodies of a visit that began at `begun`; its outcome.

        No two visits of the client may begin at the same instant: an observation would be stored once for both.
        """
        draw = Draw("visit", self.computer.number, day.toordinal())
        kind = self.computer.kind_on(day, draw)
        shape = self._shapes.get(kind)
        if shape is None:
            shape = self._shapes[kind] = make_shape(self.computer, kind)
        times = _times(kind, begun, draw)
        values = {} if kind is Kind.NOT_REACHED else daily_values(self.computer, day, draw, [at for at, _ in times])
        leaf = {**shape.leaf, "run": run}
        leaf["tasks"] = [
            self._task(keeper, task, shape, values, day, times[position]) for position, task in enumerate(shape.tasks)
        ]
        leaf["detail"] = self._body(keeper, shape, shape.leaf["detail"], values)
        if shape.leaf["connections"]:
            # ssh's socket is there before the first task has its answer, and goes after the last one has ended
            link = {"opened_at": times[0][0], "closed_at": times[len(shape.tasks) - 1][1]}
            leaf |= {**link, "connections": [link]}
        batch.add(leaf)
        return shape.outcome

    def _task(
        self, keeper: BodyKeeper, task: Mapping[str, object], shape: Shape, values: Mapping[str, bytes], day: date,
        times: tuple[str, str],
    ) -> dict[str, object]:  # fmt: skip
        made = {**task, "start": times[0], "end": times[1], "result": self._body(keeper, shape, task["result"], values)}
        if "attachments" in task:
            made["attachments"] = {"packages": self._programs(keeper, day)}
        return made

    def _body(self, keeper: BodyKeeper, shape: Shape, name: object, values: Mapping[str, bytes]) -> str:
        template = shape.bodies[str(name)]
        return keeper.keep(template.fill(values))

    def _programs(self, keeper: BodyKeeper, day: date) -> str:
        cycle = self.computer.updates.cycle_of(day)
        if self._packages is None or self._packages[0] != cycle:
            content = write_programs(self.computer.updates, day)
            self._packages = cycle, keeper.keep(content)
        return self._packages[1]


def _times(kind: Kind, begun: datetime, draw: Draw) -> list[tuple[str, str]]:
    """Begin and end of each task."""
    times, at = [], begun
    for position, least in enumerate(_TAKES):
        takes = least + draw.byte(position) * 3000
        if (kind is Kind.NOT_REACHED and position == 0) or (kind is Kind.LOST and position == 2):
            takes += _FAILED_TAKES
        end = at + timedelta(microseconds=takes)
        times.append((write_instant(at), write_instant(end)))
        at = end + timedelta(microseconds=7000)
    return times


@lru_cache(maxsize=4096)
def _morning(ordinal: int) -> bytes:
    """Four o'clock of a day, as JSON."""
    day = date.fromordinal(ordinal)
    return json_plain(write_instant(datetime(day.year, day.month, day.day, 4, tzinfo=UTC)))


def daily_values(computer: Computer, day: date, draw: Draw, at: list[str]) -> dict[str, bytes]:
    """What fills the holes of a computer's results on one day; `at`: when each task began."""
    used = computer.used_bytes(day, draw)
    reserved = computer.disk_bytes // 20
    since_update = (day.toordinal() + computer.updates.offset) % 30
    pending = since_update < computer.own.whole(8, 9)
    up = 1 + (day.toordinal() + computer.own.whole(9, 60)) % 60
    temp_files = draw.whole(2, 400) if draw.byte(44) < 190 else 0
    values = {
        "available": json_number(max(0, computer.disk_bytes - used - reserved)),
        "used": json_number(used),
        "inodes": json_number(computer.disk_bytes // 16384 - used // 60000),
        "week_ago": _morning(day.toordinal() - 7),
        "errors": json_number(draw.byte(45)),
        "pending": b"true" if pending else b"false",
        "pending_since": _morning(day.toordinal() - since_update) if pending else b"null",
        "uptime": json_number(up * 86400 + draw.whole(3, 3600)),
        "boot_at": _morning(day.toordinal() - up),
        "memory": json_number(2 * 10**9 + draw.whole(4, 10**7) * 1000),
        "celsius": json_number(38 + draw.byte(46) / 8),
        "programs": json_number(count_programs(computer.updates, day)),
        "temp_files": json_number(temp_files),
        "temp_bytes": json_number(temp_files * (4096 + draw.whole(5, 200_000))),
        "temp_young": json_number(draw.whole(6, 10**9)),
        "temp_digest": json_plain(f"{draw.whole(7, 2**32):08x}" * 8),
        "temp_example": json_plain(f"{TEMPORARY[0]}/invented-{draw.whole(7, 2**32):08x}"),
        "health_at": json_plain(at[1]),
        "software_at": json_plain(at[2]),
        "temp_at": json_plain(at[3]),
    }  # fmt: skip
    values |= {f"load{place}": _LOAD[draw.byte(47 + place)] for place in range(3)}
    values |= {f"second{place}": _SECONDS[draw.byte(4 + place)] for place in range(15)}
    return values

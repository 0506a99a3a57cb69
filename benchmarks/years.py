"""Three years of one client in a ledger: a home of itcare to measure pages and publication on.

`python -m benchmarks.years --home DIR [--computers 500] [--days 1096]` makes an installation whose ledger holds a daily
visit of all computers of one invented client, as the import of real visits would have written it: an opening, one leaf
for every computer with the four tasks of the collection's visit and their results, a closing. Some computers are not
reached, a few fail, disks fill, programs get new versions, temporary files go. Everything follows from the numbers of
computer and day by a hash, so two homes of one size differ only in random salts, run ids and keys.

Tree, right edge and checkpoints are the ledger's own, and `itcare verify` finds them sound. What is not as in real
life: a month of runs is one transaction and is signed once (real runs are signed twice each, so there would be more
files of checkpoints), the bodies' JSON is filled into templates, and nothing was published in between.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path

from sqlalchemy import event

from benchmarks.fleet import make_computers, write_fleet_contract
from benchmarks.measure import describe_machine
from benchmarks.runs import OPENED_AT_HOUR, RunWriter, duration_of, opening_of
from itcare.core.clock import FixedClock, SystemClock
from itcare.core.settings import Settings
from itcare.ledger.log import Ledger
from itcare.store.engine import open_engine, read

ABOUT = "years.json"
_CACHE_KIB = (
    512 * 1024
)  # digests come in no order: with SQLite's usual 2 MB each of them would read a page of the index


@dataclass(frozen=True)
class Years:
    """What was made. `days`: first and last day with a run; `bytes` of the database file; `seconds` that it took."""

    computers: int
    first_day: str
    last_day: str
    runs: int
    entries: int
    bytes: int
    seconds: float


type Progress = Callable[[str], None]


def make_years(home: Path, computers: int, days: int, *, last_day: date, progress: Progress) -> Years:
    """Make an installation at `home` with one client and a daily run of `days` days up to `last_day`, and sign it.

    The private recovery key is written beside `home`. `progress` is told of each month. Raises BadInputError or
    UnsafeError when `home` is in use.
    """
    begin = time.monotonic()
    first_day = last_day - timedelta(days=days - 1)
    settings = Settings(home=home, contracts=home / "contracts")
    clock = FixedClock(opening_of(first_day) - timedelta(hours=1))
    Ledger.initialise(settings, home.parent / f"{home.name}-recovery.key", clock)
    fleet = make_computers(computers)
    write_fleet_contract(settings.contracts, fleet)
    with _opened(settings, clock) as ledger:
        writer = RunWriter(ledger, clock, fleet)
        dates = [first_day + timedelta(days=number) for number in range(days)]
        for month, those in groupby(dates, key=lambda day: f"{day:%Y-%m}"):
            writer.add_month(list(those))
            progress(f"{month}: {writer.entries} entries, {time.monotonic() - begin:.0f} s")
    size = settings.database.stat().st_size
    made = Years(
        computers, f"{first_day}", f"{last_day}", days, writer.entries, size, round(time.monotonic() - begin, 1)
    )
    (home / ABOUT).write_text(json.dumps(asdict(made)))
    return made


def read_years(home: Path) -> Years | None:
    """What `make_years` made at `home`; None when it did not, or did not get to its end."""
    try:
        return Years(**json.loads((home / ABOUT).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def add_visit(home: Path, numbers: Sequence[int] = (), at: datetime | None = None) -> int:
    """Record one more run over the computers of these numbers (none: over all), now or at an instant, and sign it.

    The number of entries that it added. `home` is one of `make_years`.
    """
    made = read_years(home)
    if made is None:
        raise ValueError(f"{home} was not made by benchmarks.years")
    at = at or SystemClock().now()
    settings, clock = Settings(home=home, contracts=home / "contracts"), FixedClock(at)
    fleet = [one for one in make_computers(made.computers) if not numbers or one.number in numbers]
    with _opened(settings, clock) as ledger:
        writer = RunWriter(ledger, clock, fleet)
        before = writer.entries
        with ledger.append(writer.log) as batch:
            writer.add_run(batch, at.date(), at - duration_of(len(fleet)))
        writer.entries = ledger.sign(writer.log).size
        return writer.entries - before


@contextmanager
def _opened(settings: Settings, clock: FixedClock) -> Iterator[Ledger]:
    engine = open_engine(settings.database)
    engine.dispose()  # what is opened from here on gets the large cache
    event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA cache_size = -{_CACHE_KIB}"))
    try:
        yield Ledger(settings, engine, clock)
    finally:
        engine.dispose()  # the last connection folds the write-ahead log into the file


def default_last_day() -> date:
    """Today, once the run of today would be over; else yesterday."""
    return (SystemClock().now() - timedelta(hours=OPENED_AT_HOUR + 1)).date()


def count_bodies(home: Path) -> tuple[int, int]:
    """How many bodies the database holds, and their bytes before compression."""
    engine = open_engine(home / "itcare.sqlite")
    try:
        with read(engine) as connection:
            count, size = connection.exec_driver_sql("SELECT count(*), coalesce(sum(size), 0) FROM body").one()
            return int(count), int(size)
    finally:
        engine.dispose()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="folder to make; its recovery key lies beside it")
    parser.add_argument("--computers", type=int, default=500)
    parser.add_argument("--days", type=int, default=1096)
    parser.add_argument("--last-day", type=date.fromisoformat, default=default_last_day())
    options = parser.parse_args()
    cpu = time.process_time()
    made = make_years(
        options.home.absolute(), options.computers, options.days, last_day=options.last_day,
        progress=lambda text: print(text, file=sys.stderr),
    )  # fmt: skip
    cpu = time.process_time() - cpu
    bodies, size = count_bodies(options.home.absolute())
    print(f"years: {made.computers} computers, {made.runs} daily runs, {made.first_day} to {made.last_day}")
    print(describe_machine())
    visits = made.runs * made.computers
    print(f"{made.entries} entries, {bodies} bodies of {size / 1e6:.0f} MB in {made.bytes / 1e6:.0f} MB of database")
    print(f"{made.bytes / visits / 1024:.1f} KiB for each visit of a computer")
    print(f"made in {made.seconds:.0f} s, {cpu:.0f} s of one processor: {cpu / visits * 1e6:.0f} µs for each visit")
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())

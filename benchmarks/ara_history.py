"""ARA with a history, the peer of page data: a database as 90 days of daily playbooks leave it, and its host list.

`python -m benchmarks.ara_history [--hosts 500] [--days 90] [--calls 100] [--way page] [--json]` fills a database
through ARA's own models, one playbook a day with one play and five tasks; every computer has a host row in every
playbook, as ARA records it, and a result of each task. Then it asks for the list of hosts as ARA offers it, in process
through Django's test client, warm, and prints the 95th percentile of each way to ask:

* `api`: what `ara host list` asks for, the 50 newest rows;
* `latest`: what `ara host list --latest` asks for, the newest row of 50 computers;
* `page`: the index of hosts in ARA's web interface, the newest row of 100 computers.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from benchmarks.ara import Ara
from benchmarks.measure import describe_machine
from benchmarks.sizes import count_rows

WAYS = {
    "api": "/api/v1/hosts?order=-updated&limit=50",
    "latest": "/api/v1/latesthosts?order=-updated&limit=50",
    "page": "/hosts",
}
TASKS = (
    ("Probe the computer", "ansible.builtin.ping"),
    ("Look at the health of the computer", "itcare.maintenance.health_info"),
    ("List the installed software", "itcare.maintenance.software_info"),
    ("Clean up temporary files", "itcare.maintenance.temp_cleanup"),
    ("Report", "ansible.builtin.debug"),
)
FIRST_DAY = datetime(2026, 8, 28, 7, tzinfo=UTC)
LASTS = timedelta(minutes=12)
ROWS_AT_ONCE = 2_000


def fill_history(folder: Path, hosts: int, days: int) -> None:
    """Make ARA's database in the new folder `folder` and fill it; the newest playbook is of the last day."""
    _start(folder, migrate=True)
    from ara.api import models
    from django.db import connection, transaction
    from django.utils import timezone

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = OFF")  # only while it is filled
    names = [f"pc{number:03}" for number in range(hosts)]
    content = models.FileContent.objects.create(sha1="0" * 40, contents=_packed("- hosts: all"))
    newest: list[Any] = []
    for day in range(days):
        at = FIRST_DAY + timedelta(days=day)
        # ARA's models date their rows themselves; the clock they ask shows the day the rows stand for
        with transaction.atomic(), patch.object(timezone, "now", return_value=at + LASTS):
            newest = _fill_day(models, content, names, at, day)
    with transaction.atomic():
        models.LatestHost.objects.bulk_create([models.LatestHost(name=host.name, host=host) for host in newest])
    connection.close()


def _fill_day(models: Any, content: Any, names: list[str], at: datetime, day: int) -> list[Any]:
    """One playbook over every computer; returns its host rows."""
    ended = at + LASTS
    span = {"started": at, "ended": ended, "duration": ended - at}
    playbook = models.Playbook.objects.create(
        name="visit", path="/srv/playbooks/visit.yml", ansible_version="2.21.0", client_version="1.8.0",
        python_version="3.12.1", status="completed", arguments=_packed({}), controller="controller01", user="root",
        **span,
    )  # fmt: skip
    file = models.File.objects.create(path=playbook.path, content=content, playbook=playbook)
    play = models.Play.objects.create(name="Visit", uuid=UUID(int=day), status="completed", playbook=playbook, **span)
    tasks = [
        models.Task.objects.create(
            name=name, uuid=UUID(int=day * 100 + number), action=action, lineno=number, tags=_packed([]), handler=False,
            status="completed", play=play, file=file, playbook=playbook, **span,
        )
        for number, (name, action) in enumerate(TASKS)
    ]  # fmt: skip
    rows = [models.Host(name=name, facts=_packed({}), ok=len(TASKS), playbook=playbook) for name in names]
    models.Host.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    made = list(models.Host.objects.filter(playbook=playbook).order_by("id"))
    answer = _packed({"changed": False, "rc": 0, "stdout": "an answer of the usual length " * 10})
    results = [
        models.Result(status="ok", content=answer, host=host, task=task, play=play, playbook=playbook, **span)
        for host in made for task in tasks
    ]  # fmt: skip
    models.Result.objects.bulk_create(results, batch_size=ROWS_AT_ONCE)
    return made


def measure_host_list(folder: Path, calls: int, way: str = "api") -> list[float]:
    """Seconds of each of `calls` requests for the host list of a filled database, after three that do not count."""
    _start(folder, migrate=False)
    from django.test import Client

    client, seconds = Client(), []
    for number in range(calls + 3):
        begin = time.perf_counter()
        response = client.get(WAYS[way])
        body = response.content
        if number >= 3:
            seconds.append(time.perf_counter() - begin)
        assert response.status_code == 200, body[:300]
        assert re.search(rb"pc\d{3}", body), "no host is in the answer"
    return seconds


def _start(folder: Path, *, migrate: bool) -> Ara:
    """Set Django up for the database in `folder`; once in a process, since Django knows only one."""
    ara = Ara(folder)
    if migrate:
        ara.migrate(dict(os.environ))
    told = os.environ.get("ARA_BASE_DIR")
    assert told in (None, str(folder)), "one process, one folder"
    os.environ.update(ara.server_environment)
    os.environ["ARA_ALLOWED_HOSTS"] = "@json ['testserver']"
    import django

    django.setup()
    return ara


def _packed(value: object) -> bytes:
    """A value as ARA's serializers store it."""
    return zlib.compress((value if isinstance(value, str) else json.dumps(value)).encode())


def percentile_95(seconds: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--way", action="append", choices=WAYS, help="only this way to ask; default: all")
    parser.add_argument("--json", action="store_true", help="figures for another program, in seconds and bytes")
    options = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="ara-history-"))
    try:
        begin = time.monotonic()
        fill_history(top / "ara", options.hosts, options.days)
        filled = time.monotonic() - begin
        chosen = options.way or list(WAYS)
        ways = {way: percentile_95(measure_host_list(top / "ara", options.calls, way)) for way in chosen}
        database = top / "ara" / "ansible.sqlite"
        rows = {table: count_rows(database, table) for table in ("playbooks", "hosts", "results")}
        found = {
            "ara": Ara(top / "ara").version, "hosts": options.hosts, "days": options.days, "calls": options.calls,
            "fill_seconds": filled, "bytes": database.stat().st_size, "rows": rows, "p95_seconds": ways,
        }  # fmt: skip
    finally:
        shutil.rmtree(top)
    if options.json:
        print(json.dumps(found))
        return 0
    print(f"ARA {found['ara']}: {options.hosts} hosts x {options.days} daily playbooks, filled in {filled:.0f} s")
    print(describe_machine())
    print(f"rows {rows}, {found['bytes'] / 2**20:.0f} MiB")
    for way, seconds in ways.items():
        print(f"{WAYS[way]:44}{seconds * 1000:10.1f} ms, 95th percentile of {options.calls} calls")
    return 0


if __name__ == "__main__":
    sys.exit(main())

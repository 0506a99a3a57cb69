"""ARA with a history, the peer of page data: a database as 90 days of daily playbooks leave it, and its host list.

`python -m benchmarks.ara_history [--hosts 500] [--days 90] [--calls 100] [--json]` fills a database through ARA's own
models, one playbook a day with one play and five tasks; every computer has a host row in every playbook, as ARA records
it, and a result of each task. Then it asks for the list of hosts as ARA offers it, in process through Django's test
client, warm, and prints the 95th percentile of each way to ask:

* `api`: what `ara host list` asks for, the 50 newest rows;
* `latest`: what `ara host list --latest` asks for, the newest row of 50 computers;
* `page`: the index of hosts in ARA's web interface, the newest row of 100 computers.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
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
ROWS_AT_ONCE = 2_000


def fill_history(folder: Path, hosts: int, days: int) -> None:
    """Make ARA's database in the new folder `folder` and fill it; the newest playbook is of the last day."""
    _start(folder, migrate=True)
    from ara.api import models
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = OFF")  # only while it is filled
    names = [f"pc{number:03}" for number in range(hosts)]
    content = models.FileContent.objects.create(sha1="0" * 40, contents=_packed("- hosts: all"))
    for day in range(days):
        with transaction.atomic():
            newest = _fill_day(models, content, names, FIRST_DAY + timedelta(days=day), day)
    with transaction.atomic():
        models.LatestHost.objects.bulk_create(
            [
                models.LatestHost(name=host.name, host=host, created=host.created, updated=host.updated)
                for host in newest
            ]
        )
    connection.close()


def _fill_day(models: Any, content: Any, names: list[str], at: datetime, day: int) -> list[Any]:
    """One playbook over every computer; returns its host rows. Instants are those of the day it stands for."""
    ended = at + timedelta(minutes=12)
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
    rows = [
        models.Host(name=name, facts=_packed({}), ok=len(TASKS), playbook=playbook, created=at, updated=ended)
        for name in names
    ]
    models.Host.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    made = list(models.Host.objects.filter(playbook=playbook).order_by("id"))
    answer = _packed({"changed": False, "rc": 0, "stdout": "an answer of the usual length " * 10})
    results = [
        models.Result(status="ok", content=answer, host=host, task=task, play=play, playbook=playbook, **span)
        for host in made for task in tasks
    ]  # fmt: skip
    models.Result.objects.bulk_create(results, batch_size=ROWS_AT_ONCE)
    _date(models, playbook, file, play, at, ended)
    return made


def _date(models: Any, playbook: Any, file: Any, play: Any, at: datetime, ended: datetime) -> None:
    """Put back the instants that ARA's models set by themselves to the moment of filling."""
    models.Playbook.objects.filter(pk=playbook.pk).update(created=at, updated=ended)
    models.File.objects.filter(pk=file.pk).update(created=at, updated=at)
    for model in (models.Play, models.Task, models.Host, models.Result):
        model.objects.filter(playbook=playbook).update(created=at, updated=ended)
    assert play.playbook_id == playbook.pk


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
        assert b"pc0" in body, "no host is in the answer"
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
    parser.add_argument("--json", action="store_true", help="figures for another program, in seconds and bytes")
    options = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="ara-history-"))
    try:
        begin = time.monotonic()
        fill_history(top / "ara", options.hosts, options.days)
        filled = time.monotonic() - begin
        ways = {way: percentile_95(measure_host_list(top / "ara", options.calls, way)) for way in WAYS}
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

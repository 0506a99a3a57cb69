"""One client whose ledger grows while it is published now and then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from itcare.publish.publication import publish_client
from itcare.publish.recollection import recollect
from tests.support.published import expect_published, read_published
from tests.support.publishing import SMALL_JUDGE, build_whole, make_source, write_contract
from tests.support.stories import Story, observe, task

BEGAN = datetime(2026, 1, 20, 6, 0, tzinfo=UTC)
HOSTS = ("pc01", "pc02", "srv01")
LISTS = (
    [("bash", "5.2")],
    [("bash", "5.3"), ("openssl", "3.0")],
    [("openssl", "3.0"), ("openssl", "3.1")],
)


class Firm:
    """One client over months: visits are told, time goes on, and now and then somebody publishes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = BEGAN
        self.story = Story("ACME", began=BEGAN)
        self.hosts = HOSTS
        self.judge = SMALL_JUDGE
        self.open: list[tuple[int, tuple[str, ...]]] = []
        self.live: set[int] = set()
        self.bookmark = folder / "mark.sqlite"

    def visit(self, hosts=HOSTS, *, free=50, software=0, outcome="ok", **changes) -> int:
        run = self.begin(hosts, **changes)
        self.end(run, hosts, free=free, software=software, outcome=outcome)
        return run

    def begin(self, hosts=HOSTS, *, live=True, **changes) -> int:
        run = self.story.open_run(list(hosts), at=self.now, **changes)
        self.open.append((run, tuple(hosts)))
        if live:
            self.live.add(run)
        return run

    def end(self, run, hosts, *, free=50, software=0, outcome="ok") -> None:
        self.story.clock = self.now
        for turn, host in enumerate(hosts):
            self.story.tell_host(run, host, outcome, tasks=self._tasks(free + turn, software, outcome))
        self.story.close_run(run)
        self.live.discard(run)
        self.open = [one for one in self.open if one[0] != run]

    def _tasks(self, free, software, outcome):
        if outcome == "not_reached":
            return []
        packages = [{"name": name, "version": version, "source": "dpkg", "scope": "machine"}
                    for name, version in LISTS[software % len(LISTS)]]  # fmt: skip
        answer = {"schema": "itcare/software/v1", "sources": {"dpkg": {"state": "ok"}}}
        temp = {"schema": "itcare/temp/v1", "mode": "clean", "blocks_bytes": free, "total": {"planned_bytes": 9},
                "categories": {"system_temp": {"state": "ok"}}}  # fmt: skip
        told = "timed_out" if outcome == "unknown" else "ok"
        health = {"health": observe(free_percent=free, at=self.now)}
        return [
            task(0, "itcare.maintenance.health_info", self.now, result=self.story.keep(health), outcome=told),
            task(1, "itcare.maintenance.software_info", self.now, result=self.story.keep({"software": answer}),
                 attachments={"packages": self.story.keep(packages)}),
            task(2, "itcare.maintenance.temp_cleanup", self.now, result=self.story.keep({"temp": temp})),
        ]  # fmt: skip

    def stray(self) -> None:
        self.story.clock = self.now
        self.story.add({"type": "something.new"})

    def source(self, **options):
        loaded = write_contract(self.folder / "contracts", "ACME", self.hosts)
        return make_source(self.story, loaded, at=self.now, live_runs=frozenset(self.live), **options)

    def publish(self, *, rebuild=False, **options):
        return publish_client(
            self.folder / "published", self.source(**options), self.judge, self.now,
            bookmark=self.bookmark, rebuild=rebuild,
        )  # fmt: skip

    def recollect(self):
        """The ledger as it stands now, asked with what the last publication remembers."""
        source = self.source()
        return recollect(self.bookmark, source.entries, source.checkpoint, source.body, source.live_runs)

    def check(self) -> None:
        found = read_published(self.folder / "published" / "1")
        expected = expect_published(build_whole(self.source(), self.judge, self.now))
        for table in expected:
            assert found[table] == expected[table], table


def pass_days(firm, days):
    firm.now += timedelta(days=days)

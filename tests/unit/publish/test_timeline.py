"""What the recorded looks say over time: measures, intervals of findings, software, clean-ups."""

from datetime import timedelta

import pytest

from itcare.access import find_scope, list_scopes
from itcare.core.words import FindingStatus, ForecastReason, SoftwareChange, TempState
from itcare.publish.reader import Snapshot
from tests.support.publishing import SMALL_JUDGE, build_whole, make_source, write_contract
from tests.support.snapshots import write_client
from tests.support.stories import DAY, Story, observe, task

NOON = DAY + timedelta(hours=4)


def package(name, version, source="dpkg", **other):
    return {"name": name, "version": version, "publisher": "Debian", "architecture": "amd64", "scope": "machine",
            "installed_at": None, "source": source} | other  # fmt: skip


def software_task(story, packages, at, *, states=None, attached=True, **changes):
    """A software task of a leaf; the list lies beside the result, as the driver puts it."""
    sources = {name: {"state": state, "reason": None} for name, state in (states or {"dpkg": "ok"}).items()}
    answer = {"schema": "itcare/software/v1", "sources": sources, "count": len(packages),
              "packages": {"attached": True, "count": len(packages)} if attached else packages}  # fmt: skip
    attachments = {"packages": story.keep(packages)} if attached else {}
    result = story.keep({"changed": False, "software": answer})
    return task(2, "itcare.maintenance.software_info", at, result=result, attachments=attachments) | changes


def temp_task(story, at, *, mode="clean", position=3, **changes):
    category = {"state": "ok", "reason": None, "planned": {"files": 3, "bytes": 3000}, "paths": ["/tmp"],
                "deleted": {"files": 2, "bytes": 2000}, "skipped": {"in_use": {"files": 1, "bytes": 1000}}}  # fmt: skip
    answer = {"schema": "itcare/temp/v1", "mode": mode, "blocks_bytes": 4096, "freed_bytes": -5,
              "total": {"planned_bytes": 3000, "deleted_bytes": 2000},
              "categories": {"system_temp": category, "user_cache": {"state": "absent"}}}  # fmt: skip
    result = story.keep({"changed": True, "temp": answer})
    return task(position, "itcare.maintenance.temp_cleanup", at, result=result) | changes


def health_task(story, health, at, **changes):
    return task(1, "itcare.maintenance.health_info", at, result=story.keep({"health": health})) | changes


class Days:
    """A story told day by day about one host; `rows` are those of its snapshot."""

    def __init__(self, folder, days=30):
        self.story = Story("ACME", began=DAY - timedelta(days=days + 1))
        self.loaded = write_contract(folder / "contracts", "ACME", ["pc01"])
        self.days = days

    def visit(self, ago, *make, outcome="ok", **changes):
        at = DAY - timedelta(days=ago)
        run = self.story.open_run(["pc01"], at=at)
        self.story.tell_host(run, "pc01", outcome, tasks=[one(self.story, at) for one in make], **changes)
        self.story.close_run(run)
        return run

    def look(self, ago, free, **changes):
        return self.visit(ago, lambda story, at: health_task(story, observe(free_percent=free, at=at), at, **changes))

    def software(self, ago, packages, **options):
        return self.visit(ago, lambda story, at: software_task(story, packages, at, **options))

    def rows(self, now=NOON):
        return build_whole(make_source(self.story, self.loaded, at=now), SMALL_JUDGE, now)


@pytest.fixture
def days(tmp_path):
    return Days(tmp_path)


def test_a_disk_that_fills_over_thirty_days_has_its_day_named(days):
    for ago in range(30, -1, -1):
        days.look(ago, 20 + ago)  # one per cent of 500 GB a day, 20 % left today
    rows = days.rows()
    assert [row.name for row in rows.measures] == ["disk_used_bytes"] * 31
    assert rows.measures[-1].value == pytest.approx(400e9) and rows.measures[-1].capacity == pytest.approx(500e9)
    (forecast,) = rows.forecasts
    assert forecast.days == pytest.approx(20, abs=0.01)
    assert forecast.full_at.date() == (DAY + timedelta(days=20)).date()


def test_with_a_week_of_looks_no_day_is_named(days):
    for ago in range(7, -1, -1):
        days.look(ago, 20 + ago)
    assert days.rows().forecasts[0].reason is ForecastReason.TOO_SHORT


def test_a_disk_that_is_no_longer_there_has_no_forecast(days):
    for ago in range(20, 1, -1):
        days.look(ago, 50)
    without = observe()
    without["sources"]["filesystems"]["data"][0]["mount"] = "/srv"
    days.visit(0, lambda story, at: health_task(story, without, at))
    assert [row.subject for row in days.rows().forecasts] == ["/srv"]


def intervals(rows, rule="disk.free"):
    return [(row.status.value, row.first_run, row.last_run, row.current)
            for row in sorted(rows.finding_intervals, key=lambda row: row.first_run) if row.rule == rule]  # fmt: skip


def test_a_finding_has_a_since_and_ends_when_a_look_says_otherwise(days):
    for ago, free in ((6, 50), (5, 5), (4, 5), (3, 50), (2, 5), (1, 5)):
        days.look(ago, free)
    rows = days.rows()
    assert intervals(rows) == [("ok", 1, 1, False), ("fail", 2, 3, False), ("ok", 4, 4, False), ("fail", 5, 6, True)]
    assert [row.first_seen.date() for row in rows.finding_intervals if row.current] == [(DAY - timedelta(2)).date()]


def test_a_failed_look_neither_ends_a_finding_nor_extends_it(days):
    days.look(4, 5)
    days.look(3, 50, outcome="failed")
    days.look(2, 5)
    rows = days.rows()
    assert intervals(rows) == [("fail", 1, 3, True)]
    assert intervals(rows, "observation") == [("unknown", 2, 2, False)]


def test_good_news_of_before_a_failed_look_is_not_current_and_bad_news_is(days):
    days.look(4, 50)
    days.look(3, 50, outcome="failed")
    assert intervals(days.rows()) == [("ok", 1, 1, False)]
    assert intervals(days.rows(), "observation") == [("unknown", 2, 2, True)]
    days.look(2, 5)
    days.look(1, 50, truncated=True)
    assert intervals(days.rows())[-1] == ("fail", 3, 3, True)


def test_old_good_news_is_not_current_after_fourteen_days(days):
    days.look(20, 50)
    assert intervals(days.rows()) == [("ok", 1, 1, False)]
    assert intervals(days.rows(now=DAY - timedelta(days=10))) == [("ok", 1, 1, True)]


def seen_software(rows):
    """Name and version of each package with the newest run that could ask its source."""
    runs = {(look.host, look.source): look.run for look in rows.software_looks}
    return {(row.name, row.version, runs[row.host, row.source]) for row in rows.software}


def test_an_update_between_two_visits_shows_both_versions(days):
    days.software(2, [package("openssl", "3.0.1"), package("bash", "5.2")])
    run = days.software(1, [package("openssl", "3.0.2"), package("bash", "5.2"), package("jq", "1.7")])
    rows = days.rows()
    assert {(c.kind, c.name, c.old_version, c.new_version, c.run_before, c.run) for c in rows.software_changes} == {
        (SoftwareChange.UPDATED, "openssl", "3.0.1", "3.0.2", 1, run),
        (SoftwareChange.INSTALLED, "jq", None, "1.7", 1, run),
    }
    assert seen_software(rows) == {
        ("openssl", "3.0.2", 2), ("bash", "5.2", 2), ("jq", "1.7", 2)
    }  # fmt: skip
    assert [row.value for row in rows.measures if row.name == "software_count"] == [2, 3]


def test_versions_side_by_side_come_and_go_and_are_no_update(days):
    days.software(2, [package("kernel", "6.1"), package("kernel", "6.2")])
    days.software(1, [package("kernel", "6.2"), package("kernel", "6.3")])
    changes = {(c.kind, c.old_version, c.new_version) for c in days.rows().software_changes}
    assert changes == {(SoftwareChange.REMOVED, "6.1", None), (SoftwareChange.INSTALLED, None, "6.3")}


def test_the_same_name_for_two_architectures_or_sources_is_two_packages(days):
    both = [package("libc6", "2.36"), package("libc6", "2.36", architecture="i386"), package("libc6", "9", "snap")]
    days.software(2, both, states={"dpkg": "ok", "snap": "ok"})
    days.software(1, [both[0], package("libc6", "2.37", architecture="i386"), both[2]],
                  states={"dpkg": "ok", "snap": "ok"})  # fmt: skip
    (change,) = days.rows().software_changes
    assert (change.kind, change.architecture, change.new_version) == (SoftwareChange.UPDATED, "i386", "2.37")


def test_a_source_that_could_not_be_asked_removes_nothing(days):
    states = {"dpkg": "ok", "snap": "ok"}
    days.software(4, [package("bash", "1"), package("code", "1", "snap")], states=states)
    days.software(3, [package("bash", "1")], states={"dpkg": "ok", "snap": "unavailable"})
    rows = days.rows()
    assert rows.software_changes == ()
    assert seen_software(rows) == {("bash", "1", 2), ("code", "1", 1)}
    assert [row.value for row in rows.measures if row.name == "software_count"] == [2]
    days.software(2, [package("bash", "1"), package("code", "2", "snap")], states=states)
    (change,) = days.rows().software_changes
    assert (change.old_version, change.new_version, change.run_before, change.run) == ("1", "2", 1, 3)


@pytest.mark.parametrize(
    "changes", [{"truncated": True}, {"outcome": "failed"}, {"attachments": {"packages": "0" * 64}}]
)
def test_a_list_that_was_cut_failed_or_erased_changes_nothing(days, changes):
    days.software(3, [package("bash", "1")])
    days.software(2, [], **changes)
    rows = days.rows()
    assert rows.software_changes == () and seen_software(rows) == {("bash", "1", 1)}


def test_a_list_inside_the_result_is_read_as_well(days):
    days.software(3, [package("bash", "1")], attached=False)
    days.software(2, [package("bash", "2")], attached=False)
    assert [c.new_version for c in days.rows().software_changes] == ["2"]


HOSTILE = [None, 7, "x", [], {}, [None, 7, [], {"name": ""}, {"name": "a"}, {"source": "dpkg"}], [[["deep"]]]]


@pytest.mark.parametrize("packages", HOSTILE)
def test_a_malformed_list_of_software_breaks_nothing(days, packages):
    days.visit(2, lambda story, at: software_task(story, [], at, attachments={"packages": story.keep(packages)}))
    days.visit(1, lambda story, at: software_task(story, [], at, attachments=packages))
    assert days.rows().software == ()


def test_an_unchanged_list_of_software_is_fetched_once(days):
    packages = [package(f"p{number}", "1") for number in range(50)]
    for ago in range(20, 0, -1):
        days.software(ago, packages)
    digest = days.story.keep(packages)
    days.story.fetched.clear()
    days.rows()
    assert days.story.fetched.count(digest) == 1


def test_a_clean_up_has_a_row_by_category_and_its_bytes_over_time(days):
    days.visit(2, lambda story, at: temp_task(story, at, mode="plan"))
    days.visit(1, lambda story, at: temp_task(story, at))
    rows = days.rows()
    assert [(row.run, row.category, row.state, row.deleted_bytes) for row in rows.temps] == [
        (1, "system_temp", TempState.OK, 2000), (1, "user_cache", TempState.ABSENT, None),
        (2, "system_temp", TempState.OK, 2000), (2, "user_cache", TempState.ABSENT, None),
    ]  # fmt: skip
    assert [(row.run, row.name, row.value) for row in rows.measures] == [
        (1, "temp_planned_bytes", 3000), (2, "temp_freed_bytes", 4096), (2, "temp_planned_bytes", 3000)
    ]  # fmt: skip


def test_an_adopted_run_adds_nothing_to_what_is_looked_back_on(days):
    days.look(3, 50)
    before = days.rows()
    at = DAY - timedelta(days=1)
    run = days.story.open_run(["pc01"], at=at, grade="unannounced")
    tasks = [health_task(days.story, observe(free_percent=1), at), software_task(days.story, [package("x", "1")], at)]
    days.story.tell_host(run, "pc01", tasks=tasks)
    days.story.close_run(run)
    after = days.rows()
    assert (after.measures, after.finding_intervals, after.software, after.findings, after.obligations) == (
        before.measures, before.finding_intervals, before.software, before.findings, before.obligations
    )  # fmt: skip
    assert [row.number for row in after.runs] == [1, 2]


def test_no_observation_is_fetched_more_often_when_there_are_more_of_them(tmp_path):
    def fetches(count):
        days = Days(tmp_path / str(count), count)
        for ago in range(count, 0, -1):
            days.look(ago, 30 + ago / 10)
        days.story.fetched.clear()
        days.rows()
        return len(days.story.fetched)

    assert fetches(40) / 40 == pytest.approx(fetches(20) / 20, rel=0.1)


def test_every_number_is_kept_and_those_of_a_year_are_shown_unless_older_ones_are_asked_for(tmp_path):
    days = Days(tmp_path, 400)
    for ago in (390, 370, 360, 1):
        days.look(ago, 50)
    rows = days.rows()
    assert [row.run for row in rows.measures] == [1, 2, 3, 4]
    write_client(tmp_path / "published", 1, rows)
    with Snapshot.open(find_scope(list_scopes(tmp_path / "published"), "ACME")) as snapshot:
        assert [row.run for row in snapshot.measures("pc01")] == [3, 4]
        assert snapshot.measures("pc01", since=DAY - timedelta(days=380)) == tuple(rows.measures[1:])
        assert snapshot.measures("pc01", since=DAY - timedelta(days=401)) == tuple(rows.measures)


def test_the_findings_of_today_agree_with_the_intervals_that_are_current(days):
    for ago, free in ((6, 50), (5, 5), (1, 5)):
        days.look(ago, free)
    rows = days.rows()
    now = {(row.host, row.rule, row.subject, row.status) for row in rows.findings}
    assert {(r.host, r.rule, r.subject, r.status) for r in rows.finding_intervals if r.current} == now
    assert {status for *_, status in now} == {FindingStatus.FAIL}

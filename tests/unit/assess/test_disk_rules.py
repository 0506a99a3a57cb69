import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.assess import SEVERITY
from tests.support.judging import judge, judge_one
from tests.support.observations import GB, file_system, observation, ok

LARGE, SMALL = 980 * GB, 20 * GB


def with_root(**fields):
    return observation(filesystems=ok([file_system(**fields)]))


@pytest.mark.parametrize(
    ("total", "available", "status", "fact"),
    [
        pytest.param(LARGE, LARGE, "ok", "disk.free.ok", id="an empty volume"),
        pytest.param(LARGE, 147 * GB, "ok", "disk.free.ok", id="exactly 15 percent"),
        pytest.param(LARGE, 147 * GB - 1, "warn", "disk.free.low", id="one byte under 15 percent"),
        pytest.param(LARGE, 98 * GB, "warn", "disk.free.low", id="exactly 10 percent"),
        pytest.param(LARGE, 98 * GB - 1, "fail", "disk.free.low", id="one byte under 10 percent"),
        pytest.param(LARGE, 0, "fail", "disk.free.low", id="nothing left"),
        pytest.param(100 * GB, 20 * GB, "ok", "disk.free.ok", id="exactly 20 GB of 100"),
        pytest.param(100 * GB, 20 * GB - 1, "warn", "disk.free.low_gb", id="one byte under 20 GB"),
        pytest.param(80 * GB, 10 * GB, "warn", "disk.free.low", id="exactly 10 GB of 80, 12.5 percent"),
        pytest.param(80 * GB, 10 * GB - 1, "fail", "disk.free.low_gb", id="one byte under 10 GB"),
        pytest.param(50 * GB, 19 * GB, "warn", "disk.free.low_gb", id="the GB limits begin at 50 GB"),
        pytest.param(50 * GB - 1, 9 * GB, "ok", "disk.free.ok", id="a byte smaller: only percents count"),
        pytest.param(SMALL, 3 * GB, "ok", "disk.free.ok", id="exactly 15 percent of a small volume"),
        pytest.param(SMALL, 3 * GB - 1, "warn", "disk.free.low", id="a small volume under 15 percent"),
        pytest.param(1, 1, "ok", "disk.free.ok", id="the smallest volume"),
        pytest.param(2**63 - 1, 2**63 - 1, "ok", "disk.free.ok", id="the largest volume"),
    ],
)
def test_free_space_is_judged_by_share_and_by_amount(total, available, status, fact):
    finding = judge_one(with_root(total=total, available=available), "disk.free")
    assert (finding.status, finding.fact, finding.subject) == (status, fact, "/")


def test_the_reason_reads_like_a_technician_wrote_it():
    finding = judge_one(with_root(available=137 * GB), "disk.free")
    assert finding.reason == "/ has 137.0 GB of 980.0 GB free (14 %), below the 15 % limit."
    assert finding.values == {
        "mount": "/",
        "available_bytes": 137 * GB,
        "total_bytes": 980 * GB,
        "free_percent": pytest.approx(13.98, abs=0.01),
        "limit_percent": 15.0,
    }


def test_the_reason_never_shows_a_share_that_reaches_the_limit_it_is_below():
    finding = judge_one(with_root(available=147 * GB - 1), "disk.free")
    assert "(14.999 %), below the 15 % limit" in finding.reason


@pytest.mark.parametrize(
    ("total", "keys"),
    [
        (LARGE, {"warn_pct", "fail_pct", "warn_gb", "fail_gb", "gb_rule_from_gb"}),
        (SMALL, {"warn_pct", "fail_pct", "gb_rule_from_gb"}),
    ],
)
def test_it_tells_which_limits_were_compared(total, keys):
    finding = judge_one(with_root(total=total, available=total), "disk.free")
    assert set(finding.threshold) == keys
    assert finding.threshold_source == "itcare's own choice"


def test_a_contract_may_ask_for_more_room():
    finding = judge_one(with_root(available=180 * GB), "disk.free", thresholds={"warn_pct": 20})
    assert (finding.status, finding.threshold["warn_pct"]) == ("warn", 20.0)
    assert finding.threshold_source == "contract (warn_pct); else itcare's own choice"


def test_a_limit_with_decimals_counts_as_it_was_written():
    # 14.3 has no exact binary form; a product of floats would put 14.3 % of this volume below it.
    assert judge_one(with_root(total=10_000, available=1430), "disk.free", thresholds={"warn_pct": 14.3}).status == "ok"
    assert (
        judge_one(with_root(total=10_000, available=1429), "disk.free", thresholds={"warn_pct": 14.3}).status == "warn"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "squashfs", "device": "/dev/sr0"},
        {"type": "iso9660"},
        {"type": "tmpfs", "device": "tmpfs"},
        {"type": "ext4", "device": "/dev/loop7"},
    ],
)
def test_pseudo_image_and_loop_file_systems_are_not_judged(fields):
    seen = observation(filesystems=ok([file_system(), file_system("/full", GB, 0, **fields)]))
    assert judge_one(seen, "disk.free").subject == "/"
    assert judge_one(seen, "disk.inodes").subject == "/"


def test_a_real_file_system_mounted_read_only_is_still_judged():
    assert judge_one(with_root(available=1, read_only=True), "disk.free").status == "fail"


@pytest.mark.parametrize("rows", [[], [file_system(type="squashfs")]])
def test_no_file_system_to_judge_is_unknown(rows):
    seen = observation(filesystems=ok(rows))
    for rule in ("disk.free", "disk.inodes"):
        finding = judge_one(seen, rule)
        assert (finding.status, finding.fact) == ("unknown", f"{rule}.none")


@pytest.mark.parametrize(
    ("free", "status", "fact"),
    [
        (1000, "ok", "disk.inodes.ok"),
        (100, "ok", "disk.inodes.ok"),
        (99, "warn", "disk.inodes.low"),
        (50, "warn", "disk.inodes.low"),
        (49, "fail", "disk.inodes.low"),
        (0, "fail", "disk.inodes.low"),
    ],
)
def test_inodes_are_judged_by_share(free, status, fact):
    finding = judge_one(with_root(inodes_total=1000, inodes_free=free), "disk.inodes")
    assert (finding.status, finding.fact) == (status, fact)


def test_a_file_system_without_inode_counts_gets_no_inode_finding():
    assert judge(with_root(type="btrfs", inodes_total=0, inodes_free=0), "disk.inodes") == []


@pytest.mark.parametrize(
    ("rule", "fields", "place", "found"),
    [
        ("disk.free", {"total": 0, "available": 0}, "filesystems[0].total_bytes", "the number 0"),
        ("disk.free", {"available_bytes": 981 * GB}, "filesystems[0].available_bytes", "the number 981000000000"),
        ("disk.free", {"available_bytes": -1}, "filesystems[0].available_bytes", "the number -1"),
        ("disk.free", {"available_bytes": 1.5}, "filesystems[0].available_bytes", "the number 1.5"),
        ("disk.free", {"available_bytes": float("nan")}, "filesystems[0].available_bytes", "the number nan"),
        ("disk.free", {"available_bytes": True}, "filesystems[0].available_bytes", "true"),
        ("disk.free", {"available_bytes": "500"}, "filesystems[0].available_bytes", "text"),
        ("disk.free", {"total_bytes": 10**400}, "filesystems[0].total_bytes", "a number beyond 64 bits"),
        ("disk.free", {"mount": ""}, "filesystems[0].mount", "empty text"),
        ("disk.free", {"mount": ["/"]}, "filesystems[0].mount", "a list"),
        ("disk.inodes", {"inodes_total": 0, "inodes_free": 1}, "filesystems[0].inodes_free", "the number 1"),
        ("disk.inodes", {"inodes_total": None}, "filesystems[0].inodes_total", "nothing"),
    ],
)
def test_an_impossible_row_is_unknown_and_told_by_place(rule, fields, place, found):
    finding = judge_one(with_root(**fields), rule)
    assert (finding.status, finding.fact) == ("unknown", f"{rule}.malformed")
    assert (finding.values["place"], finding.values["found"]) == (place, found)
    assert finding.threshold == {}
    assert finding.threshold_source == ""


def test_one_unreadable_row_hides_no_other():
    seen = observation(filesystems=ok([file_system("/a"), "not a row", file_system("/b", available=0)]))
    assert [(finding.status, finding.subject) for finding in judge(seen, "disk.free")] == [
        ("fail", "/b"),
        ("unknown", None),
        ("ok", "/a"),
    ]


@given(
    total=st.integers(1, 2**50),
    shares=st.tuples(st.integers(0, 1000), st.integers(0, 1000)),
    inodes=st.tuples(st.integers(0, 1000), st.integers(0, 1000)),
)
def test_less_free_space_never_improves_the_verdict(total, shares, inodes):
    fuller, emptier = sorted(shares)
    fewer, more = sorted(inodes)
    worse = with_root(total=total, available=total * fuller // 1000, inodes_total=1000, inodes_free=fewer)
    better = with_root(total=total, available=total * emptier // 1000, inodes_total=1000, inodes_free=more)
    for rule in ("disk.free", "disk.inodes"):
        assert SEVERITY[judge_one(worse, rule).status] <= SEVERITY[judge_one(better, rule).status]

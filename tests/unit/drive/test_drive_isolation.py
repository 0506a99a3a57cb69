"""Reading where a run's cgroup is; a shared one must never be taken for the run's own."""

from pathlib import Path

import pytest

from itcare.drive.isolation import belongs_to_run, cgroup_mount, cgroup_path, unit_name

RUN = "0" * 32
HYBRID = "tmpfs /sys/fs/cgroup tmpfs ro 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid 0 0\n"
PURE = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        (HYBRID, Path("/sys/fs/cgroup/unified")),
        (PURE, Path("/sys/fs/cgroup")),
        ("cgroup /sys/fs/cgroup/pids cgroup rw 0 0\n", None),
        ("", None),
        ("nonsense\n", None),
    ],
)
def test_the_version_2_hierarchy_is_found_where_it_is_mounted(mounts: str, expected: Path | None) -> None:
    assert cgroup_mount(mounts) == expected


def test_the_own_path_is_that_of_version_2() -> None:
    assert cgroup_path("9:name=systemd:/user.slice\n0::/user.slice/x.scope\n") == "/user.slice/x.scope"
    assert cgroup_path("9:name=systemd:/\n") is None


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (f"/sys/fs/cgroup/{unit_name(RUN)}", True),
        (f"/sys/fs/cgroup/system.slice/{unit_name(RUN)}.scope", True),
        ("/sys/fs/cgroup", False),
        (f"/sys/fs/cgroup/{unit_name(RUN)}/other", False),
        (f"/sys/fs/cgroup/{unit_name('1' * 32)}", False),
    ],
)
def test_only_a_cgroup_named_after_the_run_belongs_to_it(path: str, own: bool) -> None:
    assert belongs_to_run(Path(path), RUN) is own

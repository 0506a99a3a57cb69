import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.health import Computer, hide_tools, import_health, make_computer
from tests.support.software import ask, import_software

answer = import_health("answer")
apk, dpkg, flatpak, manager, package, rpm, snap = (
    import_software(name) for name in ("apk", "dpkg", "flatpak", "manager", "package", "rpm", "snap")
)


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def reason_of(function, *arguments) -> tuple[str, str]:
    """The state and the word of a source that has no list."""
    with pytest.raises((answer.Absent, answer.Unavailable)) as caught:
        function(*arguments)
    return ("absent" if isinstance(caught.value, answer.Absent) else "unavailable"), caught.value.reason


def names(packages) -> list[tuple[str, str]]:
    return [(package["name"], package["version"]) for package in packages]


# --- text of the outside ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("Debian Games Team <games@lists.debian.org>", "Debian Games Team"),
        ("Jan Kowalski (https://example.org)", "Jan Kowalski"),
        ('"Kowalski, Jan" <jan@example.org>', "Kowalski, Jan"),
        ("<jan@example.org>", None),
        ("Cut Off <cut@exam", "Cut Off"),
        ("a\x1b[31mb\u202ec\x00", "a\ufffd[31mb\ufffdc\ufffd"),
        ("x" * 5000, "x" * 120),
        ("", None),
        (None, None),
        (7, None),
        ({"name": "x"}, None),
    ],
)
def test_a_publisher_is_a_name_without_addresses(given_text, expected):
    assert package.name_publisher(given_text) == expected


@settings(deadline=None)
@given(st.one_of(st.text(), st.binary(), st.none(), st.integers()), st.text(), st.text(), st.floats())
def test_a_package_is_clean_text_whatever_it_is_made_of(name, version, publisher, seconds):
    made = package.make_package(name, version, publisher=publisher, architecture=version, installed_at=seconds)
    texts = [] if made is None else [value for value in made.values() if value is not None]
    assert all(text.isprintable() and text and len(text) <= 200 for text in texts)


@pytest.mark.parametrize("seconds", [0, -1, 499162500, 4e12, float("nan"), float("inf")])
def test_a_time_that_cannot_be_is_no_time(seconds):
    assert package.make_package("a", "1", installed_at=seconds)["installed_at"] is None


def test_a_pipe_in_the_place_of_a_file_holds_nothing_up(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    started = time.monotonic()
    with pytest.raises(OSError, match="no regular file"):
        package.read_plain_file(str(tmp_path / "pipe"), 100)
    assert time.monotonic() - started < 5


# --- dpkg ------------------------------------------------------------------------------------------------------

STATUS = """\
Package: alpha
Status: install ok installed
Maintainer: Alpha Team <alpha@example.org>
Description: x
Architecture: amd64
Version: 1:1.0-1

Package: beta
Status: deinstall ok config-files
Maintainer: Beta
Description: x
Architecture: all
Version: 2.0

Package: gamma
Status: install ok half-configured
Maintainer: Gamma <g@example.org>
Description: x
Architecture: all
Multi-Arch: foreign
Version: 3.0~rc1

Package: delta
Status: install ok installed
Maintainer: D
Description: x
Architecture: i386
Multi-Arch: same
Version: 4
"""
UNPACKED = 1_790_000_000


def write_dpkg(computer: Computer, status: str | bytes = STATUS) -> Path:
    """A database of dpkg as dpkg itself keeps it; returns its directory."""
    file = computer.write("/var/lib/dpkg/status", status)
    for name in ("alpha", "beta", "gamma", "delta:i386"):
        listed = computer.write(f"/var/lib/dpkg/info/{name}.list", "/.\n")
        os.utime(listed, (UNPACKED, UNPACKED))
    (file.parent / "updates").mkdir(exist_ok=True)
    return file.parent


def test_dpkg_tells_what_is_there_and_since_when(computer):
    write_dpkg(computer)
    told = dpkg.list_dpkg(ask(computer))
    assert [tuple(row.values()) for row in sorted(told, key=lambda row: row["name"])] == [
        ("alpha", "1:1.0-1", "Alpha Team", "amd64", "machine", "2026-09-21T14:13:20.000000Z"),
        ("delta", "4", "D", "i386", "machine", "2026-09-21T14:13:20.000000Z"),
        ("gamma", "3.0~rc1", "Gamma", "all", "machine", "2026-09-21T14:13:20.000000Z"),
    ]


def test_the_lock_of_a_running_installation_does_not_hinder_dpkg_query(computer):
    admin = write_dpkg(computer)
    with (admin / "lock").open("w") as lock, (admin / "lock-frontend").open("w") as frontend:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        fcntl.lockf(frontend, fcntl.LOCK_EX)
        refused = subprocess.run(
            ["dpkg", f"--admindir={admin}", "--configure", "alpha"],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "locked by another process" in refused.stderr  # so the lock is one
        assert len(dpkg.list_dpkg(ask(computer))) == 3


@pytest.mark.parametrize(
    "damage",
    [
        STATUS.replace("Package: beta", "\x00\xff\x13garbage"),
        STATUS + "Package: epsilon\nSta",
        "no field at all",
        STATUS.replace("Version: 4", "Version: not a version!"),
        os.urandom(3000),
    ],
    ids=["garbage", "cut", "no field", "version", "random"],
)
def test_a_damaged_database_of_dpkg_is_no_list(computer, damage):
    write_dpkg(computer, damage)
    try:
        told = dpkg.list_dpkg(ask(computer))
    except answer.Unavailable as unavailable:
        assert unavailable.reason in ("damaged", "unreadable"), unavailable.detail
        assert unavailable.detail.isprintable()
    else:
        # dpkg itself takes some damage as a warning: then the warning comes along.
        assert isinstance(told, answer.Told)
        assert told.detail


def test_a_real_database_with_garbage_in_it_is_damaged(computer):
    status = Path("/var/lib/dpkg/status").read_bytes()
    middle = status.index(b"\n\n", len(status) // 2) + 2
    write_dpkg(computer, status[:middle] + os.urandom(64) + status[middle:])
    assert reason_of(dpkg.list_dpkg, ask(computer)) == ("unavailable", "damaged")


def test_an_emptied_database_of_dpkg_is_damaged_and_not_a_computer_without_software(computer):
    write_dpkg(computer, "")
    assert reason_of(dpkg.list_dpkg, ask(computer)) == ("unavailable", "damaged")


def test_a_database_that_lost_its_second_half_says_so(computer):
    write_dpkg(computer, STATUS[: STATUS.index("Package: gamma")])
    told = dpkg.list_dpkg(ask(computer))
    assert names(told.data) == [("alpha", "1:1.0-1")]
    assert "2 packages that its database does not know" in told.detail


def test_dpkg_that_is_only_a_tool_here_manages_nothing(computer):
    computer.write("/var/lib/dpkg/status")
    assert reason_of(dpkg.list_dpkg, ask(computer)) == ("absent", "no_database")


def test_a_database_without_its_tool_is_not_a_computer_without_packages(computer, monkeypatch):
    hide_tools(computer, monkeypatch, "dpkg-query")
    assert reason_of(dpkg.list_dpkg, ask(computer)) == ("absent", "not_installed")
    write_dpkg(computer)
    assert reason_of(dpkg.list_dpkg, ask(computer)) == ("unavailable", "not_installed")


def test_separators_inside_a_name_break_no_line(computer):
    computer.says("dpkg-query", "installed\ta\t1\tall\tA\u2028B\x0bC\x1cD\x85E\ttab\n")
    (row,) = dpkg.list_dpkg(ask(computer))
    assert row["publisher"] == "A B C D E tab"


@pytest.mark.parametrize(
    "line", ["installed\ta\t1\tall", "nonsense", "installed\t\t1\tall\tx", "installed\ta\t\tall\tx"]
)
def test_a_line_of_another_shape_makes_the_list_unreadable(computer, line):
    computer.says("dpkg-query", f"installed\ta\t1\tall\tx\n{line}\n")
    assert reason_of(dpkg.list_dpkg, ask(computer)) == ("unavailable", "unreadable")


def test_a_package_of_which_nothing_has_come_yet_is_passed_over(computer):
    computer.says("dpkg-query", "half-installed\tnew\t\t\t\nnot-installed\tx\t\t\t\ninstalled\ta\t1\tall\tx\n")
    assert names(dpkg.list_dpkg(ask(computer))) == [("a", "1")]


def test_dpkg_that_hangs_is_timed_out(computer):
    computer.tool("dpkg-query", "exec sleep 60")
    assert reason_of(dpkg.list_dpkg, ask(computer, 0.5)) == ("unavailable", "timeout")


# --- rpm -------------------------------------------------------------------------------------------------------

RPM_LINES = (
    "bash\t5.1.8-9.el9\tx86_64\t1790000000\tRed Hat, Inc.\n"
    "bind-libs\t32:9.16.23-1\tx86_64\t1790000001\t(none)\n"
    "gpg-pubkey\t1234-5678\t(none)\t1790000001\t(none)\n"
    "odd\t1-1\t(none)\t99999999999999999999\tŻółw <z@example.org>\n"
)


def test_rpm_tells_packages_without_its_keys(computer):
    computer.write("/var/lib/rpm/rpmdb.sqlite", "database")
    computer.says("rpm", RPM_LINES)
    assert [tuple(row.values()) for row in rpm.list_rpm(ask(computer))] == [
        ("bash", "5.1.8-9.el9", "Red Hat, Inc.", "x86_64", "machine", "2026-09-21T14:13:20.000000Z"),
        ("bind-libs", "32:9.16.23-1", None, "x86_64", "machine", "2026-09-21T14:13:21.000000Z"),
        ("odd", "1-1", "Żółw", None, "machine", None),
    ]


RPM_FAILURES = {
    "lock": (
        "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)",
        1,
        "locked",
    ),
    "shared lock": ("error: cannot get shared lock on /var/lib/rpm/Packages", 1, "locked"),
    "bdb": (
        "error: rpmdb: BDB0113 Thread/process 23/1 failed: BDB1507 Thread died in Berkeley DB library",
        1,
        "damaged",
    ),
    "sqlite": ("error: sqlite failure: database disk image is malformed", 0, "damaged"),
    "header": ("error: rpmdb: damaged header #412 retrieved -- skipping.", 0, "damaged"),
    "permission": ("error: cannot open Packages index using sqlite - Permission denied (13)", 1, "no_permission"),
    "else": ("error: something new", 1, "failed"),
}


@pytest.mark.parametrize("name", RPM_FAILURES)
def test_rpm_s_failures_are_told_apart_and_none_of_them_is_a_list(computer, name):
    message, rc, reason = RPM_FAILURES[name]
    computer.write("/usr/lib/sysimage/rpm/rpmdb.sqlite", "database")
    computer.tool("rpm", f'printf "bash\\t1\\tx\\t1\\ty\\n"; echo "{message}" >&2; exit {rc}')
    assert reason_of(rpm.list_rpm, ask(computer)) == ("unavailable", reason)


def test_rpm_that_waits_for_a_lock_beyond_its_time_is_locked(computer):
    computer.write("/var/lib/rpm/Packages", "database")
    computer.tool("rpm", 'echo "warning: waiting for shared lock on /var/lib/rpm/.rpm.lock" >&2; exec sleep 60')
    assert reason_of(rpm.list_rpm, ask(computer, 1)) == ("unavailable", "locked")


def test_rpm_without_a_database_is_not_asked_as_it_would_make_one(computer):
    computer.tool("rpm", 'touch "$0.asked"')
    assert reason_of(rpm.list_rpm, ask(computer)) == ("absent", "no_database")
    assert not (computer.tools / "rpm.asked").exists()


def test_an_emptied_database_of_rpm_is_damaged(computer):
    computer.write("/var/lib/rpm/rpmdb.sqlite")
    computer.says("rpm", "")
    assert reason_of(rpm.list_rpm, ask(computer)) == ("unavailable", "damaged")


def test_a_cut_line_of_rpm_is_unreadable(computer):
    computer.write("/var/lib/rpm/Packages.db", "database")
    computer.says("rpm", RPM_LINES + "bash\t5")
    assert reason_of(rpm.list_rpm, ask(computer)) == ("unavailable", "unreadable")


# --- apk -------------------------------------------------------------------------------------------------------

APK = """\
C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
S:400
m:Timo Teräs <timo.teras@iki.fi>
F:lib
R:libc.so
a:0:0:755

C:Q1def=
P:busybox
V:1.36.1-r29
A:x86_64
F:bin
"""


def test_apk_s_database_is_read_without_apk(computer):
    computer.write("/lib/apk/db/installed", APK)
    assert [tuple(row.values())[:4] for row in apk.list_apk(ask(computer))] == [
        ("musl", "1.2.5-r0", "Timo Teräs", "x86_64"),
        ("busybox", "1.36.1-r29", None, "x86_64"),
    ]


@pytest.mark.parametrize("text", [APK[:-1], APK.replace("V:1.2.5-r0\n", ""), "\x00" * 100, APK + "\nP:\nV:1\n", "x\n"])
def test_a_damaged_database_of_apk_is_no_list(computer, text):
    computer.write("/usr/lib/apk/db/installed", text)
    assert reason_of(apk.list_apk, ask(computer)) == ("unavailable", "damaged")


def test_a_directory_in_the_place_of_apk_s_database_has_a_reason(computer):
    computer.write("/lib/apk/db/installed/file")
    assert reason_of(apk.list_apk, ask(computer)) == ("unavailable", "failed")


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_database_of_apk_is_a_list_or_damaged(content):
    try:
        rows = apk.read_database(content)
    except answer.Unavailable as unavailable:
        assert unavailable.reason == "damaged"
    else:
        assert all(row["name"] and row["version"] for row in rows)


# --- snap ------------------------------------------------------------------------------------------------------

SNAPS = """\
Name    Version        Rev    Tracking       Publisher   Notes
core22  20240111       1122   latest/stable  canonical**  base
hello   -              42     -              -           disabled
"""


def test_snaps_are_told_with_their_publisher(computer):
    computer.write("/snap/core22/1122/meta/snap.yaml")
    (computer.root / "snap/core22/current").symlink_to("1122")
    os.utime(computer.root / "snap/core22/current", (UNPACKED, UNPACKED), follow_symlinks=False)
    computer.says("snap", SNAPS)
    assert [tuple(row.values()) for row in snap.list_snap(ask(computer))] == [
        ("core22", "20240111", "canonical", None, "machine", "2026-09-21T14:13:20.000000Z"),
        ("hello", "42", None, None, "machine", None),
    ]


def test_no_snaps_is_an_empty_list(computer):
    computer.tool("snap", "echo \"No snaps are installed yet. Try 'snap install hello-world'.\" >&2")
    assert snap.list_snap(ask(computer)) == []


def test_a_snapd_that_does_not_run_is_named(computer):
    computer.tool("snap", 'echo "error: cannot list snaps: cannot communicate with server: no such file" >&2; exit 1')
    assert reason_of(snap.list_snap, ask(computer)) == ("unavailable", "no_service")


@pytest.mark.parametrize("text", ["Other Heading\n", SNAPS + "../../etc 1 2 3 4 5\n", SNAPS + "short 1\n"])
def test_another_table_of_snaps_is_unreadable(computer, text):
    computer.says("snap", text)
    assert reason_of(snap.list_snap, ask(computer)) == ("unavailable", "unreadable")


# --- flatpak ---------------------------------------------------------------------------------------------------


def test_flatpaks_of_the_computer_and_of_its_users_are_told_apart(computer):
    home = computer.write("/home/anna/.local/share/flatpak/repo/config").parents[4]
    computer.write("/home/jan/.profile")
    computer.write(
        "/etc/passwd",
        "".join(f"{who}:x:{os.geteuid()}:{os.getegid()}::/home/{who}:/bin/sh\n" for who in ("anna", "jan")),
    )
    computer.tool(
        "flatpak",
        f'case "$*" in *--user*) [ "$HOME" = "{home}" ] || exit 9\n'
        'printf "org.gimp.GIMP\\t2.10\\tstable\\tx86_64\\tuser\\n";;\n'
        '*--system*--installation=extra*) printf "org.freedesktop.Platform\\t\\t22.08\\tx86_64\\tsystem\\n"\n'
        'printf "org.gimp.GIMP\\t2.8\\tx\\tx86_64\\tsystem (extra)\\n";;\n'
        "*) exit 9;; esac",
    )
    (computer.root / "var/lib/flatpak/repo").mkdir(parents=True)
    computer.write("/etc/flatpak/installations.d/e.conf", '[Installation "extra"]\nPath=/srv\n[Installation "; x"]\n')
    told = flatpak.list_flatpak(ask(computer))
    assert told["unasked"] == ([] if os.geteuid() == 0 else [{**told["unasked"][0], "scope": "user:*"}])
    assert [(row["name"], row["version"], row["scope"]) for row in told["packages"]] == [
        ("org.freedesktop.Platform", "22.08", "machine"),
        ("org.gimp.GIMP", "2.8", "machine"),
        ("org.gimp.GIMP", "2.10", "user:anna"),
    ]


def test_flatpak_is_not_asked_where_there_is_nothing_as_it_would_make_it(computer):
    computer.write("/etc/passwd", f"anna:x:{os.geteuid()}:{os.getegid()}::/home/anna:/bin/sh\n")
    (computer.root / "home/anna").mkdir(parents=True)
    computer.tool("flatpak", 'touch "$0.asked"; mkdir -p "$HOME/.local/share/flatpak/repo"')
    assert found_or_reason(computer) in (("absent", "none"), "user:*")
    assert not (computer.tools / "flatpak.asked").exists()


def found_or_reason(computer: Computer) -> object:
    """An ordinary user who runs the tests cannot ask others, so that nothing found is not the same as none there."""
    if os.geteuid() == 0:
        return reason_of(flatpak.list_flatpak, ask(computer))
    return flatpak.list_flatpak(ask(computer))["unasked"][0]["scope"]


def test_flatpaks_without_the_command_are_not_none(computer):
    assert shutil.which("flatpak") or reason_of(flatpak.list_flatpak, ask(computer)) == ("absent", "not_installed")
    (computer.root / "var/lib/flatpak/repo").mkdir(parents=True)
    computer.tool("flatpak", "echo nonsense")
    assert reason_of(flatpak.list_flatpak, ask(computer)) == ("unavailable", "unreadable")


# --- all of them -----------------------------------------------------------------------------------------------


def test_a_flood_from_a_tool_is_stopped(computer, monkeypatch):
    monkeypatch.setattr(manager, "_LARGEST_OUTPUT_BYTES", 100_000)
    computer.tool("dpkg-query", "exec yes")
    assert reason_of(dpkg.list_dpkg, ask(computer)) == ("unavailable", "too_large")


def test_a_tool_that_cannot_be_started_has_a_reason(computer):
    computer.write("/var/lib/rpm/Packages", "database")
    (computer.tools / "rpm").write_bytes(b"\0\0")
    (computer.tools / "rpm").chmod(0o755)
    assert reason_of(rpm.list_rpm, ask(computer))[1] == "failed"

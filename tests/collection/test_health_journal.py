import json
import os
import shutil
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import DAY, NOW, Computer, import_health, make_computer

answer = import_health("answer")
journal = import_health("journal")
logline = import_health("logline")
tool = import_health("tool")

MACHINE = "0123456789abcdef0123456789abcdef"
TROUBLES = [
    ("oom_kill", "Out of memory: Killed process 1234 (java) total-vm:8388608kB, anon-rss:4194304kB"),
    ("oom_kill", "Memory cgroup out of memory: Killed process 99 (php-fpm) total-vm:100kB"),
    ("oom_kill", "Out of memory (oom_kill_allocating_task): Killed process 7 (a)"),
    ("disk_io", "blk_update_request: I/O error, dev sda, sector 123456 op 0x0:(READ) flags 0x80700 phys_seg 1"),
    ("disk_io", "critical medium error, dev sdb, sector 7 op 0x0:(READ)"),
    ("disk_io", "Buffer I/O error on dev dm-0, logical block 0, async page read"),
    ("disk_io", "ata1.00: failed command: READ FPDMA QUEUED"),
    ("disk_io", "nvme nvme0: I/O 12 QID 3 timeout, aborting"),
    ("disk_io", "md/raid1:md0: Disk failure on sda1, disabling device."),
    ("filesystem", "EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0"),
    ("filesystem", "XFS (sda1): Corruption detected. Unmount and run xfs_repair"),
    ("filesystem", 'XFS (dm-1): metadata I/O error in "xfs_trans_read" at daddr 0x1 len 8 error 5'),
    ("filesystem", "BTRFS error (device sdb1): bad tree block start"),
    ("remount_read_only", "EXT4-fs (sda1): Remounting filesystem read-only"),
    ("remount_read_only", "BTRFS info (device sdb1: state EA): forced readonly"),
    ("machine_check", "mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 5: bea0000000000108"),
    ("machine_check", "EDAC MC0: 1 UE memory read error on CPU_SrcID#0"),
]
HARMLESS = [
    "I/O error, dev fd0, sector 0 op 0x0:(READ)",
    "I/O error, dev sr0, sector 0 op 0x0:(READ)",
    "[UFW BLOCK] IN=eth0 OUT= MAC=00",
    "EXT4-fs (sda1): mounted filesystem with ordered data mode",
    "XFS (sda1): Mounting V5 Filesystem",
    "BTRFS info (device sdb1): using free space tree",
    "EDAC MC0: 1 CE memory read error",
]


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    made = make_computer(tmp_path, monkeypatch)
    made.write("/etc/machine-id", f"{MACHINE}\n")
    return made


def entry(text: object, transport: str = "kernel", at: float = NOW - DAY, priority: int = 3, **fields: object) -> str:
    """One line of `journalctl -o json`."""
    known = {
        "__REALTIME_TIMESTAMP": str(int(at * 1_000_000)),
        "MESSAGE": text,
        "PRIORITY": str(priority),
        "_TRANSPORT": transport,
    }
    return json.dumps(known | fields) + "\n"


def read(text: str) -> object:
    return logline.read_line(text.encode())


def with_journal(computer: Computer, errors: str = "", quiet: str = "", beginning: str | None = None) -> None:
    """A computer with a journal whose journalctl gives these answers to the three kinds of question."""
    computer.write(f"/var/log/journal/{MACHINE}/system.journal")
    first = entry("x", at=NOW - 7 * DAY + 60) if beginning is None else beginning
    for name, text in (("errors", errors), ("quiet", quiet), ("first", first)):
        (computer.tools / name).write_text(text)
    computer.tool(
        "journalctl",
        f'case "$*" in *0..3*) cat {computer.tools}/errors;; *--grep*) cat {computer.tools}/quiet;;\n'
        f"*MESSAGE_ID=*) ;; *) cat {computer.tools}/first;; esac",
    )


@pytest.mark.parametrize(("kind", "text"), TROUBLES)
def test_the_kernels_word_names_the_kind_of_trouble(kind, text):
    assert read(entry(text)).kind == kind


@pytest.mark.parametrize("text", HARMLESS)
def test_other_words_of_the_kernel_are_no_trouble(text):
    assert read(entry(text)).kind == "other"


@pytest.mark.parametrize(("_kind", "text"), TROUBLES)
def test_a_program_that_writes_the_kernels_words_is_not_believed(_kind, text):
    assert read(entry(text, transport="syslog", SYSLOG_IDENTIFIER="kernel")).kind == "other"


def test_a_kill_by_systemd_oomd_is_an_oom_kill():
    line = read(entry("Killed /system.slice/x.service", transport="journal", MESSAGE_ID=logline.OOMD_KILL))
    assert line.kind == "oom_kill"


def test_journalctls_filter_finds_what_python_finds(tmp_path):
    grep = shutil.which("grep")
    pattern = "|".join(f"({expression})" for _kind, expression in logline.KERNEL_PATTERNS)
    texts = tmp_path / "texts"
    texts.write_text("\n".join([text for _kind, text in TROUBLES] + HARMLESS[2:]))
    found = subprocess.run([grep, "-P", pattern, texts], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [text for _kind, text in TROUBLES]


def test_lines_of_one_kind_and_source_become_one_group(computer):
    with_journal(
        computer,
        errors=entry("it broke", "syslog", NOW - 300, SYSLOG_IDENTIFIER="mydaemon")
        + entry("it broke again", "syslog", NOW - 100, SYSLOG_IDENTIFIER="mydaemon")
        + entry("Buffer I/O error on dev sda", at=NOW - 200),
        quiet=entry("BTRFS info (device sdb1): forced readonly", at=NOW - 50, priority=6),
    )
    data = journal.observe_journal(computer.request())
    assert data["since"] == "2026-11-19T08:00:00.000000Z"
    assert data["truncated"] is False
    assert [(group["kind"], group["source"], group["count"]) for group in data["groups"]] == [
        ("disk_io", "kernel", 1),
        ("remount_read_only", "kernel", 1),
        ("other", "mydaemon", 2),
    ]
    assert data["groups"][2] == {
        "kind": "other",
        "source": "mydaemon",
        "count": 2,
        "first_at": "2026-11-26T07:55:00.000000Z",
        "last_at": "2026-11-26T07:58:20.000000Z",
        "sample": "it broke again",
    }


def test_quiet_kernel_lines_that_are_no_trouble_are_left_out(computer):
    with_journal(computer, quiet=entry("I/O error, dev sr0, sector 0", priority=4))
    assert journal.observe_journal(computer.request())["groups"] == []


@pytest.mark.parametrize(
    ("message", "sample"),
    [
        ([104, 105, 255], "hi\ufffd"),
        (["first", "second"], "second"),
        (None, ""),
        ("a\0b\033[31mc\nd", "a\ufffdb\ufffd[31mc d"),
        ("x" * 5000, "x" * 300),
        ({"no": "text"}, ""),
    ],
    ids=["bytes", "several values", "too long for journalctl", "control characters", "long", "object"],
)
def test_every_form_of_a_field_is_read(message, sample):
    assert read(entry(message)).text == sample


@pytest.mark.parametrize("answer_text", ['{"MESSAGE": "cut', "\0\0\n", "not json\n", entry("x")[:-1], '{"a": NaN}\n'])
def test_an_answer_of_no_known_shape_is_unreadable(computer, answer_text):
    with_journal(computer, errors=answer_text)
    with pytest.raises(answer.Unavailable) as caught:
        journal.observe_journal(computer.request())
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("text", ["null\n", "[]\n", "5\n", "{}\n", '{"__REALTIME_TIMESTAMP": "x"}\n'])
def test_an_entry_without_a_time_is_passed_over(computer, text):
    with_journal(computer, errors=text + entry("it broke"))
    assert [group["count"] for group in journal.observe_journal(computer.request())["groups"]] == [1]


@given(st.binary(max_size=200))
def test_no_bytes_end_in_a_traceback(text):
    try:
        line = logline.read_line(text)
    except answer.Unavailable as error:
        assert error.reason == "unreadable"
        return
    assert line is None or line.text.isprintable()


def test_more_entries_than_are_kept_are_said_to_be_truncated(computer):
    with_journal(computer, errors=entry("it broke", "syslog") * journal._MOST_ERRORS)
    data = journal.observe_journal(computer.request())
    assert (data["truncated"], data["grave_truncated"]) == (True, False)


def test_noise_hides_no_grave_entry_and_counts_none_twice(computer):
    trouble = entry("Buffer I/O error on dev sda", at=NOW - 500)
    with_journal(computer, errors=entry("it broke", "syslog") * (journal._MOST_ERRORS - 1) + trouble, quiet=trouble * 2)
    script = (computer.tools / "journalctl").read_text().removeprefix("#!/bin/sh\n")
    computer.tool("journalctl", f'echo "$@" >>{computer.tools}/asked\n{script}')
    data = journal.observe_journal(computer.request())
    assert [(group["kind"], group["count"]) for group in data["groups"]][0] == ("disk_io", 2)
    assert (data["truncated"], data["grave_truncated"]) == (True, False)
    asked = (computer.tools / "asked").read_text()
    assert "--priority=0..6" in asked
    assert "--priority=4..6" not in asked


def test_more_grave_entries_than_are_kept_are_said_to_be_cut(computer):
    with_journal(computer, quiet=entry("BTRFS info (device sdb1): forced readonly") * journal._MOST_QUIET_TROUBLES)
    data = journal.observe_journal(computer.request())
    assert (data["truncated"], data["grave_truncated"]) == (True, True)


def test_more_groups_than_are_kept_are_said_to_be_truncated(computer):
    errors = "".join(entry("x", "syslog", SYSLOG_IDENTIFIER=f"d{number}") for number in range(100))
    with_journal(computer, errors=errors + entry("Buffer I/O error on dev sda"))
    data = journal.observe_journal(computer.request())
    assert (len(data["groups"]), data["truncated"]) == (60, True)
    assert data["groups"][0]["kind"] == "disk_io"
    assert data["grave_truncated"] is False


def test_a_kernel_log_too_long_to_filter_leaves_the_errors_and_says_so(computer):
    with_journal(computer, errors=entry("it broke", "syslog"))
    script = (computer.tools / "journalctl").read_text().removeprefix("#!/bin/sh\n")
    computer.tool("journalctl", f'case "$*" in *--grep*) while :; do :; done;; esac\n{script}')
    started = time.monotonic()
    told = journal.observe_journal(computer.request(seconds=200))
    assert time.monotonic() - started < 150  # one second of processor time, on a machine however busy
    assert (told.data["truncated"], told.data["grave_truncated"]) == (True, True)
    assert [group["source"] for group in told.data["groups"]] == ["unknown"]
    assert "priority err and above" in told.detail


def test_a_journal_that_begins_later_than_asked_says_so(computer):
    with_journal(computer, beginning=entry("x", at=NOW - DAY))
    told = journal.observe_journal(computer.request())
    assert told.detail == "the journal begins at 2026-11-25T08:00:00.000000Z"
    assert told.data["since"] == "2026-11-25T08:00:00.000000Z"
    assert told.data["asked_since"] == "2026-11-19T08:00:00.000000Z"
    assert told.data["grave_truncated"] is False


def test_a_week_without_any_entry_is_no_clean_week(computer):
    with_journal(computer, beginning="")
    told = journal.observe_journal(computer.request())
    assert "no entry" in told.detail
    assert told.data["since"] == "2026-11-26T08:00:00.000000Z"
    assert (told.data["truncated"], told.data["grave_truncated"]) == (True, True)


def test_a_quiet_minute_is_a_clean_minute(computer):
    with_journal(computer, beginning="")
    told = journal.observe_journal(computer.request(since=NOW - 60))
    assert told.data["since"] == told.data["asked_since"] == "2026-11-26T07:59:00.000000Z"
    assert (told.data["truncated"], told.data["grave_truncated"]) == (False, False)


def test_what_journalctl_complains_about_is_handed_on(computer):
    with_journal(computer)
    script = (computer.tools / "journalctl").read_text().removeprefix("#!/bin/sh\n")
    computer.tool("journalctl", f"echo 'Journal file x is truncated, ignoring file.' >&2\n{script}")
    assert "ignoring file" in journal.observe_journal(computer.request()).detail


def test_a_computer_without_a_journal_is_unavailable(computer):
    with pytest.raises(answer.Unavailable) as caught:
        journal.observe_journal(computer.request())
    assert caught.value.reason == "no_journal"


def test_a_journal_that_may_not_be_read_is_unavailable(computer, monkeypatch):
    with_journal(computer)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith(".journal") and real(path, mode))
    with pytest.raises(answer.Unavailable) as caught:
        journal.observe_journal(computer.request())
    assert caught.value.reason == "no_permission"


def test_a_journalctl_that_fails_is_unavailable(computer):
    with_journal(computer)
    computer.tool("journalctl", "echo 'Failed to open' >&2; exit 1")
    with pytest.raises(answer.Unavailable) as caught:
        journal.observe_journal(computer.request())
    assert (caught.value.reason, caught.value.detail) == ("failed", "Failed to open")


def test_a_filter_that_finds_nothing_is_no_failure():
    assert journal.read_entries(tool.Output(1, b"", "")) == []

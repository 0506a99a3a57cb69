import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
kernels = import_health("kernels")
reboot = import_health("reboot")

RUNNING = "6.1.0-18-amd64"
BUILD = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)"


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    made = make_computer(tmp_path, monkeypatch)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=RUNNING, version=BUILD))
    return made


def install(computer: Computer, *releases: str) -> None:
    for release in releases:
        computer.write(f"/boot/vmlinuz-{release}", image(BUILD))


def image(build: str) -> bytes:
    """The beginning of an x86 kernel image with its version string, as the boot protocol lays it out."""
    setup = bytearray(0x400)
    setup[0x202:0x206] = b"HdrS"
    setup[0x20E:0x210] = (0x300 - 0x200).to_bytes(2, "little")
    text = f"6.1.0-18-amd64 (team@example.org) {build}".encode() + b"\0"
    return bytes(setup[:0x300]) + text


def writes_flag(computer: Computer) -> None:
    computer.write("/etc/kernel/postinst.d/unattended-upgrades", "touch /run/reboot-required\n").chmod(0o755)


def test_the_newest_kernel_running_is_nothing_pending(computer):
    install(computer, "6.1.0-9-amd64", RUNNING)
    data = reboot.observe_reboot(computer.request())
    assert data == {
        "pending": False,
        "since": None,
        "reasons": [],
        "method": "kernel",
        "running_kernel": RUNNING,
        "newest_kernel": RUNNING,
    }


def test_a_newer_kernel_of_the_same_flavour_is_pending_since_the_first_of_them_appeared(computer):
    install(computer, RUNNING, "6.1.0-21-amd64", "6.1.0-20-amd64", "6.1.0-25-cloud-amd64")
    os.utime(computer.root / "boot/vmlinuz-6.1.0-20-amd64", (1, 1))  # the build's time, as dpkg restores it
    data = reboot.observe_reboot(computer.request())
    assert (data["pending"], data["newest_kernel"]) == (True, "6.1.0-21-amd64")
    assert data["reasons"] == ["kernel 6.1.0-20-amd64", "kernel 6.1.0-21-amd64"]
    assert data["since"] > "2020"


def test_another_build_of_the_running_release_is_pending(computer):
    computer.write(f"/boot/vmlinuz-{RUNNING}", image(BUILD.replace("6.1.76", "6.1.90")))
    assert reboot.observe_reboot(computer.request())["reasons"] == [f"kernel {RUNNING}"]


@pytest.mark.parametrize("content", [b"", b"HdrS", b"\0" * 0x300, image(BUILD)[:0x310], image("no build")])
def test_an_image_without_a_readable_version_says_nothing(computer, content):
    file = computer.write("/boot/x", content)
    assert kernels.image_version(str(file)) is None


def test_the_flag_is_pending_whoever_wrote_it(computer):
    computer.write("/run/reboot-required")
    computer.write("/run/reboot-required.pkgs", "libc6\nlinux-image-6.1.0-21-amd64\nlibc6\n")
    os.utime(computer.root / "run/reboot-required", (1_795_000_000, 1_795_000_000))
    data = reboot.observe_reboot(computer.request())
    assert (data["pending"], data["method"], data["since"]) == (True, "flag_file", "2026-11-18T11:06:40.000000Z")
    assert data["reasons"] == ["libc6", "linux-image-6.1.0-21-amd64"]
    assert data["newest_kernel"] is None


def test_a_missing_flag_means_something_only_where_it_would_be_written(computer):
    with pytest.raises(answer.Unavailable) as caught:
        reboot.observe_reboot(computer.request())
    assert caught.value.reason == "not_supported"
    writes_flag(computer)
    data = reboot.observe_reboot(computer.request())
    assert (data["pending"], data["method"]) == (False, "flag_file")


def test_both_answers_are_said_to_be_both(computer):
    writes_flag(computer)
    install(computer, RUNNING)
    assert reboot.observe_reboot(computer.request())["method"] == "both"


def test_update_notifier_would_write_the_flag(computer):
    assert not reboot.flag_is_written(computer.request())
    computer.write("/usr/share/update-notifier/notify-reboot-required")
    assert reboot.flag_is_written(computer.request())


def test_a_hook_that_is_switched_off_writes_nothing(computer):
    computer.write("/etc/kernel/postinst.d/unattended-upgrades", "touch /run/reboot-required\n").chmod(0o644)
    assert not reboot.flag_is_written(computer.request())


def test_a_kernel_from_outside_cannot_be_compared(computer):
    install(computer, "6.1.0-13-cloud-amd64")
    with pytest.raises(answer.Unavailable):
        reboot.observe_reboot(computer.request())


def test_a_container_has_no_kernel_of_its_own(computer):
    computer.write("/run/systemd/container", "systemd-nspawn\n")
    with pytest.raises(answer.Absent) as caught:
        reboot.observe_reboot(computer.request())
    assert caught.value.reason == "container"


def test_what_a_removed_kernel_leaves_behind_is_no_kernel(computer):
    install(computer, RUNNING)
    computer.write("/lib/modules/6.1.0-30-amd64/extra/a.ko")
    computer.write("/boot/vmlinuz-6.1.0-31-amd64.old", image(BUILD))
    computer.write("/boot/vmlinuz-0-rescue-0123456789abcdef", image(BUILD))
    assert reboot.observe_reboot(computer.request())["pending"] is False
    computer.write("/lib/modules/6.1.0-32-amd64/kernel/a.ko")
    assert reboot.observe_reboot(computer.request())["newest_kernel"] == "6.1.0-32-amd64"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("6.1.0-9-amd64", "6.1.0-18-amd64"),
        ("6.9.12-amd64", "6.10.3-amd64"),
        ("6.10-rc1-amd64", "6.10.3-amd64"),
        ("5.15.0-91-generic", "6.5.0-14-generic"),
        ("5.14.0-362.8.1.el9_3.x86_64", "5.14.0-362.13.1.el9_3.x86_64"),
        ("6.6.1-arch1-1", "6.6.2-arch2-1"),
        ("6.5.6-300.fc38.x86_64", "6.5.6-300.fc39.x86_64"),
        ("6.6.31+rpt-rpi-v8", "6.6.51+rpt-rpi-v8"),
    ],
)
def test_releases_are_ordered_by_number_within_a_flavour(older, newer):
    installed = [kernels.Kernel(older, 1.0), kernels.Kernel(newer, 2.0)]
    assert [kernel.release for kernel in kernels.newer_than(older, installed)] == [newer]
    assert kernels.newer_than(newer, installed) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("6.1.0-13-amd64", "6.1.0-13-cloud-amd64"),
        ("6.5.0-14-generic", "6.5.0-14-lowlatency"),
        ("6.6.31+rpt-rpi-v8", "6.6.31+rpt-rpi-2712"),
    ],
)
def test_flavours_are_kept_apart(one, other):
    assert kernels.flavour(one) != kernels.flavour(other)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_names_can_be_ordered(one, other):
    first, second = kernels.version_key(one), kernels.version_key(other)
    assert (first < second) or (second <= first)

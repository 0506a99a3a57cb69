import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
system = import_health("system")

RELEASE = """\
# a comment
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
VERSION_ID="12"
ID=debian
HOME_URL='https://www.example.org/'
BROKEN="unclosed
"""


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def test_the_distribution_is_read_from_os_release(computer):
    computer.write("/etc/os-release", RELEASE)
    computer.write("/etc/passwd", f"someone:x:{os.geteuid()}:0::/:/bin/sh\n")
    facts = system.observe_system(computer.request())
    assert facts["distribution"] == "debian"
    assert facts["version"] == "12"
    assert facts["pretty_name"] == "Debian GNU/Linux 12 (bookworm)"
    assert (facts["family"], facts["effective_user"], facts["uid"]) == ("linux", "someone", os.geteuid())


def test_the_vendors_copy_of_os_release_stands_in(computer):
    computer.write("/usr/lib/os-release", "ID=arch\n")
    assert system.observe_system(computer.request())["distribution"] == "arch"


def test_a_computer_that_tells_nothing_has_nulls(computer):
    facts = system.observe_system(computer.request())
    assert (facts["distribution"], facts["version"], facts["virtualization"]) == (None, None, None)
    assert set(facts) == set(system.bare_system())


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/run/systemd/container", "lxc\n", "container:lxc"),
        ("/.dockerenv", "", "container:docker"),
        ("/run/.containerenv", "", "container:podman"),
        ("/proc/vz/veinfo", "", "container:openvz"),
        ("/proc/1/environ", "HOME=/\0container=nspawn\0", "container:nspawn"),
        ("/proc/sys/kernel/osrelease", "5.15.90.1-Microsoft-standard-WSL2\n", "container:wsl"),
        ("/sys/class/dmi/id/sys_vendor", "QEMU\n", "qemu"),
        ("/sys/class/dmi/id/product_name", "KVM\n", "kvm"),
        ("/sys/class/dmi/id/sys_vendor", "VMware, Inc.\n", "vmware"),
        ("/sys/class/dmi/id/product_name", "Virtual Machine\n", "microsoft"),
        ("/sys/hypervisor/type", "xen\n", "xen"),
        ("/proc/cpuinfo", "flags\t\t: fpu vme hypervisor lm\n", "vm-other"),
    ],
)
def test_each_mark_of_a_container_or_a_hypervisor_is_known(computer, path, text, kind):
    computer.write(path, text)
    computer.write("/proc/cpuinfo", text if "cpuinfo" in path else "flags\t\t: fpu\n")
    assert system.detect_virtualization(computer.request()) == kind


def test_bare_metal_is_none_only_where_the_tables_tell(computer):
    computer.write("/proc/cpuinfo", "flags\t\t: fpu vme\n")
    assert system.detect_virtualization(computer.request()) is None
    computer.write("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n")
    assert system.detect_virtualization(computer.request()) == "none"


def test_the_host_of_openvz_containers_is_no_container(computer):
    computer.write("/proc/vz/veinfo")
    (computer.root / "proc/bc").mkdir()
    assert system.detect_container(computer.request()) is None


@given(st.binary(max_size=120))
def test_no_bytes_in_os_release_end_in_a_traceback(tmp_path_factory, text):
    root = tmp_path_factory.mktemp("root")
    (root / "etc").mkdir()
    (root / "etc/os-release").write_bytes(text)
    request = answer.Request(deadline=0.0, now=0.0, since=0.0, root=str(root))
    assert all(value.isprintable() for value in system.read_os_release(request).values())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"a\xffb", "a\ufffdb"),
        ("a\0b\u202ec\ud800", "a\ufffdb\ufffdc\ufffd"),
        ("  two\n lines\t", "two lines"),
        (7, ""),
        ("x" * 500, "x" * 200),
    ],
)
def test_text_of_the_outside_becomes_one_printable_line(value, text):
    assert answer.clean_text(value) == text


@pytest.mark.parametrize(
    ("value", "count"),
    [(5, 5), (0, 0), (-1, None), (2**53 - 1, 2**53 - 1), (2**53, None), (True, None), (1.0, None), ("1", None)],
)
def test_only_plain_numbers_count(value, count):
    assert answer.as_count(value) == count


@pytest.mark.parametrize("text", ["2026-11-26T08:00:00Z", "2026-11-26T09:00:00+01:00", "2026-11-26T08:00:00.000000Z"])
def test_an_instant_is_read_with_its_offset_and_written_in_utc(text):
    assert answer.write_instant(answer.read_instant(text)) == "2026-11-26T08:00:00.000000Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-26T08:00:00", "2026-13-01T00:00:00Z", "Z"])
def test_an_instant_without_an_offset_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        answer.read_instant(text)

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
memory = import_health("memory")

MEMINFO = b"""MemTotal:       16303428 kB
MemFree:          301232 kB
MemAvailable:    9123456 kB
SwapTotal:       2097148 kB
SwapFree:        2097148 kB
HugePages_Total:       0
"""
PRESSURE = b"""some avg10=1.50 avg60=2.00 avg300=11.25 total=123456
full avg10=0.50 avg60=1.00 avg300=5.75 total=12345
"""


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def test_sizes_are_bytes_and_pressure_is_per_cent(computer):
    computer.write("/proc/meminfo", MEMINFO)
    computer.write("/proc/pressure/memory", PRESSURE)
    assert memory.observe_memory(computer.request()) == {
        "total_bytes": 16303428 * 1024,
        "available_bytes": 9123456 * 1024,
        "swap_total_bytes": 2097148 * 1024,
        "swap_free_bytes": 2097148 * 1024,
        "psi": {"some_avg10": 1.5, "some_avg300": 11.25, "full_avg300": 5.75},
    }


def test_a_kernel_without_pressure_information_has_none(computer):
    computer.write("/proc/meminfo", MEMINFO)
    assert memory.observe_memory(computer.request())["psi"] is None


@pytest.mark.parametrize("table", [b"", b"\0", MEMINFO.replace(b"MemAvailable", b"X"), MEMINFO.replace(b" kB", b"")])
def test_a_table_without_a_size_is_unreadable(table):
    with pytest.raises(answer.Unavailable) as caught:
        memory.read_meminfo(table)
    assert caught.value.reason == "unreadable"


def test_a_missing_table_is_unavailable(computer):
    for source in (memory.observe_memory, memory.observe_uptime):
        with pytest.raises(answer.Unavailable) as caught:
            source(computer.request())
        assert caught.value.reason == "failed"


@pytest.mark.parametrize("table", [b"", PRESSURE.splitlines()[0], b"some avg10=x", PRESSURE.replace(b"avg300", b"a")])
def test_pressure_of_no_known_shape_is_none(table):
    assert memory.read_pressure(table) is None


def test_the_start_is_counted_back_from_now(computer):
    computer.write("/proc/uptime", "86400.50 12345.67\n")
    data = memory.observe_uptime(computer.request())
    assert (data["seconds"], data["boot_at"]) == (86400.5, "2026-11-25T07:59:59.500000Z")
    assert len(data["load"]) == 3


@given(st.binary(max_size=60))
def test_no_bytes_end_in_a_traceback(text):
    memory.read_pressure(text)
    for read in (memory.read_meminfo, memory.read_uptime):
        try:
            read(text)
        except answer.Unavailable as error:
            assert error.reason == "unreadable"


def test_this_computer_tells_its_memory_and_uptime():
    request = answer.Request(deadline=time.monotonic() + 10, now=time.time(), since=0.0)
    assert memory.observe_memory(request)["total_bytes"] > 0
    assert memory.observe_uptime(request)["seconds"] > 0

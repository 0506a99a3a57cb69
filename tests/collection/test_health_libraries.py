import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
libraries = import_health("libraries")

ADDRESS = b"7f1c2a000000-7f1c2a028000 r-xp 00028000 fe:00 1234 "
CURRENT = ADDRESS + b"                  /usr/lib/x86_64-linux-gnu/libc.so.6\n"


def mapped(path: str) -> bytes:
    return ADDRESS + f"                  {path} (deleted)\n".encode()


OWNERS: dict[str, int] = {}


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    made = make_computer(tmp_path, monkeypatch)
    made.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\n")
    OWNERS.clear()
    real = os.stat

    def stat(path, **options):
        return SimpleNamespace(st_uid=OWNERS[str(path)]) if str(path) in OWNERS else real(path, **options)

    monkeypatch.setattr(libraries.os, "stat", stat)
    return made


def process(computer: Computer, pid: int, maps: bytes, name: str = "nginx", owner: int = 0) -> None:
    computer.write(f"/proc/{pid}/maps", maps)
    computer.write(f"/proc/{pid}/comm", f"{name}\n")
    OWNERS[str(computer.root / f"proc/{pid}")] = owner


def as_user(monkeypatch, uid: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)


@pytest.mark.parametrize(
    "path",
    [
        "/usr/lib/x86_64-linux-gnu/libssl.so.3",
        "/lib/x86_64-linux-gnu/libz.so.1.2.13",
        "/usr/lib64/libcrypto.so.3.0.7;65a1b2c3",
        "/usr/local/lib/libx.so",
        "/usr/lib/python3/dist-packages/apt_pkg.cpython-311-x86_64-linux-gnu.so",
        "/usr/lib/libwith space.so.1",
    ],
)
def test_a_replaced_library_of_the_system_is_found(path):
    assert libraries.find_replaced(CURRENT + mapped(path) + mapped(path)) == [path]


@pytest.mark.parametrize(
    "path",
    [
        "/dev/shm/libfake.so.1",
        "/memfd:pulseaudio.so",
        "/tmp/jna123/libx.so",
        "/SYSV00000000",
        "/home/a/lib/libx.so",
        "/usr/lib/locale/locale-archive",
        "/var/lib/x/libx.so",
        "/usr/bin/python3.11",
    ],
)
def test_files_that_programs_unlink_themselves_are_no_libraries(path):
    assert libraries.find_replaced(mapped(path)) == []


@given(st.binary(max_size=300))
def test_no_bytes_in_a_memory_map_end_in_a_traceback(maps):
    assert all(path.isprintable() for path in libraries.find_replaced(maps + b" (deleted)"))


def test_processes_are_told_with_name_user_and_libraries(computer, monkeypatch):
    as_user(monkeypatch, 0)
    process(computer, 10, CURRENT, "init", owner=0)
    process(computer, 20, b"".join(mapped(f"/usr/lib/lib{number}.so.1") for number in range(9)), owner=33)
    process(computer, 30, mapped("/usr/lib/liba.so"), "other", owner=4711)
    process(computer, 40, b"", "kthread", owner=0)
    data = libraries.observe_libraries(computer.request())
    assert data["processes"] == [
        {
            "pid": 20,
            "name": "nginx",
            "user": "www-data",
            "libraries": [f"/usr/lib/lib{number}.so.1" for number in range(5)],
        },
        {"pid": 30, "name": "other", "user": "4711", "libraries": ["/usr/lib/liba.so"]},
    ]
    assert (data["count"], data["checked"], data["unreadable"]) == (2, 3, 0)


def test_the_list_is_capped_and_the_count_is_not(computer, monkeypatch):
    as_user(monkeypatch, 0)
    for pid in range(100, 160):
        process(computer, pid, mapped("/usr/lib/liba.so"), owner=1)
    data = libraries.observe_libraries(computer.request())
    assert (len(data["processes"]), data["count"]) == (50, 60)


def test_an_ordinary_user_who_sees_only_own_processes_cannot_tell(computer, monkeypatch):
    as_user(monkeypatch, 1000)
    process(computer, 10, CURRENT, owner=1000)
    with pytest.raises(answer.Unavailable) as caught:
        libraries.observe_libraries(computer.request())
    assert caught.value.reason == "no_permission"


def test_root_of_a_computer_with_processes_closed_even_to_root_counts_them(computer, monkeypatch):
    as_user(monkeypatch, 0)
    process(computer, 10, CURRENT, owner=0)
    process(computer, 20, CURRENT, owner=33)
    real = open

    def refuse(path, *arguments, **options):
        if "proc/10/maps" in str(path):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr("builtins.open", refuse)
    told = libraries.observe_libraries(computer.request())
    assert (told.data["checked"], told.data["unreadable"]) == (1, 1)


def test_more_processes_than_time_is_a_timeout_and_no_clean_bill(computer, monkeypatch):
    as_user(monkeypatch, 0)
    process(computer, 10, CURRENT, owner=33)
    process(computer, 20, mapped("/usr/lib/liba.so"), owner=33)
    moments = iter([0.0, 100.0, 100.0])
    request = computer.request(seconds=0)
    monkeypatch.setattr(libraries.time, "monotonic", lambda: request.deadline - 1 + next(moments))
    with pytest.raises(answer.Unavailable) as caught:
        libraries.observe_libraries(request)
    assert caught.value.reason == "timeout"

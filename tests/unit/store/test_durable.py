"""Small files that are there whole or not at all."""

import os
from pathlib import Path

import pytest

from itcare.store.durable import write_durably


def test_it_writes_whole_private_files_and_leaves_no_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "write", "fchmod"])
def test_a_failure_keeps_the_old_file_and_is_told(tmp_path: Path, monkeypatch, call: str) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="Input/output"):
        write_durably(path, b"new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_name_is_durable_before_it_returns(tmp_path: Path, monkeypatch) -> None:
    order: list[str] = []
    for name in ("fsync", "close", "rename"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real, **k: (order.append(name), real(*a, **k))[1])
    write_durably(tmp_path / "file", b"new")
    assert order == ["fsync", "close", "rename", "fsync", "close"]

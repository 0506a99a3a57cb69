"""What publishing remembers meets a full disk and a crash: nothing wrong is shown, and the next time all is well."""

import subprocess

import pytest

from itcare.core.errors import UnsafeError
from itcare.publish.bookmark import Bookmark
from tests.support.firms import Firm, pass_days


@pytest.fixture
def firm(tmp_path):
    return Firm(tmp_path)


@pytest.mark.component("root")
def test_a_disk_too_small_for_what_is_remembered_is_told_and_nothing_shown_is_lost(firm):
    firm.visit()
    firm.publish()
    small = firm.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k,mode=700", "tmpfs", small], check=True)
    try:
        firm.bookmark = small / "mark.sqlite"
        pass_days(firm, 1)
        firm.visit(free=4)
        with pytest.raises(UnsafeError, match="full"):
            firm.publish()
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
    firm.bookmark = firm.folder / "mark.sqlite"
    firm.publish()
    firm.check()


def test_files_that_are_ahead_of_what_is_remembered_are_not_built_upon(firm, monkeypatch):
    firm.visit()
    firm.publish()
    pass_days(firm, 1)
    firm.visit(["pc01"], free=4)

    def die(_):
        raise OSError("the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Bookmark, "commit", die)
        with pytest.raises(UnsafeError):
            firm.publish()
    firm.check()
    pass_days(firm, 1)
    firm.visit(["pc02"], software=1)
    firm.publish()
    firm.check()

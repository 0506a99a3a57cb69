"""Folder, lock, environment, configuration and preflight of a run."""

import configparser
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from itcare.core.errors import BadInputError, UnsafeError
from itcare.drive import environment, preflight
from itcare.drive.collection import choose_playbook, find_collection, kind_of
from itcare.drive.environment import ansible_configuration, build_environment, clean_path, ssh_arguments
from itcare.drive.folder import DriverLock, RunFolder, driver_lives, make_folder, make_socket_folder, write_private
from itcare.drive.orders import Ended, Ending, Orders
from tests.support.driving import ROOT

RUN = "0123456789abcdef" * 2


def test_a_run_folder_is_fresh_and_closed_to_others(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "runs", RUN)
    for path in (folder.path.parent, folder.path, folder.temporary, folder.private):
        assert path.stat().st_mode & 0o777 == 0o700
    with pytest.raises(UnsafeError):
        make_folder(tmp_path / "runs", RUN)


def test_the_lock_tells_whether_the_driver_lives(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "runs", RUN)
    assert not driver_lives(folder)
    code = (
        "import sys, time; from pathlib import Path; from itcare.drive.folder import DriverLock, RunFolder\n"
        "lock = DriverLock(RunFolder(Path(sys.argv[1])))\n"
        "print('held' if lock.acquire() else 'refused', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert driver_lives(folder)
    assert not DriverLock(folder).acquire()
    holder.kill()
    holder.communicate()
    assert not driver_lives(folder)
    lock = DriverLock(folder)
    assert lock.acquire()
    lock.release()


def test_a_socket_folder_fits_the_kernel_or_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    made = make_socket_folder({"XDG_RUNTIME_DIR": str(deep)})  # too long: the next candidate is taken
    assert not made.is_relative_to(deep)
    assert made.stat().st_mode & 0o777 == 0o700
    (made / "tmp").rmdir()
    made.rmdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(UnsafeError, match="short"):
        make_socket_folder({})


def test_a_private_file_is_whole_or_absent_and_never_through_a_link(tmp_path: Path) -> None:
    path = tmp_path / "file"
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    path.symlink_to(victim)
    write_private(path, "new")
    assert (path.read_text(), victim.read_text(), path.is_symlink()) == ("new", "untouched", False)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()].count("file") == 1 == len(list(tmp_path.glob("*file*")))


def test_the_configuration_is_the_repository_s_but_for_the_path() -> None:
    ours, shipped = configparser.ConfigParser(), configparser.ConfigParser()
    ours.read_string(ansible_configuration(ROOT / "collections"))
    shipped.read(ROOT / "ansible.cfg")
    assert Path(ours["defaults"].pop("collections_path")) == ROOT / shipped["defaults"].pop("collections_path")
    assert {name: dict(ours[name]) for name in ours.sections()} == {
        name: dict(shipped[name]) for name in shipped.sections()
    }


def test_the_environment_is_made_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/canary")
    folder = RunFolder(tmp_path / RUN)
    made = build_environment(folder, Path("/run/itcare-x"), nonce="ab", fence=7, known_hosts=tmp_path / "known hosts%")
    assert "canary" not in str(made)
    assert made["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    assert (made["ITCARE_RUN"], made["ITCARE_NONCE"], made["ITCARE_FENCE"]) == (RUN, "ab", "7")
    assert made["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    assert "SSH_AUTH_SOCK" not in made


@pytest.mark.component("sshd")
def test_ssh_itself_reads_the_options_as_they_are_meant(tmp_path: Path) -> None:
    known_hosts = tmp_path / "known hosts %h"
    words = shlex.split(ssh_arguments(known_hosts, with_agent=False))
    told = subprocess.run(["ssh", "-G", *words, "host"], capture_output=True, text=True, check=True).stdout.splitlines()
    settings = dict(line.partition(" ")[::2] for line in told)
    assert settings["stricthostkeychecking"] in ("yes", "true")
    assert settings["batchmode"] == "yes"
    assert settings["identitiesonly"] == "yes"
    assert settings["updatehostkeys"] in ("no", "false")
    assert settings["globalknownhostsfile"] == "/dev/null"
    assert settings["userknownhostsfile"].replace("%%", "%").strip('"') == str(known_hosts)


def test_a_version_manager_s_shims_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "shims" not in clean_path()
    monkeypatch.setattr(environment.sys, "executable", "/home/x/.pyenv/shims/python")
    with pytest.raises(UnsafeError, match="shims"):
        clean_path()
    monkeypatch.setattr(environment.sys, "executable", "/usr/bin/python3")
    monkeypatch.setattr(environment.os, "access", lambda path, mode: False)
    with pytest.raises(UnsafeError, match="ansible-playbook"):
        clean_path()


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    preflight.check_private_folder(home)
    home.chmod(0o750)
    with pytest.raises(UnsafeError, match="0750"):
        preflight.check_private_folder(home)
    (tmp_path / "link").symlink_to(home)
    home.chmod(0o700)
    with pytest.raises(UnsafeError, match="link"):
        preflight.check_private_folder(tmp_path / "link")
    with pytest.raises(UnsafeError):
        preflight.check_private_folder(tmp_path / "missing")


def test_code_that_anybody_may_replace_is_refused(tmp_path: Path) -> None:
    preflight.check_not_written_by_others(tmp_path)
    tmp_path.chmod(0o777)
    with pytest.raises(UnsafeError, match="others may write"):
        preflight.check_not_written_by_others(tmp_path)
    tmp_path.chmod(0o700)


def test_too_little_space_and_too_large_an_inventory_are_refused(tmp_path: Path) -> None:
    preflight.check_free_space(tmp_path, minimum=1)
    with pytest.raises(UnsafeError, match="bytes are free"):
        preflight.check_free_space(tmp_path, minimum=2**62)
    preflight.check_inventory("x")
    with pytest.raises(UnsafeError):
        preflight.check_inventory("x" * (preflight.INVENTORY_LIMIT_BYTES + 1))


def test_the_collection_is_found_with_every_file_that_can_take_part() -> None:
    collection = find_collection()
    assert collection.folder.is_relative_to(ROOT)
    files = collection.files()
    paths = {file.path for file in files}
    assert {"playbooks/visit.yml", "plugins/callback/spool.py", "roles/visit/tasks/main.yml"} <= paths
    assert not any("__pycache__" in path for path in paths)
    assert [file.path for file in files] == sorted(paths)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("playbooks/visit.yml", "playbook"),
        ("plugins/modules/health_info.py", "module"),
        ("plugins/callback/spool.py", "plugin"),
        ("roles/visit/tasks/main.yml", "role"),
        ("roles/visit/files/collect.sh", "script"),
        ("meta/runtime.yml", "plugin"),
    ],
)
def test_each_file_has_its_kind(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_a_duty_is_played_by_the_playbook_of_its_first_word(tmp_path: Path) -> None:
    collection = find_collection()
    assert choose_playbook(collection, "visit.daily").argument == "itcare.maintenance.visit"
    for duty in ("hotline.daily", "../../etc/passwd", ""):
        with pytest.raises(BadInputError):
            choose_playbook(collection, duty)
    own = tmp_path / "own.yml"
    own.write_text("[]")
    assert choose_playbook(collection, "visit.daily", own).argument == str(own)
    with pytest.raises(BadInputError):
        choose_playbook(collection, "visit.daily", tmp_path / "missing.yml")


def test_a_collection_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnsafeError, match="galaxy"):
        find_collection(tmp_path)


def test_orders_and_ending_survive_the_way_through_a_file(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, RUN)
    orders = Orders("x.yml", True, 3, 60, 5, {"pc01": "/s/0"}, "/s", None, False)
    orders.write(folder)
    assert Orders.read(folder) == orders
    assert orders.idle_limit == 60  # start-up counts as idle: less would kill clean runs
    assert Ended.read(folder).ending is Ending.DIED
    Ended(Ending.TIMEOUT, None, "words", 2).write(folder)
    assert Ended.read(folder) == Ended(Ending.TIMEOUT, None, "words", 2)

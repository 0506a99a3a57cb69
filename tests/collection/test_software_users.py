import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer
from tests.support.software import ask, import_software

answer = import_health("answer")
npm, python, users = (import_software(name) for name in ("npm", "python", "users"))
NOBODY = 65534


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def write_users(computer: Computer, *names: str, uid: int | None = None) -> None:
    """Users with homes below /home; without a uid they are whoever runs the test."""
    number = os.geteuid() if uid is None else uid
    for name in names:
        (computer.root / "home" / name).mkdir(parents=True, exist_ok=True)
    lines = [f"{name}:x:{number}:{os.getegid()}::/home/{name}:/bin/sh\n" for name in names]
    computer.write("/etc/passwd", "".join(lines))


def found(told: dict) -> list[tuple[str, str, str]]:
    return sorted((row["scope"], row["name"], row["version"]) for row in told["packages"])


def gaps(told: dict) -> list[tuple[str, str]]:
    """What could not be asked, without what an ordinary user can never ask."""
    return [
        (gap["scope"], gap["reason"])
        for gap in told["unasked"]
        if gap["detail"] != "homes of others are asked as root only"
    ]


METADATA = """\
Metadata-Version: 2.1
Name: httpie
Version: 3.2.1
Author-email: Jakub R <jakub@example.org>
License: x
 Name: not this

Name: nor this
"""


def test_what_users_installed_with_pip_is_read_from_its_metadata(computer):
    write_users(computer, "anna", "jan")
    place = "/home/anna/.local/lib/python3.11/site-packages"
    computer.write(f"{place}/httpie-3.2.1.dist-info/METADATA", METADATA)
    computer.write(f"{place}/old.egg-info/PKG-INFO", "Name: old\nVersion: 0.1\nAuthor: UNKNOWN\n")
    computer.write(f"{place}/older-1.egg-info", "Name: older\nVersion: 1\nAuthor: Somebody\n")
    computer.write(f"{place}/broken-1.dist-info/RECORD", "")
    computer.write(f"{place}/nameless-1.dist-info/METADATA", "Version: 1\n")
    computer.write(f"{place}/httpie/__init__.py", "")
    computer.write("/home/jan/.local/lib/python3.9/site-packages/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n")
    told = python.list_pip_user(ask(computer))
    assert found(told) == [
        ("user:anna", "httpie", "3.2.1"),
        ("user:anna", "old", "0.1"),
        ("user:anna", "older", "1"),
        ("user:jan", "a", "1"),
    ]
    assert {row["name"]: row["publisher"] for row in told["packages"]} == {
        "httpie": "Jakub R", "old": None, "older": "Somebody", "a": None,
    }  # fmt: skip
    assert gaps(told) == []


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_metadata_is_fields_of_one_line(content):
    fields = python.read_metadata(content)
    assert not [text for pair in fields.items() for text in pair if "\n" in text]


def test_programs_of_pipx_come_with_what_was_injected(computer):
    write_users(computer, "anna")
    note = {
        "main_package": {"package": "black", "package_version": "24.1"},
        "injected_packages": {"x": {"package": "click", "package_version": "8"}, "y": "nonsense", "z": {}},
    }
    computer.write("/opt/pipx/venvs/black/pipx_metadata.json", json.dumps(note))
    computer.write("/home/anna/.local/pipx/venvs/b/pipx_metadata.json", json.dumps(note))
    computer.write("/home/anna/.local/share/pipx/venvs/c/pipx_metadata.json", "[" * 100_000)
    computer.write("/home/anna/.local/share/pipx/venvs/d/pipx_metadata.json", "7")
    assert found(python.list_pipx(ask(computer))) == [
        ("machine", "black", "24.1"), ("machine", "click", "8"),
        ("user:anna", "black", "24.1"), ("user:anna", "click", "8"),
    ]  # fmt: skip


def test_node_programs_are_found_below_every_prefix(computer):
    write_users(computer, "anna")
    home = computer.root / "home/anna"
    places = {
        "/usr/local/lib/node_modules/npm": "npm",
        "/usr/lib/node_modules/@angular/cli": "@angular/cli",
        "/home/anna/.nvm/versions/node/v20.1.0/lib/node_modules/yarn": "yarn",
        "/home/anna/tools/lib/node_modules/eslint": "eslint",
        "/home/anna/.npm-global/lib/node_modules/.hidden": "hidden",
    }
    for place, name in places.items():
        author = {"name": "Anna <a@example.org>"} if "@" in name else "Anna (https://example.org)"
        computer.write(f"{place}/package.json", json.dumps({"name": name, "version": "1.0.0", "author": author}))
    computer.write("/home/anna/.npm-global/lib/node_modules/broken/package.json", "{")
    computer.write("/home/anna/.npm-global/lib/node_modules/odd/package.json", '{"name": ["x"], "version": {}}')
    computer.write("/home/anna/.npmrc", "registry=x\nprefix = ${HOME}/tools\n")
    told = npm.list_npm_global(ask(computer))
    assert found(told) == [
        ("machine", "@angular/cli", "1.0.0"), ("machine", "npm", "1.0.0"),
        ("user:anna", "eslint", "1.0.0"), ("user:anna", "yarn", "1.0.0"),
    ]  # fmt: skip
    assert {row["publisher"] for row in told["packages"]} == {"Anna"}
    for outside in ("/etc", "../../root", "${HOME}/../jan", "/", "\0"):
        (home / ".npmrc").write_text(f"prefix={outside}\n")
        assert len(found(npm.list_npm_global(ask(computer)))) == 3


@pytest.mark.parametrize("function", [python.list_pip_user, python.list_pipx, npm.list_npm_global])
def test_no_packages_of_users_is_absent_only_when_all_were_asked(computer, function, monkeypatch):
    write_users(computer, "anna")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if os.getuid() != 0:
        write_users(computer)  # then no home is asked, since rights cannot be given up
    with pytest.raises(answer.Absent):
        function(ask(computer))


def test_an_ordinary_user_says_that_others_were_not_asked(computer, monkeypatch):
    write_users(computer, "anna", uid=1234)
    monkeypatch.setattr(users.os, "geteuid", lambda: 1000)
    told = python.list_pip_user(ask(computer))
    assert (told["packages"], [(gap["scope"], gap["reason"]) for gap in told["unasked"]]) == (
        [],
        [("user:*", "no_permission")],
    )


def test_a_home_that_does_not_answer_holds_up_no_other(computer):
    write_users(computer, "anna", "dead", "jan")
    computer.write("/home/anna/.local/lib/python3.9/site-packages/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n")

    def scan(home):
        if home.user == "dead":
            time.sleep(60)
        return python.scan_pip_user(home)

    started = time.monotonic()
    told = users.ask_homes(ask(computer, 6), scan).conclude()
    assert time.monotonic() - started < 6
    assert found(told) == [("user:anna", "a", "1")]
    assert gaps(told) == [("user:dead", "timeout")]


def test_what_fails_in_one_home_is_told_and_fails_alone(computer):
    write_users(computer, "anna", "bad", "crash", "jan")

    def scan(home):
        if home.user == "bad":
            raise PermissionError(13, "Permission denied", home.path)
        if home.user == "crash":
            os.kill(os.getpid(), 11)
        return [{"name": "a", "version": "1", "scope": "machine"}]

    told = users.ask_homes(ask(computer), scan).conclude()
    assert found(told) == [("user:anna", "a", "1"), ("user:jan", "a", "1")]
    assert gaps(told) == [("user:bad", "no_permission"), ("user:crash", "failed")]


def test_a_long_list_of_gaps_is_summed_up():
    many = [{"scope": f"user:{n}", "reason": "timeout", "detail": None} for n in range(100)]
    told = users.Findings([], many).conclude()
    assert len(told["unasked"]) == 20
    assert told["unasked"][-1] == {"scope": "user:*", "reason": "too_many", "detail": "81 more"}


def test_homes_are_those_of_the_file_of_users_and_of_directory_users(computer):
    for name in ("anna", "domain-user", "roots"):
        (computer.root / "home" / name).mkdir(parents=True)
    computer.write(
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\nanna2:x:1001:1001::/home/anna/:/bin/sh\n"
        "daemon:x:1:1::/usr/sbin:/x\nnobody:x:65534:65534::/nonexistent:/x\nrel:x:5:5::home:/x\nodd:x:-1:0::/home/x:/x\n"
        "big:x:99999999999:0::/home/big:/x\nshort:x:1\nsub:x:3:3::/proc/self:/x\nup:x:4:4::/a/../..:/x\n",
    )
    if os.geteuid() == 0:
        os.chown(computer.root / "home/domain-user", 5000, 5000)
    listed = {home.user: (home.uid, home.path) for home in users.list_homes(ask(computer))}
    expected = {"root": (0, f"{computer.root}/root"), "anna": (1000, f"{computer.root}/home/anna")}
    if os.geteuid() == 0:
        # A directory in /home that is root's is nobody's, and is not read with root's rights.
        expected["domain-user"] = (5000, f"{computer.root}/home/domain-user")
        assert listed == expected
    else:
        assert listed.items() >= expected.items()


def open_up(folder: Path) -> None:
    """Let every user pass through the private directories of pytest."""
    for place in (folder, *folder.parents):
        if place.stat().st_uid == os.geteuid() and place != Path("/") and place != Path("/tmp"):
            place.chmod(place.stat().st_mode | 0o011)


@pytest.mark.component("root")
def test_a_link_in_a_home_leads_nowhere_that_its_user_could_not_go(computer, tmp_path):
    write_users(computer, "mallory", uid=NOBODY)
    secret = computer.write("/root/secret/METADATA", "Name: secret\nVersion: 1\n")
    public = computer.write("/srv/public/METADATA", "Name: public\nVersion: 1\n")
    open_up(tmp_path)
    secret.parent.chmod(0o700)
    for folder in (computer.root, computer.root / "home", computer.root / "srv", public.parent):
        folder.chmod(0o755)
    site = computer.root / "home/mallory/.local/lib/python3.9/site-packages"
    site.mkdir(parents=True)
    (site / "a.dist-info").symlink_to(secret.parent)
    (site / "b.dist-info").symlink_to(public.parent)
    os.mkfifo(site / "c.egg-info")
    subprocess.run(["chmod", "-R", "a+rX", computer.root / "home"], check=True)
    told = python.list_pip_user(ask(computer))
    # Without giving up root's rights, `secret` would be here as well; with rights given up for nothing, neither.
    assert found(told) == [("user:mallory", "public", "1")]
    assert gaps(told) == []


@pytest.mark.component("root")
def test_the_rights_are_given_up_for_good(computer, tmp_path):
    write_users(computer, "mallory", uid=NOBODY)

    def scan(home):
        try:
            os.setuid(0)
        except PermissionError:
            return [{"name": f"{os.getresuid()} {os.getresgid()} {os.getgroups()}", "version": "1"}]
        return [{"name": "root again", "version": "1"}]

    told = users.ask_homes(ask(computer), scan).conclude()
    gid = os.getegid()
    assert [row["name"] for row in told["packages"]] == [f"{(NOBODY,) * 3} {(gid,) * 3} {[gid]}"]

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

administrators = import_health("administrators")
answer = import_health("answer")
sudoers = import_health("sudoers")

PASSWD = """root:x:0:0:root:/root:/bin/bash
adam:x:1000:1000::/home/adam:/bin/bash
ewa:x:1001:27::/home/ewa:/bin/bash
jan:x:1002:1002::/home/jan:/bin/bash
"""
GROUP = "root:x:0:\nsudo:x:27:adam\nops:x:50:jan\nusers:x:100:jan,ewa\n"


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    made = make_computer(tmp_path, monkeypatch)
    made.write("/etc/passwd", PASSWD)
    made.write("/etc/group", GROUP)
    return made


def rows(computer: Computer) -> set[tuple[str, str, str]]:
    told = administrators.observe_administrators(computer.request())
    data = told.data if isinstance(told, answer.Told) else told
    return {(row["name"], row["kind"], row["through"]) for row in data}


def reason(computer: Computer) -> str:
    with pytest.raises(answer.Unavailable) as caught:
        administrators.observe_administrators(computer.request())
    return caught.value.reason


BASE = {("root", "user", "uid0"), ("adam", "user", "sudo"), ("ewa", "user", "sudo")}


def test_uid_zero_and_members_by_list_and_by_primary_group(computer):
    assert rows(computer) == BASE


def test_a_second_account_with_uid_zero_is_told(computer):
    computer.write("/etc/passwd", f"{PASSWD}toor:x:0:0::/:/bin/sh\n")
    assert ("toor", "user", "uid0") in rows(computer)


@pytest.mark.parametrize("group", ["wheel", "admin"])
def test_other_names_of_the_group_count(computer, group):
    computer.write("/etc/group", f"{group}:x:10:jan\n")
    assert ("jan", "user", group) in rows(computer)


ROOT_RULE = "root ALL=(ALL:ALL) ALL\n"
GRANTS = [
    ("jan ALL=(ALL:ALL) ALL", {("jan", "user", "sudoers")}),
    ("jan ALL=(ALL) NOPASSWD: ALL", {("jan", "user", "sudoers")}),
    ("jan ALL = NOPASSWD:ALL", {("jan", "user", "sudoers")}),
    ("jan ALL=ALL", {("jan", "user", "sudoers")}),
    ("jan ALL=(root) /bin/ls, ALL", {("jan", "user", "sudoers")}),
    ("jan, ewa ALL=(ALL) ALL", {("jan", "user", "sudoers"), ("ewa", "user", "sudoers")}),
    ("jan web1=(www) /bin/x : web2=(root) ALL", {("jan", "user", "sudoers")}),
    ("jan ALL=(ALL) CWD=/srv NOEXEC: SETENV: ALL", {("jan", "user", "sudoers")}),
    ("jan ALL=\\\n  (ALL) \\\n  ALL # everything", {("jan", "user", "sudoers")}),
    ("#1002 ALL=(ALL) ALL", {("jan", "user", "sudoers")}),
    ("#4711 ALL=(ALL) ALL", {("#4711", "user", "sudoers")}),
    ("%ops ALL=(ALL) ALL", {("jan", "user", "ops")}),
    ("%#50 ALL=(ALL) ALL", {("jan", "user", "ops")}),
    ("%nobody-has-it ALL=(ALL) ALL", set()),
    ("+netadmins ALL=(ALL) ALL", {("+netadmins", "group", "sudoers")}),
    ("ALL ALL=(ALL) ALL", {("ALL", "group", "sudoers")}),
    (r"%domain\ admins ALL=(ALL) ALL", set()),
    ("User_Alias BOSS = jan, !ewa : CREW = ewa\nBOSS ALL=(ALL) ALL", {("jan", "user", "sudoers")}),
    ("User_Alias A = B\nUser_Alias B = jan\nA ALL = ALL", {("jan", "user", "sudoers")}),
    ("User_Alias A = A\nA ALL = ALL", {("A", "user", "sudoers")}),
    ("Cmnd_Alias ANY = /bin/ls -l, ALL\njan ALL = ANY", {("jan", "user", "sudoers")}),
    ("Runas_Alias BOTH = www, root\njan ALL = (BOTH) ALL", {("jan", "user", "sudoers")}),
    ("Defaults targetpw\nALL ALL=(ALL) ALL", set()),
    ("Defaults targetpw\njan ALL=(ALL) NOPASSWD: ALL", {("jan", "user", "sudoers")}),
    ("Defaults targetpw\nDefaults !targetpw\njan ALL=(ALL) ALL", {("jan", "user", "sudoers")}),
    ("Defaults:jan targetpw\njan ALL=(ALL) ALL", {("jan", "user", "sudoers")}),
    # what gives less than everything
    ("jan ALL=(postgres) ALL", set()),
    ("jan ALL=(:adm) ALL", set()),
    ("jan ALL=(ALL) /usr/bin/apt update", set()),
    ("jan ALL=(ALL) /usr/bin/tool ALL", set()),
    ("jan ALL=(ALL) !ALL", set()),
    ("!jan ALL=(ALL) ALL", set()),
    ("jan ALL=(ALL) sha256:abcdef= /usr/bin/tool", set()),
    ("Cmnd_Alias SOME = /bin/tool ALL\njan ALL = SOME", set()),
    ("Cmnd_Alias NONE = !ALL\njan ALL = NONE", set()),
    ('jan ALL = /bin/tool "a, b" [!x]*', set()),
    ("# jan ALL=(ALL) ALL", set()),
    ('Defaults secure_path="/usr/bin:/bin", env_reset', set()),
]


@pytest.mark.parametrize(("text", "expected"), GRANTS, ids=[text for text, _ in GRANTS])
def test_rules_that_allow_everything_name_their_users(computer, text, expected):
    computer.write("/etc/sudoers", f"{ROOT_RULE}{text}\n")
    assert rows(computer) - BASE - {("root", "user", "sudoers")} == expected


@pytest.mark.parametrize("form", ["@includedir /etc/sudoers.d", "#includedir /etc/sudoers.d", "@includedir sudoers.d"])
def test_included_files_are_read_as_sudo_reads_them(computer, form):
    computer.write("/etc/sudoers", f"{ROOT_RULE}{form}\n@include /etc/extra\n@include /etc/gone\n")
    computer.write("/etc/sudoers.d/10-jan", "jan ALL=(ALL) ALL\n")
    computer.write("/etc/sudoers.d/old.bak", "eve ALL=(ALL) ALL\n")
    computer.write("/etc/sudoers.d/draft~", "eve ALL=(ALL) ALL\n")
    computer.write("/etc/sudoers.d/folder/file", "eve ALL=(ALL) ALL\n")
    computer.write("/etc/extra", "ola ALL=(ALL) ALL\n")
    named = {name for name, _kind, through in rows(computer) if through == "sudoers"}
    assert named == {"root", "jan", "ola"}


def test_files_that_include_each_other_end(computer):
    computer.write("/etc/sudoers", "@include /etc/sudoers\n")
    assert reason(computer) == "unreadable"


@pytest.mark.parametrize("closed", ["etc/sudoers", "etc/sudoers.d", "etc/sudoers.d/10-jan"])
def test_rules_that_may_not_be_read_leave_the_list_unavailable(computer, closed, monkeypatch):
    computer.write("/etc/sudoers", f"{ROOT_RULE}@includedir /etc/sudoers.d\n")
    computer.write("/etc/sudoers.d/10-jan", "jan ALL=(ALL) ALL\n")
    refuse_access(monkeypatch, str(computer.root / closed))
    assert reason(computer) == "no_permission"


def refuse_access(monkeypatch, closed: str) -> None:
    """Make one path closed, as to an ordinary user; root may open everything."""
    real_read, real_list = administrators.read_file, os.listdir

    def read(path, limit=1_000_000):
        if path == closed:
            raise PermissionError(13, "Permission denied", path)
        return real_read(path, limit)

    def listdir(path):
        if path == closed:
            raise PermissionError(13, "Permission denied", path)
        return real_list(path)

    monkeypatch.setattr(administrators, "read_file", read)
    monkeypatch.setattr(administrators.os, "listdir", listdir)


def test_a_line_that_is_no_rule_leaves_the_list_unavailable(computer):
    computer.write("/etc/sudoers", "jan ALL ALL\n")
    assert reason(computer) == "unreadable"


def test_sudo_without_its_file_is_no_good_news(computer):
    computer.tool("sudo", "exit 0")
    assert reason(computer) == "failed"


@pytest.mark.parametrize(("passwd", "why"), [("", "unreadable"), (None, "failed")])
def test_a_computer_without_accounts_is_unavailable(computer, passwd, why):
    if passwd is None:
        (computer.root / "etc/passwd").unlink()
    else:
        computer.write("/etc/passwd", passwd)
    assert reason(computer) == why


DIRECTORY = "passwd: files sss\ngroup: files [NOTFOUND=continue] sss # directory\n"


def test_a_directory_is_asked_where_nsswitch_names_one(computer):
    computer.write("/etc/nsswitch.conf", DIRECTORY)
    computer.tool("getent", 'case "$3" in sudo) echo "sudo:*:27:adam,ola";; *) exit 2;; esac')
    assert rows(computer) == BASE | {("ola", "user", "sudo")}


def test_a_group_whose_members_a_directory_keeps_to_itself_is_a_row(computer):
    computer.write("/etc/nsswitch.conf", DIRECTORY)
    computer.write("/etc/sudoers", r"%domain\ admins ALL=(ALL) ALL")
    computer.tool("getent", 'case "$3" in "domain admins") echo "domain admins:*:512:";; *) exit 2;; esac')
    assert rows(computer) - BASE == {("domain admins", "group", "sudoers")}


@pytest.mark.parametrize(("script", "why"), [("sleep 30", "timeout"), ("exit 1", "failed"), ("echo x", "failed")])
def test_a_directory_that_does_not_answer_leaves_the_list_unavailable(computer, script, why):
    computer.write("/etc/nsswitch.conf", DIRECTORY)
    computer.tool("getent", script)
    with pytest.raises(answer.Unavailable) as caught:
        administrators.observe_administrators(computer.request(seconds=0.5))
    assert caught.value.reason == why


@pytest.mark.parametrize("sources", ["files", "files systemd", "compat", "files [SUCCESS=merge] systemd"])
def test_local_sources_ask_nobody(computer, sources):
    computer.write("/etc/nsswitch.conf", f"passwd: {sources}\ngroup: {sources}\nsudoers: files sss\n")
    computer.tool("getent", "exit 1")
    assert rows(computer) == BASE


def test_rules_in_a_directory_are_told_where_one_is_set_up(computer):
    computer.write("/etc/nsswitch.conf", "sudoers: files sss\n")
    computer.write("/etc/sssd/sssd.conf", "[sssd]\n")
    assert "sssd" in administrators.observe_administrators(computer.request()).detail


@given(st.text(max_size=120))
def test_no_text_in_place_of_rules_ends_in_a_traceback(text):
    rules = sudoers.Rules()
    try:
        for line in sudoers.logical_lines(text):
            if sudoers.read_include(line) is None:
                sudoers.read_rule(line, rules)
    except answer.Unavailable as error:
        assert error.reason == "unreadable"
    assert all(isinstance(name, str) for name in sudoers.list_grantees(rules))

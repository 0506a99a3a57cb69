# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Who may do everything on this computer: uid 0, the administrators' groups, and the rules of sudo."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass, field

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Told,
    Unavailable,
    clean_text,
    read_file,
    why_not_read,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.sudoers import (
    Rules,
    list_grantees,
    logical_lines,
    read_include,
    read_rule,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import find_tool, run_tool

# Whose members sudo and polkit of the distributions take for administrators.
GROUPS = ("sudo", "wheel", "admin")
# nsswitch.conf(5) sources that hold nothing beyond /etc/passwd and /etc/group, as far as people are concerned.
_LOCAL_SOURCES = frozenset({"files", "compat", "systemd", "altfiles", "db", "extrausers"})
_MOST_FILES = 200
_MOST_ROWS = 400
_NAME_CHARACTERS = 100


@dataclass
class _Accounts:
    """Local accounts, and whether a directory service may know more."""

    request: Request
    uids: dict[str, int] = field(default_factory=dict)
    gids: dict[str, int] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    has_directory: bool = False


def observe_administrators(request: Request) -> object:
    """One row per name and way: `through` is uid0, sudoers, or the group that the name is a member of.

    A group whose members nobody lists, as of some directories, is a row of the kind group. The answer is whole
    or Unavailable: what an ordinary user may not read of sudo's rules leaves the list open.
    """
    accounts = _read_accounts(request)
    rows = {(name, "user", "uid0") for name, uid in accounts.uids.items() if uid == 0}
    for group in GROUPS:
        rows |= _members(accounts, group)
    for grantee in list_grantees(_read_sudoers(request)):
        rows |= _expand(accounts, grantee)
    named = [{"name": name, "kind": kind, "through": through} for name, kind, through in sorted(rows)]
    remarks = ["sudo also takes rules from sssd"] if _has_rules_elsewhere(request) else []
    if len(named) > _MOST_ROWS:
        remarks.append(f"{len(named) - _MOST_ROWS} more are left out")
    return Told(named[:_MOST_ROWS], "; ".join(remarks)) if remarks else named


def _read_accounts(request: Request) -> _Accounts:
    accounts = _Accounts(request)
    for row in _table(request, "passwd"):
        if len(row) > 3 and row[2].isdecimal() and row[3].isdecimal():
            accounts.uids[row[0]], accounts.gids[row[0]] = int(row[2]), int(row[3])
    if not accounts.uids:
        raise Unavailable("unreadable", "/etc/passwd has no account")
    for row in _table(request, "group"):
        if len(row) > 3 and row[2].isdecimal():
            accounts.groups[row[0]] = int(row[2]), [name for name in row[3].split(",") if name]
    accounts.has_directory = any(
        _sources(request, database) - _LOCAL_SOURCES for database in ("passwd", "group", "initgroups")
    )
    return accounts


def _table(request: Request, name: str) -> list[list[str]]:
    try:
        text = read_file(request.path("etc", name), 8_000_000).decode("utf-8", "replace")
    except OSError as error:
        raise why_not_read(error) from error
    return [line.strip().split(":") for line in text.splitlines() if line and line[0] not in "#+-"]


def _sources(request: Request, database: str) -> set[str]:
    """The sources that nsswitch.conf names for a database, without its actions in brackets."""
    try:
        text = read_file(request.path("etc/nsswitch.conf"), 65536).decode("utf-8", "replace")
    except OSError:
        return set()
    for line in text.splitlines():
        name, colon, sources = line.partition("#")[0].partition(":")
        if colon and name.strip() == database:
            return set(re.sub(r"\[[^\]]*\]", " ", sources).split())
    return set()


def _members(accounts: _Accounts, group: str) -> set[tuple[str, str, str]]:
    """The members of a group by its name; nothing for a group that does not exist."""
    local = accounts.groups.get(group)
    members = list(local[1]) if local else []
    gid = local[0] if local else None
    if accounts.has_directory:
        told = _ask_directory(accounts, group)
        if told is not None:
            gid, members = told[0], members + told[1]
            if not told[1] and local is None:
                return {(clean_text(group, _NAME_CHARACTERS), "group", "sudoers")}
    members += [name for name, primary in accounts.gids.items() if gid is not None and primary == gid]
    through = clean_text(group, _NAME_CHARACTERS)
    return {(clean_text(name, _NAME_CHARACTERS), "user", through) for name in members}


def _ask_directory(accounts: _Accounts, group: str) -> tuple[int, list[str]] | None:
    """gid and members by getent, None for a group that does not exist. Raises Unavailable: timeout, failed."""
    output = run_tool(["getent", "group", "--", group], accounts.request.deadline, max_bytes=1_000_000)
    if output.rc == 2:
        return None
    lines = output.lines()
    row = lines[0].split(":") if lines else []
    if output.rc != 0 or output.cut or len(row) < 4 or not row[2].isdecimal():
        raise Unavailable("failed", output.err or f"getent could not tell the members of {clean_text(group, 60)}")
    return int(row[2]), [name for name in row[3].split(",") if name]


def _expand(accounts: _Accounts, grantee: str) -> set[tuple[str, str, str]]:
    """The rows of one grantee of sudoers."""
    if grantee.startswith("%#") and grantee[2:].isdecimal():
        names = [name for name, (gid, _members_) in accounts.groups.items() if gid == int(grantee[2:])]
        return set().union(*(_members(accounts, name) for name in names)) or _unlisted(grantee[1:])
    if grantee.startswith("%:"):
        return _unlisted(grantee[2:])
    if grantee.startswith("%"):
        return _members(accounts, grantee[1:])
    if grantee.startswith("+") or grantee == "ALL":
        return _unlisted(grantee)
    if grantee.startswith("#") and grantee[1:].isdecimal():
        names = [name for name, uid in accounts.uids.items() if uid == int(grantee[1:])] or [grantee]
        return {(clean_text(name, _NAME_CHARACTERS), "user", "sudoers") for name in names}
    return {(clean_text(grantee, _NAME_CHARACTERS), "user", "sudoers")}


def _unlisted(name: str) -> set[tuple[str, str, str]]:
    return {(clean_text(name, _NAME_CHARACTERS), "group", "sudoers")}


def _read_sudoers(request: Request) -> Rules:
    """The rules of /etc/sudoers and of all files that it includes; without that file sudo gives nothing."""
    rules = Rules()
    waiting, seen = ["/etc/sudoers"], 0
    while waiting:
        path = waiting.pop(0)
        seen += 1
        if seen > _MOST_FILES:
            raise Unavailable("unreadable", f"sudoers includes more than {_MOST_FILES} files")
        text = _read_rules_file(request, path, is_first=seen == 1)
        for line in logical_lines(text):
            include = read_include(line)
            if include is None:
                read_rule(line, rules)
            else:
                waiting += _list_included(request, os.path.join(os.path.dirname(path), include[0]), include[1])
    return rules


def _read_rules_file(request: Request, path: str, is_first: bool) -> str:
    try:
        return read_file(request.path(path.lstrip("/")), 2_000_000).decode("utf-8", "replace")
    except FileNotFoundError:
        if is_first and find_tool("sudo") is not None:
            raise Unavailable("failed", "sudo is installed, and /etc/sudoers is not where it is expected") from None
        return ""
    except OSError as error:
        raise why_not_read(error) from error


def _list_included(request: Request, path: str, is_folder: bool) -> list[str]:
    """The files of an include, as sudo takes them: of a folder not those with a dot or a final tilde in the name."""
    path = path.replace("%h", socket.gethostname().partition(".")[0])
    if not is_folder:
        return [path]
    try:
        names = sorted(os.listdir(request.path(path.lstrip("/"))))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise why_not_read(error) from error
    files = [f"{path.rstrip('/')}/{name}" for name in names if "." not in name and not name.endswith("~")]
    return [file for file in files if not os.path.isdir(request.path(file.lstrip("/")))]


def _has_rules_elsewhere(request: Request) -> bool:
    """Whether sudo asks a directory too; distributions name it in advance, so only a configured one counts."""
    asked = _sources(request, "sudoers") - {"files"}
    return bool(asked) and os.path.exists(request.path("etc/sssd/sssd.conf"))

# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Ask in the home of every user, each in a process of its own that has the user's rights and no others.

What a user put there is the user's to choose, links included: with the user's rights a link leads nowhere that the
user could not read, and a home on a dead file server holds up nobody but itself.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Absent,
    Unavailable,
    clean_text,
    why_not_read,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.worker import ask_all
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import (
    Question,
    list_folder,
    read_plain_file,
)

_PASSWD_FIELDS = 7
_NO_HOMES = frozenset(
    (
        "/",
        "/bin",
        "/sbin",
        "/usr/bin",
        "/usr/sbin",
        "/dev",
        "/dev/null",
        "/proc",
        "/sys",
        "/run",
        "/nonexistent",
        "/var/empty",
    )
)
_MOST_USERS, _AT_ONCE = 400, 16
_LARGEST_ANSWER_BYTES = 16_000_000
_MOST_GAPS = 20
# One batch that does not answer leaves time for two more.
_SHARE_OF_A_BATCH = 1 / 3
_EVERYBODY_ELSE = "user:*"


@dataclass(frozen=True)
class Home:
    """A user's home; `path` is below the root that stands for `/`."""

    user: str
    uid: int
    gid: int
    path: str

    @property
    def scope(self) -> str:
        return f"user:{self.user}"


@dataclass(frozen=True)
class Findings:
    """The packages of all scopes, and the scopes that could not be asked: dicts of scope, reason, detail."""

    packages: list
    unasked: list

    def conclude(self) -> dict:
        """The source's data. Raises Absent when there is nothing, Unavailable when nothing could be asked."""
        if not self.packages and not self.unasked:
            raise Absent("none")
        gaps = self.unasked
        if len(gaps) > _MOST_GAPS:
            more = f"{len(gaps) - _MOST_GAPS + 1} more"
            gaps = [*gaps[: _MOST_GAPS - 1], _gap(_EVERYBODY_ELSE, "too_many", more)]
        return {"packages": self.packages, "unasked": gaps}


def ask_homes(question: Question, scan) -> Findings:
    """Call `scan(home)`, which returns packages, for every home, or as an ordinary user for one's own.

    A scan raises OSError or Unavailable; the user is then among those that could not be asked.
    """
    packages: list = []
    unasked: list = []
    homes = list_homes(question)
    if os.geteuid() != 0:
        homes = [home for home in homes if home.uid == os.geteuid()]
        unasked.append(_gap(_EVERYBODY_ELSE, "no_permission", "homes of others are asked as root only"))
    if len(homes) > _MOST_USERS:
        unasked.append(_gap(_EVERYBODY_ELSE, "too_many", f"{len(homes) - _MOST_USERS} more"))
    share = max(0.1, question.deadline - time.monotonic()) * _SHARE_OF_A_BATCH
    for start in range(0, min(len(homes), _MOST_USERS), _AT_ONCE):
        batch = {home: _bind(scan, home) for home in homes[start : start + _AT_ONCE]}
        limit = min(share, question.deadline - time.monotonic())
        if limit <= 0:
            unasked += [_gap(home.scope, "timeout", None) for home in batch]
            continue
        for home, answer in ask_all(batch, limit, _LARGEST_ANSWER_BYTES).items():
            if answer.state == "ok":
                packages += [{**package, "scope": home.scope} for package in answer.data]
            elif answer.state == "unavailable":
                unasked.append(_gap(home.scope, answer.reason, answer.detail))
    return Findings(packages, unasked)


def _gap(scope: str, reason: str, detail: str | None) -> dict:
    return {"scope": scope, "reason": reason, "detail": detail}


def _bind(scan, home: Home):
    def ask() -> list:
        become(home)
        try:
            return scan(home)
        except OSError as error:
            raise why_not_read(error) from error

    return ask


def become(home: Home) -> None:
    """Give up every right but the user's, for good; raises OSError when that is not possible."""
    if os.geteuid() == home.uid:
        return
    os.setgroups([home.gid])
    os.setresgid(home.gid, home.gid, home.gid)
    os.setresuid(home.uid, home.uid, home.uid)


def list_homes(question: Question) -> list[Home]:
    """One home per user of the local file, then those in /home whose owners a directory service knows.

    The homes of users that are known are not touched here: one of them may be a mount that does not answer.
    Raises Unavailable when the file of users cannot be read.
    """
    try:
        content, _when = read_plain_file(question.path("etc/passwd"), 4_000_000)
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise why_not_read(error) from error
    homes: dict[str, Home] = {}
    users: set[str] = set()
    for line in content.decode("utf-8", "replace").splitlines():
        home = _read_user(line, question)
        if home is not None and home.path not in homes and home.user not in users:
            homes[home.path] = home
            users.add(home.user)
    for home in _homes_of_strangers(question, homes):
        if home.user not in users:
            homes[home.path] = home
    return list(homes.values())


def _read_user(line: str, question: Question) -> Home | None:
    row = line.split(":")
    if len(row) != _PASSWD_FIELDS or not (_is_number(row[2]) and _is_number(row[3])):
        return None
    folder = os.path.normpath(row[5]) if row[5].startswith("/") else "/"
    if folder in _NO_HOMES or "\0" in folder or folder.startswith(("/proc/", "/dev/", "/sys/")):
        return None
    user = clean_text(row[0], 64)
    return Home(user, int(row[2]), int(row[3]), question.path(folder)) if user else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) < 1 << 32


def _homes_of_strangers(question: Question, known: dict[str, Home]) -> list[Home]:
    folder = question.path("home")
    try:
        names = list_folder(folder)
    except (OSError, Unavailable):
        return []
    homes = []
    for name in names:
        path = os.path.join(folder, name)
        if path in known or name in ("lost+found",):
            continue
        try:
            status = os.lstat(path)
        except OSError:
            continue
        user = clean_text(name, 64)
        # A directory that is root's is nobody's home, and is not to be read with root's rights.
        if status.st_uid != 0 and user:
            homes.append(Home(user, status.st_uid, status.st_gid, path))
    return homes

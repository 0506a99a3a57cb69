# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The categories by name: which folders each has, and what in them is never touched."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._temp.directory import (
    crosses_mount,
    open_below,
    open_path,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.look import look_at_descriptor
from ansible_collections.itcare.maintenance.plugins.module_utils._temp.scope import Scope

# login.defs(5), UID_MIN: accounts below it belong to services. 65534 is nobody.
_FIRST_PERSON, _NOBODY = 1000, 65534
_HOME_FIELD = 5  # passwd(5)
_ANY = b"*"


@dataclass(frozen=True)
class Category:
    """`folders`: absolute paths of the system. `below_home`: paths in each home, `*` standing for any one name.

    `locks`: files of a package manager; while somebody has one open, the category is left alone.
    """

    folders: tuple[str, ...] = ()
    below_home: tuple[str, ...] = ()
    scope: Scope = Scope()
    locks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Root:
    """An open folder of a category; whoever takes it closes the descriptor."""

    path: bytes
    descriptor: int


# Sockets' folders of the X server and its lock files; the private folders of running services and of snaps.
_SYSTEM_KEPT = rb"\.(X11|ICE|XIM|font|Test)-unix|\.X\d+-lock|snap-private-tmp|systemd-private-%b-[^/]*"
_BROWSERS = (
    "mozilla",
    "google-chrome",
    "google-chrome-beta",
    "chromium",
    "microsoft-edge",
    "BraveSoftware",
    "vivaldi",
    "opera",
    "epiphany",
)
_BROWSER_APPLICATIONS = (
    "org.mozilla.firefox",
    "com.google.Chrome",
    "org.chromium.Chromium",
    "com.microsoft.Edge",
    "com.brave.Browser",
)
# Programs that keep in a cache what they cannot make again by themselves: environments, local histories, browsers.
_NO_CACHES = ("pypoetry/virtualenvs", "virtualenv", "JetBrains", "ms-playwright", "pre-commit")
_APT_LOCKS = ("/var/cache/apt/archives/lock", "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock")
_RPM_LOCKS = ("/var/lib/rpm/.rpm.lock", "/usr/lib/sysimage/rpm/.rpm.lock", "/var/lib/dnf/rpmdb_lock.pid")
_APK_LOCKS = ("/lib/apk/db/lock",)


def list_categories(boot: bytes | None) -> dict[str, Category]:
    """The categories of folders; `boot`: the kernel's boot identifier, None when it is not known (all are kept)."""
    system = re.compile(_SYSTEM_KEPT % (re.escape(boot) if boot else rb"[^/]*"))
    return {
        "system_temp": Category(folders=("/tmp", "/var/tmp"), scope=Scope(kept=system)),  # noqa: S108 - its very task
        "user_cache": Category(
            below_home=(".cache", ".var/app/*/cache", "snap/*/common/.cache"),
            scope=Scope(
                kept=re.compile("|".join(map(re.escape, _BROWSERS + _NO_CACHES)).encode("ascii")),
                kept_levels=2,
            ),
        ),
        "package_cache": Category(
            folders=(
                "/var/cache/apt/archives",
                "/var/cache/dnf",
                "/var/cache/libdnf5",
                "/var/cache/yum",
                "/var/cache/apk",
            ),
            scope=Scope(suffixes=(b".deb", b".rpm", b".apk")),
            locks=_APT_LOCKS + _RPM_LOCKS + _APK_LOCKS,
        ),
        "browser_cache": Category(
            below_home=tuple(f"{folder}/{name}" for folder in (".cache", "snap/*/common/.cache") for name in _BROWSERS)
            + tuple(f".var/app/{name}/cache" for name in _BROWSER_APPLICATIONS),
        ),
        "trash": Category(
            below_home=(".local/share/Trash/files", ".local/share/Trash/info", ".local/share/Trash/expunged"),
            scope=Scope(by_top=True),
        ),
        "crash_reports": Category(folders=("/var/crash", "/var/lib/systemd/coredump", "/var/lib/apport/coredump")),
    }


def open_roots(category: Category, root: str, tell) -> Iterator[Root]:
    """The folders of the category that exist, open, each once; `tell(reason)` is called for one that is refused."""
    seen: set[tuple] = set()
    for path, descriptor in _open_folders(category, root, tell):
        look = look_at_descriptor(descriptor)
        if look.identity in seen:
            os.close(descriptor)  # /var/tmp may be a link to /tmp
            continue
        seen.add(look.identity)
        yield Root(path, descriptor)


def _open_folders(category: Category, root: str, tell) -> Iterator[tuple[bytes, int]]:
    for folder in category.folders:
        try:
            yield os.fsencode(folder), open_path(root + folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            tell("error")
    if category.below_home:
        for uid, home in list_homes(root):
            if os.geteuid() in (0, uid):
                yield from _open_below_home(category, root, uid, home, tell)


def _open_below_home(category: Category, root: str, uid: int, home: bytes, tell) -> Iterator[tuple[bytes, int]]:
    try:
        descriptor = open_path(root + os.fsdecode(home))
    except OSError:
        return
    try:
        base = look_at_descriptor(descriptor)
        if base.uid != uid:
            return  # the home of a service that is not its own: /, /usr/sbin, /nonexistent
        for below in category.below_home:
            for relative in _expand(descriptor, os.fsencode(below).split(b"/"), category):
                opened = _open_relative(descriptor, relative, tell)
                if opened is None:
                    continue
                if crosses_mount(look_at_descriptor(opened), base):
                    os.close(opened)
                    tell("mount")
                    continue
                yield home + b"/" + b"/".join(relative), opened
    finally:
        os.close(descriptor)


def _open_relative(descriptor: int, names: list[bytes], tell) -> int | None:
    try:
        return open_below(os.dup(descriptor), names)
    except FileNotFoundError:
        return None
    except OSError as error:
        # O_DIRECTORY | O_NOFOLLOW says one or the other of a link
        tell("link" if error.errno in (errno.ENOTDIR, errno.ELOOP) else "error")
    return None


def _expand(descriptor: int, names: list[bytes], category: Category) -> list[list[bytes]]:
    """The paths that a pattern with one `*` stands for; a browser's folder is none of the users' other caches."""
    if _ANY not in names:
        return [names]
    place = names.index(_ANY)
    try:
        above = open_below(os.dup(descriptor), names[:place])
    except OSError:
        return []
    try:
        found = sorted(os.fsencode(name) for name in os.listdir(above))
    except OSError:
        return []
    finally:
        os.close(above)
    if category.scope.kept is not None:
        found = [name for name in found if os.fsdecode(name) not in _BROWSER_APPLICATIONS]
    return [[*names[:place], name, *names[place + 1 :]] for name in found]


def list_homes(root: str) -> list[tuple[int, bytes]]:
    """Homes of people and of root: those of /etc/passwd, and those in /home whose users a directory service knows."""
    homes: dict[bytes, int] = {}
    with contextlib.suppress(OSError), open(root + "/etc/passwd", "rb") as file:
        for line in file:
            fields = line.rstrip(b"\n").split(b":")
            if len(fields) > _HOME_FIELD and fields[2].isdigit() and fields[_HOME_FIELD].startswith(b"/"):
                homes[os.path.normpath(fields[_HOME_FIELD])] = int(fields[2])
    with contextlib.suppress(OSError), os.scandir(os.fsencode(root + "/home")) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                homes.setdefault(b"/home/" + entry.name, entry.stat(follow_symlinks=False).st_uid)
    return sorted((uid, home) for home, uid in homes.items() if home != b"/" and _is_person(uid))


def _is_person(uid: int) -> bool:
    return uid == 0 or (uid >= _FIRST_PERSON and uid != _NOBODY)


def read_boot(proc: str = "/proc") -> bytes | None:
    """The boot identifier as systemd writes it into the names of private folders."""
    try:
        with open(f"{proc}/sys/kernel/random/boot_id", "rb") as file:
            return file.read(64).strip().replace(b"-", b"") or None
    except OSError:
        return None


def find_held_lock(category: Category, root: str, identities: set[tuple]) -> str | None:
    """A lock file of the category that somebody has open just now."""
    for lock in category.locks:
        try:
            status = os.stat(root + lock)
        except OSError:
            continue
        if (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino) in identities:
            return lock
    return None

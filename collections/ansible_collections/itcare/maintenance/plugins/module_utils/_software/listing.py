# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""The sources by name, the whole list, and how a large one is packed to pass through every channel in one piece."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import clean_text, write_instant
from ansible_collections.itcare.maintenance.plugins.module_utils._health.worker import Answer, ask_all
from ansible_collections.itcare.maintenance.plugins.module_utils._software.apk import list_apk
from ansible_collections.itcare.maintenance.plugins.module_utils._software.dpkg import list_dpkg
from ansible_collections.itcare.maintenance.plugins.module_utils._software.flatpak import list_flatpak
from ansible_collections.itcare.maintenance.plugins.module_utils._software.npm import list_npm_global
from ansible_collections.itcare.maintenance.plugins.module_utils._software.package import LARGEST_LIST, Question
from ansible_collections.itcare.maintenance.plugins.module_utils._software.python import list_pip_user, list_pipx
from ansible_collections.itcare.maintenance.plugins.module_utils._software.rpm import list_rpm
from ansible_collections.itcare.maintenance.plugins.module_utils._software.snap import list_snap

SCHEMA = "itcare/software/v1"
SOURCES = {
    "dpkg": list_dpkg,
    "rpm": list_rpm,
    "apk": list_apk,
    "snap": list_snap,
    "flatpak": list_flatpak,
    "pipx": list_pipx,
    "pip_user": list_pip_user,
    "npm_global": list_npm_global,
}
# A result of up to 256 kB passes the spool as it is; this leaves room for what Ansible adds to it.
LARGEST_PLAIN_BYTES = 250 * 1024
LARGEST_PACKED_CHARACTERS = 600 * 1024
_LARGEST_ANSWER_BYTES = 64_000_000
# A source stops by itself at this share of its time, with an answer that says more than the one of who kills it.
_OWN_SHARE = 0.9
_KEY = ("source", "scope", "name", "architecture", "version", "installed_at", "publisher")


def observe(names: list[str], *, source_timeout: int, root: str = "/") -> dict:
    """The installed software: every named source asked at once, within `source_timeout` seconds."""
    now = time.time()
    question = Question(deadline=time.monotonic() + source_timeout * _OWN_SHARE, root=root)
    functions = {name: _bind(SOURCES[name], question) for name in SOURCES if name in names}
    answers = ask_all(functions, source_timeout, _LARGEST_ANSWER_BYTES)
    lists = {name: _packages_of(name, answer) for name, answer in answers.items()}
    sources = {name: _describe(answer, lists[name]) for name, answer in answers.items()}
    return compose(write_instant(now), sources, lists)


def _bind(function, question: Question):
    return lambda: function(question)


def _packages_of(name: str, answer: Answer) -> list[dict]:
    """The packages of an answer, each once: two interpreters of a user may have the same one."""
    data = answer.data if answer.state == "ok" else []
    packages = data["packages"] if isinstance(data, dict) else data
    rows = {
        _identity(package): {**package, "source": name} for package in sorted(packages, key=_sort_key, reverse=True)
    }
    return list(rows.values())


def _identity(package: dict) -> tuple:
    return tuple(package.get(key) for key in _KEY[1:5])


def _sort_key(package: dict) -> tuple:
    return tuple(package.get(key) or "" for key in _KEY)


def _describe(answer: Answer, packages: list[dict]) -> dict:
    unasked = answer.data["unasked"] if isinstance(answer.data, dict) else []
    state, reason, detail, count = answer.state, answer.reason, answer.detail, len(packages)
    if unasked and detail is None:
        detail = clean_text("not asked: " + ", ".join(f"{gap['scope']} ({gap['reason']})" for gap in unasked))
    if len(packages) > LARGEST_LIST:
        state, reason, detail = "unavailable", "too_large", f"{count} packages"
        packages.clear()
    return {
        "state": state,
        "reason": reason,
        "detail": detail,
        "seconds": answer.seconds,
        "count": count if state == "ok" else None,
        "unasked": unasked,
    }


def compose(observed_at: str, sources: dict, lists: dict[str, list[dict]]) -> dict:
    """The result: with the list as it is, packed, or without the sources that make it too large to be handed on."""
    while True:
        packages = sorted((package for rows in lists.values() for package in rows), key=_sort_key)
        result = {"schema": SCHEMA, "observed_at": observed_at, "sources": sources, "count": len(packages)}
        plain = {**result, "packages": packages}
        if len(json.dumps(plain, separators=(",", ":"))) <= LARGEST_PLAIN_BYTES:
            return plain
        packed = pack(packages)
        if len(packed["data"]) <= LARGEST_PACKED_CHARACTERS:
            return {**result, "packages": None, "packed": packed}
        largest = max(lists, key=lambda name: len(lists[name]))
        detail = f"{len(lists[largest])} packages are more than can be handed on"
        gone = {"state": "unavailable", "reason": "too_large", "detail": detail, "count": None}
        sources, lists = {**sources, largest: {**sources[largest], **gone}}, {**lists, largest: []}


def pack(packages: list[dict]) -> dict:
    """The canonical JSON of the list (RFC 8785: no number is in it), compressed and as text."""
    content = json.dumps(packages, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return {
        "encoding": "gzip+base64",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "data": base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii"),
    }

# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name, digest and size of each file that a run used, written to the spool once per file.

Private to the collection itcare.maintenance.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
import typing as t

import ansible
from ansible.errors import AnsibleError
from ansible.plugins.loader import action_loader, module_loader

from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.reduction import clean

if t.TYPE_CHECKING:
    from ansible.playbook.task import Task

    from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.writer import SpoolWriter

COLLECTION = "itcare.maintenance"
COLLECTION_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
_CORE = os.path.dirname(os.path.abspath(ansible.__file__))
_IN_COLLECTION = re.compile(r".*/ansible_collections/([a-z0-9_]+)/([a-z0-9_]+)/(.+)")
_SCRIPT = "ansible.builtin.script"


def relate_path(path: str) -> tuple[str, str | None]:
    """The path relative to its collection, to ansible-core or to the working folder, and the collection's name.

    A file outside all three keeps its absolute path.
    """
    path = os.path.abspath(path)
    if match := _IN_COLLECTION.fullmatch(path):
        return clean(match[3]), f"{match[1]}.{match[2]}"
    for folder, base in ((_CORE, os.path.dirname(_CORE)), (os.getcwd(), os.getcwd())):
        if path.startswith(folder + os.sep):
            return clean(os.path.relpath(path, base)), None
    return clean(path), None


def digest_file(path: str) -> tuple[str | None, int | None]:
    """SHA-256 and bytes of a regular file; (None, None) for anything else or an unreadable one.

    A playbook may come from a pipe, which must not be read a second time.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):  # ValueError: a NUL or half a surrogate pair in the name
        return None, None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None, None
        with open(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
    except OSError:
        return None, None
    finally:
        os.close(descriptor)


class UsedFiles:
    """Writes a `file` line for each file at its first use."""

    def __init__(self, writer: SpoolWriter) -> None:
        self._writer = writer
        self._seen: dict[str, str] = {}
        self._modules: set[str] = set()

    def note(self, kind: str, name: str | None, path: str) -> str:
        """Write the file's line if it is new; returns the path as the spool writes it."""
        path = os.path.abspath(path)
        if path in self._seen:
            return self._seen[path]
        relative, collection = relate_path(path)
        self._seen[path] = relative
        digest, size = digest_file(path)
        line = {"kind": kind, "name": name or collection, "path": relative, "sha256": digest, "bytes": size}
        self._writer.write("file", line)
        return relative

    def note_recorder(self) -> None:
        """The plugins that write this spool are files of the run like any other."""
        folder = os.path.join(COLLECTION_ROOT, "plugins")
        self.note("plugin", f"{COLLECTION}.spool", os.path.join(folder, "callback", "spool.py"))
        self._note_folder(os.path.join(folder, "plugin_utils", "_spool"))

    def note_module(self, module: str) -> None:
        """Module and action plugin of a resolved name, and the code that our own modules share."""
        if module in self._modules:
            return
        self._modules.add(module)
        for kind, loader, suffix in (
            ("module", module_loader, ""),
            ("module", module_loader, ".ps1"),
            ("plugin", action_loader, ""),
        ):
            try:
                context = loader.find_plugin_with_context(module, mod_type=suffix)
            except AnsibleError:
                continue  # the task fails with the same message
            if context.resolved and context.plugin_resolved_path:
                self.note(kind, context.resolved_fqcn, context.plugin_resolved_path)
        if module.startswith(f"{COLLECTION}."):
            self._note_folder(os.path.join(COLLECTION_ROOT, "plugins", "module_utils"))

    def note_script(self, module: str, task: Task) -> None:
        """The local file of an `ansible.builtin.script` task, once its name is no template."""
        if module != _SCRIPT:
            return
        command = task.args.get("_raw_params") or task.args.get("cmd")
        if not isinstance(command, str):
            return
        try:
            name = shlex.split(command.strip())[0]
        except (ValueError, IndexError):
            return
        if "{{" not in name and (path := _find_script(task, name)):
            self.note("script", None, path)

    def _note_folder(self, folder: str) -> None:
        for parent, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                if name.endswith((".py", ".ps1", ".psm1", ".cs")):
                    self.note("plugin", None, os.path.join(parent, name))


def _find_script(task: Task, name: str) -> str | None:
    try:
        return task.get_loader().path_dwim_relative_stack(task.get_search_path(), "files", name)
    except (AnsibleError, OSError, ValueError):
        return None  # the task fails as well; its name may come from a host and must not end the run

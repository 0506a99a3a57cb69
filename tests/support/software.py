"""The private helpers of `software_info`, and made-up package managers for them."""

import importlib
import json
import random
import sys
import time
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.support.health import COLLECTIONS, Computer

PACKAGE = "ansible_collections.itcare.maintenance.plugins.module_utils._software"
MODULE = "itcare.maintenance.software_info"
SOURCES = ["dpkg", "rpm", "apk", "snap", "flatpak", "pipx", "pip_user", "npm_global"]
KEYS = {"name", "version", "publisher", "architecture", "scope", "installed_at", "source"}


def import_software(name: str) -> ModuleType:
    """A module of `module_utils/_software`; directories below `collections/` are namespace packages."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    return importlib.import_module(f"{PACKAGE}.{name}")


def ask(computer: Computer, seconds: float = 10.0) -> Any:
    """What a source of that computer is called with."""
    return import_software("package").Question(deadline=time.monotonic() + seconds, root=str(computer.root))


def write_fake_dpkg(folder: Path, count: int) -> Path:
    """A directory with a `dpkg-query` that knows `count` packages, as varied as real ones; returns the directory."""
    chance = random.Random(20261126)
    folder.mkdir(exist_ok=True)
    makers = [f"Maintainers of Subsystem {n} <subsystem-{n}@lists.example.org>" for n in range(300)]
    lines = [
        f"installed\t{chance.choice(['lib', 'python3-', 'ruby-', ''])}package-{sha256(b'%d' % n).hexdigest()[:8]}\t"
        f"{chance.randrange(9)}.{chance.randrange(40)}.{chance.randrange(90)}-{chance.randrange(9)}\t"
        f"{chance.choice(['amd64', 'all'])}\t{chance.choice(makers)}\n"
        for n in range(count)
    ]
    (folder / "list").write_text("".join(lines))
    tool = folder / "dpkg-query"
    tool.write_text(f"#!/bin/sh\nexec cat {folder / 'list'}\n")
    tool.chmod(0o755)
    return folder


def assert_well_formed(software: dict[str, Any], names: list[str]) -> None:
    """That a result is of the format `itcare/software/v1`, with a plain list."""
    assert software["schema"] == "itcare/software/v1"
    assert list(software["sources"]) == [name for name in SOURCES if name in names]
    for name, source in software["sources"].items():
        assert set(source) == {"state", "reason", "detail", "seconds", "count", "unasked"}, name
        assert source["state"] in {"ok", "absent", "unavailable"}, name
        assert (source["count"] is not None) == (source["state"] == "ok"), name
        assert (source["reason"] is None) == (source["state"] == "ok"), name
    packages = software["packages"]
    assert software["count"] == len(packages) == sum(source["count"] or 0 for source in software["sources"].values())
    assert all(set(package) == KEYS for package in packages)
    order = [
        [package[key] or "" for key in ("source", "scope", "name", "architecture", "version")] for package in packages
    ]
    assert order == sorted(order)
    json.dumps(software, ensure_ascii=False).encode()

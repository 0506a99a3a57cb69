"""The collection that does the work: where it lies, which version, and the digest of its every file."""

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

import itcare
from itcare.core.errors import BadInputError, UnsafeError

NAMESPACE = "itcare.maintenance"
_PLACE = Path("ansible_collections/itcare/maintenance")
_WORKING_FOLDERS = ("playbooks", "roles", "plugins", "meta")
_NOT_SOURCE = {"__pycache__", "tests", "molecule"}


@dataclass(frozen=True)
class FileDigest:
    """One file that can take part in a run. `path` is relative to the collection, else absolute."""

    kind: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Collection:
    """The collection as it lies on this controller; `root` is what Ansible calls a collections path."""

    root: Path
    version: str

    @property
    def folder(self) -> Path:
        return self.root / _PLACE

    def files(self) -> tuple[FileDigest, ...]:
        """Digests of every playbook, role, module, plugin and script file, in the order of paths.

        Raises UnsafeError for a file that cannot be read.
        """
        return tuple(sorted(self._digests(), key=lambda file: file.path))

    def _digests(self) -> Iterator[FileDigest]:
        for name in _WORKING_FOLDERS:
            for parent, folders, files in os.walk(self.folder / name):
                folders[:] = [folder for folder in folders if folder not in _NOT_SOURCE]
                for file in files:
                    path = Path(parent) / file
                    relative = path.relative_to(self.folder).as_posix()
                    yield FileDigest(kind_of(relative), relative, digest_file(path))

    def holds_playbook(self, name: str) -> bool:
        return self.playbook_path(name) is not None

    def playbook_path(self, name: str) -> Path | None:
        """File of a playbook by its short name."""
        for suffix in (".yml", ".yaml"):
            path = self.folder / "playbooks" / f"{name}{suffix}"
            if path.is_file():
                return path
        return None


def kind_of(path: str) -> str:
    """Word for a file of the collection by its place, as the spool names it."""
    parts = PurePosixPath(path).parts
    if parts[:2] == ("plugins", "modules"):
        return "module"
    if parts[0] == "plugins":
        return "plugin"
    if parts[0] == "playbooks":
        return "playbook"
    if parts[0] == "roles":
        return "script" if "files" in parts else "role"
    return "plugin"


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises UnsafeError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnsafeError("read", str(path), str(error), "Mend the file or its permissions.") from error


def find_collection(root: Path | None = None) -> Collection:
    """The collection in `root`, else in the checkout this code runs from, else where Python finds it.

    Raises UnsafeError when it is nowhere or has no version.
    """
    for place in [root] if root is not None else _usual_roots():
        if (place / _PLACE / "playbooks").is_dir():
            return Collection(place, _read_version(place / _PLACE))
    raise UnsafeError(
        "find the collection", NAMESPACE, "it is neither in the checkout nor installed",
        f"Run from a checkout, or install it: ansible-galaxy collection install {NAMESPACE}.",
    )  # fmt: skip


def _usual_roots() -> list[Path]:
    roots = [Path(itcare.__file__).parents[2] / "collections"]
    spec = importlib.util.find_spec("ansible_collections")
    if spec is not None:
        roots += [Path(place).parent for place in spec.submodule_search_locations or ()]
    return [*roots, Path.home() / ".ansible/collections", Path("/usr/share/ansible/collections")]


def _read_version(folder: Path) -> str:
    try:
        if (folder / "galaxy.yml").is_file():
            version = yaml.safe_load((folder / "galaxy.yml").read_text(encoding="utf-8"))["version"]
        else:
            manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
            version = manifest["collection_info"]["version"]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UnsafeError(
            "read the collection's version", str(folder), str(error), "Install the collection again."
        ) from error
    return str(version)


@dataclass(frozen=True)
class Playbook:
    """What is to be played. `argument`: word for ansible-playbook; `path` and `sha256` of its file."""

    argument: str
    path: str
    sha256: str


def choose_playbook(collection: Collection, duty: str, given: Path | None = None) -> Playbook:
    """The playbook for a duty: `visit.remote` and `visit.onsite` are both `itcare.maintenance.visit`.

    `given`: a playbook file of one's own instead. Raises BadInputError when there is none.
    """
    if given is not None:
        path = given.absolute()
        if not path.is_file():
            raise BadInputError("find playbook", str(given), "no such file", "Name a playbook file.")
        return Playbook(str(path), str(path), digest_file(path))
    name = duty.partition(".")[0]
    found = collection.playbook_path(name) if name.isidentifier() else None
    if found is None:
        raise BadInputError(
            "find playbook for duty", ascii(duty), f"the collection {NAMESPACE} {collection.version} has none",
            "Choose a duty that can be performed remotely.",
        )  # fmt: skip
    return Playbook(f"{NAMESPACE}.{name}", found.relative_to(collection.folder).as_posix(), digest_file(found))

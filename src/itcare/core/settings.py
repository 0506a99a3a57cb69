"""Where state lives and what an installation may set.

State directory: `ITCARE_HOME`, else `home` in the `itcare.toml` of the current folder, else the
XDG state directory. Settings of an installation: `itcare.toml` inside the state directory.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from itcare.core.errors import BadInputError

_KNOWN_KEYS = {
    "home", "contracts", "origin", "allowed_hosts", "stale_after_hours", "job_timeout_seconds", "forks",
    "notify_command",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Settings of one installation; paths absolute, times in the unit of the name.

    `origin`: prefix of every ledger's name, a DNS name of the firm.
    `allowed_hosts`: every host name that people type to reach the dashboard.
    `notify_command`: program and arguments called after a run that did not end well; empty for none.
    """

    home: Path
    contracts: Path
    origin: str = "itcare.localhost"
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    stale_after_hours: float = 26.0
    job_timeout_seconds: int = 3600
    forks: int = 10
    notify_command: tuple[str, ...] = ()

    @property
    def database(self) -> Path:
        """The engine's own database; no reader but the engine opens it."""
        return self.home / "itcare.sqlite"

    @property
    def published(self) -> Path:
        """Root of the published snapshots, one numbered folder per client."""
        return self.home / "published"

    @property
    def bookmarks(self) -> Path:
        """What publishing remembers, one file per client; it can be made again from the ledger."""
        return self.home / "bookmarks"

    @property
    def runs(self) -> Path:
        """Private folders of runs, one per run, removed after the import."""
        return self.home / "runs"

    @property
    def keys(self) -> Path:
        """The recorder's signing key and its public half."""
        return self.home / "keys"


def _read_toml(path: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError("read settings", str(path), str(error), "Mend the file or remove it.") from error
    unknown = sorted(set(values) - _KNOWN_KEYS)
    if unknown:
        raise BadInputError(
            "read settings", str(path), f"unknown setting {unknown[0]!r}", f"Known: {', '.join(sorted(_KNOWN_KEYS))}."
        )
    return values


def _typed[T](values: Mapping[str, object], key: str, kind: type[T], default: T, path: Path) -> T:
    value = values.get(key, default)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadInputError("read settings", f"{path}, {key}", f"found {value!r}", f"Expected {kind.__name__}.")
    return value


def _words(values: Mapping[str, object], key: str, path: Path) -> tuple[str, ...]:
    """A command as a list of words: one string would ask for a shell, which is never used."""
    listed = _typed(values, key, list, [], path)
    if not all(isinstance(word, str) and "\0" not in word for word in listed) or (listed and not listed[0]):
        raise BadInputError(
            "read settings", f"{path}, {key}", f"found {listed!r}", 'Expected a list of texts: ["program", "argument"].'
        )
    return tuple(listed)


def load_settings(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Read the settings of the state directory that the environment names.

    Raises BadInputError for an unreadable file, an unknown setting or a wrong type.
    """
    environ = os.environ if environ is None else environ
    local = (folder or Path.cwd()) / "itcare.toml"
    if environ.get("ITCARE_HOME"):
        home = Path(environ["ITCARE_HOME"]).expanduser().absolute()
    elif "home" in (values := _read_toml(local)):
        home = (local.parent / _typed(values, "home", str, "", local)).absolute()
    else:
        home = user_state_path("itcare", appauthor=False)
    path = home / "itcare.toml"
    values = _read_toml(path)
    hosts = _typed(values, "allowed_hosts", list, list(Settings.allowed_hosts), path)
    return Settings(
        home=home,
        contracts=(home / _typed(values, "contracts", str, "contracts", path)).resolve(),
        origin=_typed(values, "origin", str, Settings.origin, path),
        allowed_hosts=tuple(str(host) for host in hosts),
        stale_after_hours=_typed(values, "stale_after_hours", float, 26.0, path),
        job_timeout_seconds=_typed(values, "job_timeout_seconds", int, 3600, path),
        forks=_typed(values, "forks", int, 10, path),
        notify_command=_words(values, "notify_command", path),
    )

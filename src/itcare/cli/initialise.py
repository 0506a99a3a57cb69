"""What `itcare init` does beside the ledger's own start: the settings file and the folder of contracts."""

from pathlib import Path

from itcare.core.errors import BadInputError
from itcare.core.settings import Settings, load_settings

_SETTINGS = """\
# Settings of this installation; docs/cli.md explains each of them.
# A relative path starts at this folder.
contracts = {contracts}
origin = {origin}
"""


def initialise(recovery_key: Path, contracts: Path | None, origin: str | None) -> Settings:
    """Make a new installation and return its settings.

    The settings file is written last: while it is missing, the contracts are looked for at the default
    place, and calling again says that a ledger is there. Raises what Ledger.initialise raises,
    BadInputError for a missing folder of contracts.
    """
    from dataclasses import replace

    from itcare.ledger.log import Ledger

    settings = load_settings()
    if contracts is not None and not contracts.is_dir():
        raise BadInputError("use contracts in", str(contracts), "there is no such folder", "Name the folder.")
    folder = contracts.absolute() if contracts else settings.home / "contracts"
    settings = replace(settings, contracts=folder, origin=origin or settings.origin)
    Ledger.initialise(settings, recovery_key)
    folder.mkdir(mode=0o700, exist_ok=True)
    _write_settings(settings)
    return settings


def _write_settings(settings: Settings) -> None:
    path = settings.home / "itcare.toml"
    if path.exists():
        return  # the firm's own, written before `init`
    try:
        # absolute: a copy of the state, for a test or a restore, still finds the contracts
        text = _SETTINGS.format(contracts=_quote(str(settings.contracts.resolve())), origin=_quote(settings.origin))
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(
            "write settings", str(path), str(error), "Write the file by hand; see docs/cli.md."
        ) from error


def _quote(text: str) -> str:
    """A TOML basic string."""
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{escaped}"'

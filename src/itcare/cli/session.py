"""Opens what a command needs: settings, database, ledger, contracts."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from itcare.core.clock import Clock, SystemClock
from itcare.core.errors import NotFoundError, UnsafeError
from itcare.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from itcare.contract.loader import LoadedContract
    from itcare.ledger.log import Ledger


@dataclass(frozen=True)
class Session:
    """One command's view of the installation."""

    settings: Settings
    clock: Clock

    @classmethod
    def open(cls) -> "Session":
        """Read the settings; the database is opened when it is first needed."""
        return cls(load_settings(), SystemClock())

    @cached_property
    def engine(self) -> "Engine":
        """The engine's database; UnsafeError where `itcare init` has not been run."""
        from itcare.store.engine import open_engine

        if not self.settings.database.exists():
            raise UnsafeError(
                "open the state in", str(self.settings.home), "there is no database in it",
                "Run `itcare init --recovery-key PATH` once, or set ITCARE_HOME to the right folder.",
            )  # fmt: skip
        return open_engine(self.settings.database)

    @cached_property
    def ledger(self) -> "Ledger":
        """The ledger over that database."""
        from itcare.ledger.log import Ledger

        return Ledger(self.settings, self.engine, self.clock)

    @cached_property
    def contracts(self) -> "dict[str, LoadedContract]":
        """All contracts by client code."""
        from itcare.contract.loader import load_contracts

        return load_contracts(self.settings.contracts)

    def contract(self, code: str) -> "LoadedContract":
        """The contract of one client; NotFoundError names where it was looked for."""
        if code not in self.contracts:
            raise NotFoundError(
                "find client", ascii(code[:40]), f"no contract in {self.settings.contracts} has this code",
                "`itcare clients` lists the known ones.",
            )  # fmt: skip
        return self.contracts[code]

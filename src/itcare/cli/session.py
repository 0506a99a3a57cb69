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
    from itcare.ledger.log import Ledger, LogRef


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

    def contract(self, code: str) -> "LoadedContract":
        """The contract of one client, its thresholds checked against the rules.

        Raises ContractError or NotFoundError.
        """
        from itcare.assess.policy import known_thresholds, rule_id
        from itcare.contract.loader import check_thresholds, load_client
        from itcare.contract.problems import ContractError

        loaded = load_client(self.settings.contracts, code)
        if problems := check_thresholds(loaded, known_thresholds(), rule_id):
            raise ContractError(str(loaded.path), problems)
        return loaded

    def client_logs(self, code: str | None = None) -> "list[LogRef]":
        """Logs of the enrolled clients by code, or of one; NotFoundError for a client without a log."""
        if code is not None:
            return [self.ledger.find_log(code)]
        logs = [log for log in self.ledger.logs() if log.client is not None]
        return sorted(logs, key=lambda log: str(log.client))

    def log_named(self, name: str) -> "LogRef":
        """The log of a client, or the firm's own for the name `firm`; NotFoundError."""
        if name == "firm":
            return self.ledger.firm_log()
        return self.ledger.find_log(name)

    def require_known(self, code: str) -> None:
        """NotFoundError unless the client has a contract or a log."""
        from itcare.contract.loader import survey_contracts

        known = {str(log.client) for log in self.client_logs()}
        if self.settings.contracts.is_dir():
            known |= set(survey_contracts(self.settings.contracts).contracts)
        if code not in known:
            raise NotFoundError(
                "find client",
                ascii(code[:40]),
                "there is no such client",
                f"Known: {', '.join(sorted(known)) or 'none'}.",
            )

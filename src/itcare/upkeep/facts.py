"""What a state directory holds, told only when every log in it verifies."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from itcare.core.errors import UnsoundError
from itcare.core.settings import Settings
from itcare.core.words import RunState
from itcare.ledger.check import check_log
from itcare.ledger.log import Ledger
from itcare.store.engine import open_engine, read, read_revision
from itcare.store.tables import body, client, leaf, log, run

# These tables and the columns used here are in every revision.
_COUNTED = (client, log, leaf, body, run)


@dataclass(frozen=True)
class LogFacts:
    """One sound log. `log`: client code or `firm`; `root`: lower-case hex."""

    log: str
    origin: str
    size: int
    root: str


@dataclass(frozen=True)
class StateFacts:
    """`revision`: of the schema. `rows`: number of rows of the tables that matter. `open_runs`: not closed yet."""

    revision: str
    logs: tuple[LogFacts, ...]
    rows: Mapping[str, int]
    open_runs: int


def verify_state(settings: Settings) -> StateFacts:
    """Verify every log of a state directory, also of one that is still to be upgraded.

    Raises UnsoundError for the first log that is not sound, UnsafeError when the database cannot be opened.
    """
    engine = open_engine(settings.database, older=True)
    try:
        found = []
        for target in Ledger(settings, engine).logs():
            # one look of the database at its own file is enough: that of the firm's log, the first
            integrity = target.client_id is None
            result = check_log(settings, engine, target, integrity=integrity)
            if not result.sound:
                raise UnsoundError(
                    "verify", f"{target.client or 'firm'} in {settings.home}", result.message,
                    "Keep this state for examination and use the newest backup that verifies.",
                )  # fmt: skip
            found.append(LogFacts(target.client or "firm", target.origin, result.size, result.root))
        with read(engine) as connection:
            rows = {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in _COUNTED}
            running = select(func.count()).select_from(run).where(run.c.state == RunState.RUNNING.value)
            open_runs = int(connection.execute(running).scalar_one())
        revision = read_revision(engine)
    finally:
        engine.dispose()
    return StateFacts(str(revision), tuple(found), rows, open_runs)

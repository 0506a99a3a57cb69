"""What `itcare verify` does: which logs, and which of them an outside checkpoint belongs to."""

from pathlib import Path

from itcare.cli.session import Session
from itcare.core.errors import BadInputError

_MAX_NOTE_BYTES = 1_000_000


def verify_logs(session: Session, client: str | None, against: Path | None) -> list[dict[str, object]]:
    """One row per verified log: `log` (client code or `firm`), `sound`, `size`, `root`, `entry`, `between`, `message`.

    `against` is compared with the log that its first line names. Raises BadInputError when it names none
    of the verified logs, NotFoundError for an unknown client.
    """
    from itcare.ledger.check import check_log

    logs = [session.log_named(client)] if client else list(session.ledger.logs())
    note = _read_note(against) if against else None
    if note is not None and not any(log.origin == note.split("\n", 1)[0] for log in logs):
        raise BadInputError(
            "compare with checkpoint", str(against), "its first line names none of the ledgers verified here",
            f"Known: {', '.join(log.origin for log in logs)}.",
        )  # fmt: skip
    rows = []
    for log in logs:
        mine = note if note is not None and note.split("\n", 1)[0] == log.origin else None
        result = check_log(session.settings, session.engine, log, against=mine)
        rows.append(
            {
                "log": log.client or "firm",
                "sound": result.sound,
                "size": result.size,
                "root": result.root,
                "entry": result.entry,
                "between": list(result.between) if result.between else None,
                "message": result.message,
                "problems": [problem.message for problem in result.problems],
            }
        )
    return rows


def _read_note(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_NOTE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            "read checkpoint", str(path), str(error), "Name the file with the kept checkpoint."
        ) from error

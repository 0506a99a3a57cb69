"""What stays on the disk: bytes of files, and of the parts of a database."""

import sqlite3
from contextlib import closing
from pathlib import Path

DATABASE = "itcare.sqlite"


def fold_log(database: Path) -> None:
    """Write what waits in the write-ahead log into the database file; nothing of it is left then."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def measure_state(home: Path) -> dict[str, int]:
    """Bytes below a state directory: `database`, `checkpoints`, and `rest`, in which whatever a run left is."""
    fold_log(home / DATABASE)
    found = {"database": 0, "checkpoints": 0, "rest": 0}
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            top = path.relative_to(home).parts[0]
            part = "database" if top.startswith(DATABASE) else "checkpoints" if top == "checkpoints" else "rest"
            found[part] += path.stat().st_size
    return found


def measure_database(database: Path) -> int:
    """Bytes of a database that no process has open: the file and what lies beside it."""
    return sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))


def count_rows(database: Path, table: str) -> int:
    """Rows of a table of ours or of ARA's."""
    assert table.isidentifier()
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a name, checked above
    return int(count)

"""A published file made anew out of the one before it: copied, and changed in a few rows."""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from itcare.core.errors import UnsafeError
from itcare.publish.codec import encode_row
from itcare.publish.files import PublishedFile, connected, describe_file, replacement
from itcare.publish.rows import Row
from itcare.publish.writer import INSERTS


@contextmanager
def revision(
    folder: Path, base: PublishedFile, name: str, meta: Mapping[str, str]
) -> Iterator[tuple[sqlite3.Connection, list[PublishedFile]]]:
    """A copy of `base` to change; when the block ends well it is checked and takes the place of `name`.

    The list then holds the new file. Raises UnsafeError when the base is not the file that was published,
    or the copy does not hold together; the old file stays.
    """
    done: list[PublishedFile] = []
    with replacement(folder, name) as part:
        _copy(folder / base.name, part, base)
        with connected(part.as_uri()) as connection:
            # Nobody reads this file yet and it is synced as a whole before the rename. What is deleted must not
            # stay behind in free pages.
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = ON", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("BEGIN")
            connection.execute("PRAGMA defer_foreign_keys = ON")
            connection.execute("DELETE FROM meta")
            connection.executemany(INSERTS["meta"], meta.items())
            yield connection, done
            connection.execute("COMMIT")
            verdict = connection.execute("PRAGMA quick_check").fetchall()
        if verdict != [("ok",)]:
            raise UnsafeError(
                "publish", name, f"the new file does not hold together ({str(verdict)[:200]})",
                "The old snapshot stays. Check the disk, then publish again.",
            )  # fmt: skip
        done.append(describe_file(part, name))


def insert_rows(connection: sqlite3.Connection, rows: Mapping[str, Sequence[Row]]) -> None:
    """Insert the rows of each table."""
    for table, listed in rows.items():
        connection.executemany(INSERTS[table], map(encode_row, listed))


class ChangedFileError(UnsafeError):
    """A file in the published folder is not the one that was published."""


def is_there(folder: Path, file: PublishedFile) -> bool:
    """Whether a file of that name and size lies there; its content is compared when it is built upon."""
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.bytes


def is_published(folder: Path, file: PublishedFile) -> bool:
    """Whether the file lies there as it was published."""
    try:
        return describe_file(folder / file.name, file.name) == file
    except OSError:
        return False


def _copy(source: Path, target: Path, base: PublishedFile) -> None:
    """Copy, and make sure that what was copied is what was published."""
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != base.sha256:
        raise ChangedFileError(
            "publish", base.name, "the file in the published folder is not the one that was published",
            "Publish again; everything is then written anew.",
        )  # fmt: skip

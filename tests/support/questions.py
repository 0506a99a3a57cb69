"""What questions to a snapshot cost."""

import sqlite3
from collections.abc import Callable, Mapping

import pytest

from itcare.publish.database import PublishedDatabase
from itcare.publish.reader import Snapshot


def count_statements(snapshot: Snapshot, ask: Callable[[Snapshot], object]) -> int:
    """How many statements a question puts to all files, when they are open."""
    snapshot.check_files()
    seen: list[str] = []
    fetch = PublishedDatabase._fetch

    def counted(self: PublishedDatabase, statement: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        seen.append(statement)
        return fetch(self, statement, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PublishedDatabase, "_fetch", counted)
        ask(snapshot)
    return len(seen)

"""Hostile text in every free text field of a published snapshot.

Put there past the writer, which already takes out what a file cannot carry: the pages must not
rely on that.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from itertools import count
from pathlib import Path

from itcare.publish.schema import MONTH_FILE

MARK = "ZQX"  # in every text, so that a page can be asked what became of it
OUTSIDE = "evil.example"
MEGABYTE = MARK + "M" * 1_048_576

TEXTS = (
    f"<b id=pwned>{MARK}</b><script>document.title='pwned'</script>",
    f"<img src=http://{OUTSIDE}/a.png onerror=\"document.title='pwned'\">{MARK}",
    f"![{MARK}](http://{OUTSIDE}/b.png)",
    f"[{MARK}](http://{OUTSIDE}/link)",
    f"http://{OUTSIDE}/auto {MARK} www.{OUTSIDE} a@{OUTSIDE}",
    f":red[{MARK}] :material/check: :smile: :red-background[x]",
    f"$\\frac{{1}}{{2}}$ {MARK} $$x^2$$",
    f"# {MARK}\n| a | b |\n|---|---|\n| 1 | 2 |",
    f"**{MARK}** `code` ~~gone~~",
    f"\x1b[31m{MARK}\x1b[0m\x07",
    f"\u202e{MARK}gpj.exe\u202c \u2066x\u2069",
    f"{MARK}\u200b\u200d\ufeff\u2060",
    f"{MARK}\x00after",
    f"javascript:document.title='pwned' {MARK}",
    f"{MARK}{{mount}}{{0.__class__}}%s",
)

_FIELDS = {
    "host": ("site", "role", "os", "last_reason"),
    "run": (
        "operator", "stated_operator", "login", "sudo_user", "reason", "closed_reason", "cancelled_by",
        "controller", "contract_number", "contract_commit", "code_version", "code_commit", "collection_version",
        "playbook", "playbook_sha256", "inventory_sha256", "spool_sha256", "leaf_opened", "leaf_closed",
    ),
    "host_result": ("reason", "connection", "remote_user", "address", "message", "leaf_sha256"),
    "task": ("name", "module", "file", "message"),
    "finding": ("rule", "subject", "reason", "threshold_source", "source"),
    "fact": ("reason", "detail"),
    "obligation": ("reason",),
    "finding_interval": ("rule", "subject"),
    "software": ("name", "version", "publisher", "architecture", "scope", "source"),
    "software_change": ("name", "scope", "source", "architecture", "old_version", "new_version"),
    "temp": ("reason",),
}  # fmt: skip
_JSON = (
    ("run", "alarms_json"), ("host_result", "alarms_json"), ("task", "args_json"), ("finding", "values_json"),
    ("finding", "threshold_json"), ("fact", "data_json"), ("temp", "skipped_json"),
)  # fmt: skip
_META = (
    "legal_name", "technician", "technician_phone", "deputy", "contract_number", "contract_commit", "checkpoint",
    "tree_root", "ledger_message", "policy_version", "code_version", "collection_version",
)  # fmt: skip


def poison_firm(firm: Path, progress: Path) -> None:
    """The same for the overview across clients and for a run in progress."""
    turn = count()
    connection = sqlite3.connect(firm)
    connection.create_function("hostile", 0, lambda: TEXTS[next(turn) % len(TEXTS)])
    with connection:
        connection.execute("UPDATE client SET legal_name = hostile(), ledger_message = hostile(), problems = 1")
        connection.execute("UPDATE client SET ledger_state = 'unsound' WHERE client_id = 2")
        connection.execute("UPDATE area SET title = hostile(), area = hostile()")
    connection.close()
    progress.mkdir()
    for place, text in enumerate(TEXTS):
        step = {"task": text, "position": 1, "outcome": None, "at": "2026-03-18T07:00:00.000000Z"}
        content = {"run": f"ACME/{place + 1}", "duty": text, "hosts": {"pc01": step, text: step}}
        (progress / f"{place:032x}.json").write_text(json.dumps(content), encoding="utf-8")


def poison(snapshot: Path) -> None:
    """Replace every free text of a published client; states, times and numbers stay, so that the pages still show rows.

    `snapshot`: its `current.sqlite`, beside which the files of the months lie.
    """
    turn = count()
    with closing(sqlite3.connect(snapshot)) as connection:
        mounts = [row[0] for row in connection.execute("SELECT DISTINCT subject FROM forecast ORDER BY subject")]
    # A disk keeps one name in all tables, else no figure would be drawn of it.
    names = {mount: TEXTS[place * 4] for place, mount in enumerate(mounts) if mount is not None}
    months = [path for path in snapshot.parent.iterdir() if MONTH_FILE.fullmatch(path.name)]
    for path in (snapshot, *months):
        path.chmod(0o600)
        with closing(sqlite3.connect(path)) as connection, connection:
            _poison_file(connection, turn, names)


def _poison_file(connection: sqlite3.Connection, turn: "count[int]", mounts: Mapping[str, str]) -> None:
    printable = [text for text in TEXTS if text.isprintable()]
    connection.create_function("hostile", 0, lambda: TEXTS[next(turn) % len(TEXTS)])
    connection.create_function("hostile_printable", 0, lambda: printable[next(turn) % len(printable)])
    connection.create_function("hostile_json", 1, lambda text: json.dumps(_poisoned(json.loads(text), turn)))
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for table in _FIELDS.keys() & there:
        connection.execute(f"UPDATE {table} SET " + ", ".join(f"{name} = hostile()" for name in _FIELDS[table]))  # noqa: S608 - names above
    for table in {"measure", "forecast"} & there:
        for mount, name in mounts.items():
            connection.execute(f"UPDATE {table} SET subject = ? WHERE subject = ?", (name, mount))  # noqa: S608 - names above
    # The reader answers nothing for a duty that is not printable; so let it be as hostile as it can be.
    for table in {"run", "obligation"} & there:
        connection.execute(f"UPDATE {table} SET duty = hostile_printable()")  # noqa: S608 - names above
    for table, column in _JSON:
        if table in there:
            connection.execute(f"UPDATE {table} SET {column} = hostile_json({column}) WHERE {column} IS NOT NULL")  # noqa: S608 - names above
    if "run" in there:
        for key in _META:
            connection.execute("UPDATE meta SET value = hostile() WHERE key = ?", (key,))
        connection.execute("DELETE FROM software_look")
        connection.execute(
            "INSERT INTO software_look SELECT DISTINCT host, source, (SELECT max(number) FROM run) FROM software"
        )
        connection.execute("UPDATE run SET alarms_json = ?", (json.dumps([{"kind": t, "text": t} for t in TEXTS]),))
        connection.execute("UPDATE host SET os = ?", (MEGABYTE,))
        connection.execute("UPDATE run SET reason = ?", (MEGABYTE,))
        connection.execute("UPDATE finding SET reason = ?, fact = ? WHERE id % 5 = 0", (MEGABYTE, "no.such.fact"))
    else:
        runs = [row[0] for row in connection.execute("SELECT DISTINCT run FROM file")]
        connection.execute("DELETE FROM file")
        connection.executemany(
            "INSERT INTO file VALUES (?, ?, ?, ?)", [(run, text, text, text) for run in runs for text in TEXTS]
        )


def _poisoned(value: object, turn: "count[int]") -> object:
    if isinstance(value, dict):
        return {key: _poisoned(item, turn) for key, item in value.items()}
    if isinstance(value, list):
        return [_poisoned(item, turn) for item in value]
    return TEXTS[next(turn) % len(TEXTS)] if isinstance(value, str) else value

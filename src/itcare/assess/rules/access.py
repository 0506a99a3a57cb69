"""`access.administrators` and `access.listeners`: who and what may get in, against the contract's lists.

Without a list in the contract there is nothing to compare: what was seen stays a fact.
"""

from collections.abc import Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Malformed, Record, neutral_text, read_list
from itcare.assess.rules.verdict import Case, Rule, Verdict, malformed
from itcare.core.words import FindingStatus

_KINDS = frozenset({"user", "group"})
_PROTOCOLS = frozenset({"tcp", "udp"})
_MOST_PORT = 65535
_MOST_NAMED = 4
_UID_ZERO, _ROOT = "uid0", "root"


def judge_administrators(data: object, case: Case) -> Iterator[Verdict]:
    """One warning per name that the contract does not list; `%group` in the list stands for its members."""
    rows = read_list(data, "administrators")
    if not rows:
        yield Verdict(FindingStatus.UNKNOWN, "none", None, {}, from_contract=True)
        return
    listed = frozenset(neutral_text(name) for name in case.administrators or ())
    unlisted: dict[str, list[str]] = {}
    is_readable = True
    for index, row in enumerate(rows):
        try:
            name, through = _read_administrator(Record.of(row, f"administrators[{index}]"))
        except Malformed as error:
            is_readable = False
            yield malformed(error)
            continue
        # root with uid 0 is the system itself: no contract can do without it.
        if not listed & {name, f"%{through}"} and (name, through) != (_ROOT, _UID_ZERO):
            unlisted.setdefault(name, []).append(through)
    for name, ways in unlisted.items():
        values: dict[str, Value] = {"name": name, "through": _join(ways)}
        yield Verdict(FindingStatus.WARN, "unlisted", name, values, from_contract=True)
    if is_readable and not unlisted:
        yield Verdict(FindingStatus.OK, "ok", None, {"count": len(rows)}, from_contract=True)


def _read_administrator(row: Record) -> tuple[str, str]:
    """The name as a contract writes it (a group with a percent sign, a netgroup with its plus), and the way."""
    name, through = row.text("name"), row.text("through")
    is_group = row.word("kind", _KINDS) == "group"
    return (f"%{name}" if is_group and not name.startswith("+") else name), through


def judge_listeners(data: object, case: Case) -> Iterator[Verdict]:
    """One warning per port that others can reach and the contract does not list.

    Left out are sockets that only this computer reaches, and UDP ports that the kernel gave a client for its
    answers: those are others each time, and no list could hold them.
    """
    listed = frozenset(case.listeners or ())
    unlisted: dict[str, list[Record]] = {}
    reachable = set()
    is_readable = True
    for index, member in enumerate(read_list(data, "listeners")):
        try:
            row = Record.of(member, f"listeners[{index}]")
            port = _read_port(row)
        except Malformed as error:
            is_readable = False
            yield malformed(error)
            continue
        if port is not None:
            reachable.add(port)
            if port not in listed:
                unlisted.setdefault(port, []).append(row)
    for port, rows in unlisted.items():
        yield _tell_port(port, rows)
    if is_readable and not unlisted:
        yield Verdict(FindingStatus.OK, "ok", None, {"count": len(reachable)}, from_contract=True)


def _read_port(row: Record) -> str | None:
    """`tcp/22`; None for a socket that is not judged. Reads every field, so that a damaged row is told."""
    protocol = row.word("protocol", _PROTOCOLS)
    port = row.count("port", most=_MOST_PORT)
    row.text("address")
    row.optional_text("process")
    is_left_out = row.flag("loopback") or (protocol == "udp" and bool(row.optional_flag("ephemeral")))
    return None if is_left_out else f"{protocol}/{port}"


def _tell_port(port: str, rows: list[Record]) -> Verdict:
    values: dict[str, Value] = {
        "listener": port,
        "addresses": _join([row.text("address") for row in rows]),
        "process_note": _join([name for row in rows if (name := row.optional_text("process"))]) or None,
    }
    return Verdict(FindingStatus.WARN, "unlisted", port, values, from_contract=True)


def _join(words: list[str]) -> str:
    unique = list(dict.fromkeys(words))
    return ", ".join(unique[:_MOST_NAMED]) + (", …" if len(unique) > _MOST_NAMED else "")


def _tell_absence(case: Case) -> Iterator[Verdict]:
    """Every computer has accounts and a network stack: one that says it has none has not been looked at."""
    yield Verdict(FindingStatus.UNKNOWN, "absent", None, {}, from_contract=True)


RULES = (
    Rule(
        "access.administrators", 1, "administrators", judge_administrators, _tell_absence,
        applies=lambda case: case.administrators is not None,
    ),
    Rule(
        "access.listeners", 1, "listeners", judge_listeners, _tell_absence,
        applies=lambda case: case.listeners is not None,
    ),
)  # fmt: skip

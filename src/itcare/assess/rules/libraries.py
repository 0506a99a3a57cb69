"""`libraries.outdated`: programs that still run on libraries replaced by an update."""

from collections.abc import Iterator

from itcare.assess.reading import Malformed, Record
from itcare.assess.rules.verdict import Case, Rule, Verdict
from itcare.core.words import FindingStatus

_MOST_NAMES = 5


def judge_libraries(data: object, case: Case) -> Iterator[Verdict]:
    """What was found, and beside it, as unknown, the processes that could not be looked into."""
    libraries = Record.of(data, "libraries")
    count = libraries.count("count")
    unreadable = libraries.count("unreadable")
    checked = libraries.count("checked")
    names = [
        Record.of(row, f"libraries.processes[{index}]").text("name")
        for index, row in enumerate(libraries.rows("processes"))
    ]
    if len(names) > count:
        raise Malformed("libraries.count", f"{count} beside {len(names)} processes", "at least as many as are listed")
    if count:
        yield Verdict(FindingStatus.WARN, "found", None, {"count": count, "names": _join(names)})
    if unreadable:
        yield Verdict(FindingStatus.UNKNOWN, "unreadable", None, {"unreadable": unreadable, "checked": checked})
    elif not checked and not count:
        yield Verdict(FindingStatus.UNKNOWN, "none", None, {})
    elif not count:
        yield Verdict(FindingStatus.OK, "ok", None, {"checked": checked})


def _join(names: list[str]) -> str | None:
    """The first few different names; `…` where there are more."""
    unique = list(dict.fromkeys(names))
    listed = ", ".join(unique[:_MOST_NAMES])
    return (listed + (", …" if len(unique) > _MOST_NAMES else "")) or None


RULES = (Rule("libraries.outdated", 1, "libraries", judge_libraries),)

"""`log.errors`: entries of the system log that mean dying hardware or too little memory."""

from collections.abc import Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Malformed, Record
from itcare.assess.rules.verdict import Case, Rule, Verdict, judge_rows
from itcare.core.clock import write_instant
from itcare.core.words import FindingStatus

_OTHER = "other"  # grouped for the technician, not judged
_GRAVITY = {
    "oom_kill": FindingStatus.WARN,
    "disk_io": FindingStatus.FAIL,
    "filesystem": FindingStatus.FAIL,
    "remount_read_only": FindingStatus.FAIL,
    "machine_check": FindingStatus.FAIL,
}
_KINDS = frozenset({*_GRAVITY, _OTHER})
_MOST_SAMPLE = 300


def judge_journal(data: object, case: Case) -> Iterator[Verdict]:
    """One verdict per grave group; `ok` only for a log of which everything grave was read.

    Observations without `grave_truncated` tell only whether anything at all was cut.
    """
    journal = Record.of(data, "journal")
    since = journal.instant("since")
    is_cut_somewhere = journal.flag("truncated")
    is_cut = is_cut_somewhere if (grave := journal.optional_flag("grave_truncated")) is None else grave
    if since > case.observed_at:
        raise Malformed("journal.since", "an instant after the observation", "an instant before it")
    is_clean = True
    for verdict in judge_rows(journal.rows("groups"), "journal.groups", _judge_group):
        is_clean = False
        yield verdict
    period: dict[str, Value] = {"since_at": write_instant(since)}
    if is_cut:
        yield Verdict(FindingStatus.UNKNOWN, "incomplete", None, period)
    elif is_clean:
        yield Verdict(FindingStatus.OK, "ok", None, period)


def _judge_group(group: Record) -> Verdict | None:
    kind = group.word("kind", _KINDS)
    if kind == _OTHER:
        return None
    origin = group.text("source")
    values: dict[str, Value] = {
        "origin": origin,
        "count": group.count("count", least=1),
        "first_at": write_instant(group.instant("first_at")),
        "last_at": write_instant(group.instant("last_at")),
        "sample": group.optional_text("sample", _MOST_SAMPLE),
    }
    return Verdict(_GRAVITY[kind], kind, origin, values)


RULES = (Rule("log.errors", 2, "journal", judge_journal),)

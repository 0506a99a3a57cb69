"""`time.sync`: whether the clock follows a time source, and how far it is off."""

from collections.abc import Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Record
from itcare.assess.rules.verdict import Case, Rule, Verdict
from itcare.core.words import FindingStatus


def judge_time(data: object, case: Case) -> Iterator[Verdict]:
    """A large offset is told before the missing synchronisation that explains it."""
    clock = Record.of(data, "time")
    limits = case.limits
    offset = clock.optional_number("offset_seconds")
    values: dict[str, Value] = {"method": clock.text("method")}
    is_synchronised = clock.flag("synchronised")
    applied = tuple(limits) if offset is not None else ()
    for status, key in ((FindingStatus.FAIL, "fail_offset_seconds"), (FindingStatus.WARN, "warn_offset_seconds")):
        if offset is not None and abs(offset) > limits[key]:
            found: dict[str, Value] = {"offset_seconds": offset, "limit_seconds": limits[key]}
            yield Verdict(status, "offset", None, values | found, applied)
            return
    if not is_synchronised:
        yield Verdict(FindingStatus.WARN, "not_synchronised", None, values, applied)
    elif offset is None:
        yield Verdict(FindingStatus.OK, "synchronised", None, values)
    else:
        found = {"offset_seconds": offset, "limit_seconds": limits["warn_offset_seconds"]}
        yield Verdict(FindingStatus.OK, "ok", None, values | found, applied)


RULES = (Rule("time.sync", 1, "time", judge_time),)

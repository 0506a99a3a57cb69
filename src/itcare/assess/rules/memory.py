"""`memory.pressure`: memory left, and the time that programs lose waiting for it."""

from collections.abc import Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Record
from itcare.assess.rules.verdict import Case, Rule, Verdict
from itcare.assess.units import is_below_percent
from itcare.core.words import FindingStatus

_AVAILABLE = ("warn_available_pct", "fail_available_pct")


def judge_memory(data: object, case: Case) -> Iterator[Verdict]:
    """Little memory alone is a warning; only with programs standing still is it a failure.

    A kernel without pressure figures (`psi` null) is judged by available memory alone, and says so.
    """
    memory = Record.of(data, "memory")
    limits = case.limits
    total = memory.count("total_bytes", least=1)
    available = memory.count("available_bytes", most=total)
    stalls = memory.optional_record("psi")
    some = stalls.number("some_avg300", least=0, most=100) if stalls else None
    full = stalls.number("full_avg300", least=0, most=100) if stalls else None
    values: dict[str, Value] = {
        "available_bytes": available,
        "total_bytes": total,
        "available_percent": 100 * available / total,
    }
    warn_available: dict[str, Value] = {"limit_percent": limits["warn_available_pct"]}
    is_short = is_below_percent(available, total, limits["fail_available_pct"])
    if full is not None and is_short and full >= limits["fail_full_avg300"]:
        found: dict[str, Value] = {
            "limit_percent": limits["fail_available_pct"],
            "full_percent": full,
            "limit_full_percent": limits["fail_full_avg300"],
        }
        yield Verdict(FindingStatus.FAIL, "exhausted", None, values | found, tuple(limits))
    elif is_below_percent(available, total, limits["warn_available_pct"]):
        applied = _AVAILABLE if full is None else tuple(limits)
        yield Verdict(FindingStatus.WARN, "low", None, values | warn_available, applied)
    elif some is None:
        yield Verdict(FindingStatus.OK, "ok_no_figures", None, values | warn_available, _AVAILABLE)
    elif some >= limits["warn_some_avg300"]:
        found = {"some_percent": some, "limit_some_percent": limits["warn_some_avg300"]}
        yield Verdict(FindingStatus.WARN, "stalls", None, values | found, tuple(limits))
    else:
        yield Verdict(FindingStatus.OK, "ok", None, values | warn_available | {"some_percent": some}, tuple(limits))


RULES = (Rule("memory.pressure", 1, "memory", judge_memory),)

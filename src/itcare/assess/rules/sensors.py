"""`sensors.temperature` and `battery.wear`: the hardware's own limits of heat, and what a battery still holds."""

from collections.abc import Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Record, read_list
from itcare.assess.rules.verdict import Case, Rule, Verdict, judge_rows
from itcare.assess.units import is_below_percent
from itcare.core.words import FindingStatus

_COLDEST, _HOTTEST = -273.15, 1000.0
_MOST_WATT_HOURS = 1e6


def judge_temperatures(data: object, case: Case) -> Iterator[Verdict]:
    """One verdict per sensor at a limit of its own, else one for all. A sensor without limits is a fact."""
    rows = read_list(data, "temperatures")
    if not rows:
        yield Verdict(FindingStatus.UNKNOWN, "none", None, {})
    within: list[tuple[float, dict[str, Value]]] = []
    is_clean = True
    for verdict in judge_rows(rows, "temperatures", lambda row: _judge_sensor(row, within)):
        is_clean = False
        yield verdict
    if is_clean and within:
        _, values = min(within, key=lambda each: each[0])
        yield Verdict(FindingStatus.OK, "ok", None, values | {"count": len(within)})


def _judge_sensor(row: Record, within: list[tuple[float, dict[str, Value]]]) -> Verdict | None:
    """The verdict on a sensor at a limit; else it is noted in `within` with its distance to the nearest one."""
    sensor = f"{row.text('chip', 90)} {row.text('label', 90)}"
    found = row.number("celsius", least=_COLDEST, most=_HOTTEST)
    maximum = row.optional_number("maximum", least=_COLDEST, most=_HOTTEST)
    critical = row.optional_number("critical", least=_COLDEST, most=_HOTTEST)
    values: dict[str, Value] = {"sensor": sensor, "found_celsius": found}
    for status, name, limit in (
        (FindingStatus.FAIL, "critical", critical),
        (FindingStatus.WARN, "high", maximum),
    ):
        if limit is not None and found >= limit:
            return Verdict(status, name, sensor, values | {"limit_celsius": limit})
    limits = [limit for limit in (maximum, critical) if limit is not None]
    if limits:
        nearest = min(limits)
        within.append((nearest - found, values | {"limit_celsius": nearest}))
    return None


def judge_batteries(data: object, case: Case) -> Iterator[Verdict]:
    """One verdict per battery, on its full charge as a share of what it was built for."""
    rows = read_list(data, "batteries")
    if not rows:
        yield Verdict(FindingStatus.UNKNOWN, "none", None, {})
    yield from judge_rows(rows, "batteries", lambda row: _judge_battery(row, case))


def _judge_battery(row: Record, case: Case) -> Verdict:
    name = row.text("name")
    full = row.optional_number("full_wh", least=0, most=_MOST_WATT_HOURS)
    design = row.optional_number("design_wh", least=0, most=_MOST_WATT_HOURS)
    cycles = row.optional_count("cycles")
    if full is None or not design:
        return Verdict(FindingStatus.UNKNOWN, "unmeasured", name, {"battery": name})
    limits, applied = case.limits, tuple(case.limits)
    values: dict[str, Value] = {"battery": name, "full_percent": 100 * full / design, "cycles": cycles}
    for status, key in ((FindingStatus.FAIL, "fail_pct"), (FindingStatus.WARN, "warn_pct")):
        if is_below_percent(full, design, limits[key]):
            return Verdict(status, "worn", name, values | {"limit_percent": limits[key]}, applied)
    return Verdict(FindingStatus.OK, "ok", name, values | {"limit_percent": limits["warn_pct"]}, applied)


RULES = (
    Rule("sensors.temperature", 1, "temperatures", judge_temperatures),
    Rule("battery.wear", 1, "batteries", judge_batteries),
)

"""Numbers of findings with their units, rounded so that no limit seems reached that was not."""

from collections.abc import Mapping

from words import NBSP, days, number


def quantity(name: str, value: float, values: Mapping[str, object]) -> str:
    """`value` in the unit that the last part of its name says, beside its limits among `values`."""
    limits = [
        limit for key, limit in values.items()
        if key.startswith("limit_") and key != name and isinstance(limit, int | float)
        and key.rpartition("_")[2] == name.rpartition("_")[2]
    ]  # fmt: skip
    if name.endswith("_bytes"):
        return f"{beside(value / 1e9, [limit / 1e9 for limit in limits], 1 if value < 1e11 else 0)}{NBSP}GB"
    if name.endswith("_percent"):
        return f"{beside(value, [0, 100, *limits], 0)}%"
    if name.endswith("_celsius"):
        return f"{beside(value, limits, 0)}{NBSP}°C"
    if name.endswith("age_seconds"):
        return days(value / 86400) if value >= 2 * 86400 else f"{number(value / 3600)}{NBSP}h"
    if name.endswith("_seconds"):
        both_sides = [bound for limit in limits for bound in (limit, -limit)]
        return f"{beside(value, both_sides, 1 if abs(value) >= 1 else 3)}{NBSP}s"
    return number(value, 2)


def beside(value: float, limits: list[float], digits: int) -> str:
    """Rounded, with more digits where rounding would reach a limit that the value does not reach."""
    for more in range(digits, digits + 4):
        rounded = round(value, more)
        if not any(rounded == limit != value for limit in limits):
            return number(rounded, more)
    return number(value, digits + 4)

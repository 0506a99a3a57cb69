"""Numbers in words: bytes, percent, seconds and days, rounded so that they never contradict a verdict."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

BYTES_PER_GB = 10**9  # decimal, as on the label of a disk
SECONDS_PER_DAY = 86_400
_EXTRA_DECIMALS = 3


@dataclass(frozen=True)
class Style:
    """How a language writes numbers: its decimal mark, and its word for a number of days."""

    decimal_mark: str
    day_word: Callable[[Decimal], str]


def _polish_day_word(days: Decimal) -> str:
    if days != days.to_integral_value():
        return "dnia"
    return "dzień" if days == 1 else "dni"


ENGLISH = Style(".", lambda days: "day" if days == 1 else "days")
POLISH = Style(",", _polish_day_word)


def is_below_percent(part: float, whole: float, percent: float) -> bool:
    """Whether `part` is less than `percent` of `whole`, exactly: numbers count as the decimals that were written."""
    limit = _as_written(percent)
    if isinstance(part, int) and isinstance(whole, int):  # the same without fractions, which cost ten times as much
        return part * 100 * limit.denominator < limit.numerator * whole
    return _exactly(part) * 100 < limit * _exactly(whole)


def _exactly(number: float) -> Fraction:
    return Fraction(number) if isinstance(number, int) else Fraction(str(number))


@lru_cache
def _as_written(number: float) -> Fraction:
    return Fraction(str(number))


def write_gigabytes(size_bytes: float, style: Style = ENGLISH, limits_bytes: Iterable[float] = ()) -> str:
    """`137.0 GB`: one decimal, more where one would show nothing or hide on which side of a limit it lies."""
    landmarks = [_decimal(limit) / BYTES_PER_GB for limit in limits_bytes]
    return f"{_write(_decimal(size_bytes) / BYTES_PER_GB, 1, [Decimal(0), *landmarks], style)} GB"


def write_percent(percent: float, style: Style = ENGLISH, limits: Iterable[float] = ()) -> str:
    """`14 %`: whole, with decimals where 99.6 would become 100, 0.4 become 0, or 14.96 reach a limit of 15."""
    landmarks = [Decimal(0), Decimal(100), *map(_decimal, limits)]
    return f"{_write(_decimal(percent), 0, landmarks, style)} %"


def write_celsius(degrees: float, style: Style = ENGLISH, limits: Iterable[float] = ()) -> str:
    """`71 °C`: whole, with decimals where rounding would reach a limit or leave it."""
    return f"{_write(_decimal(degrees), 0, map(_decimal, limits), style)} °C"


def write_seconds(seconds: float, style: Style = ENGLISH, limits: Iterable[float] = ()) -> str:
    """`-1.5 s`: at least one decimal unless whole; limits count on both sides of zero."""
    bounds = [_decimal(limit) for limit in limits]
    exact = _decimal(seconds)
    decimals = 0 if exact == exact.to_integral_value() else 1
    return f"{_write(exact, decimals, [Decimal(0), *bounds, *(-bound for bound in bounds)], style)} s"


def write_days(seconds: float, style: Style = ENGLISH, limits_seconds: Iterable[float] = ()) -> str:
    """`3.5 days` for a length in seconds; whole days without decimals."""
    days = _decimal(seconds) / SECONDS_PER_DAY
    landmarks = [_decimal(limit) / SECONDS_PER_DAY for limit in limits_seconds]
    decimals = 0 if days == days.to_integral_value() else 1
    rounded = _round_beside(days, decimals, [Decimal(0), *landmarks])
    return f"{_mark(rounded, style)} {style.day_word(rounded)}"


def write_number(number: float, style: Style = ENGLISH) -> str:
    """A plain number in full, never in powers of ten, whole ones without decimals."""
    exact = _decimal(number)
    whole = exact.to_integral_value()
    return _mark(whole if exact == whole else exact, style)


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))  # the digits as written, not the binary neighbour


def _mark(number: Decimal, style: Style) -> str:
    return f"{number:f}".replace(".", style.decimal_mark)


def _write(number: Decimal, decimals: int, landmarks: Iterable[Decimal], style: Style) -> str:
    return _mark(_round_beside(number, decimals, landmarks), style)


def _round_beside(number: Decimal, decimals: int, landmarks: Iterable[Decimal]) -> Decimal:
    """Round to the fewest decimals that keep `number` on its side of every landmark.

    Where even three more do not, cut towards the side it lies on.
    """
    marks = tuple(landmarks)

    def keeps_its_side(rounded: Decimal) -> bool:
        return all(rounded.compare(mark) == number.compare(mark) for mark in marks)

    for places in range(decimals, decimals + _EXTRA_DECIMALS + 1):
        rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        if keeps_its_side(rounded):
            return rounded
    last = Decimal(1).scaleb(-(decimals + _EXTRA_DECIMALS))
    cut = (number.quantize(last, ROUND_FLOOR), number.quantize(last, ROUND_CEILING))
    return next(filter(keeps_its_side, cut), number)

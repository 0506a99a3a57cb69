"""Two languages: messages, plural forms, numbers, dates, order of names.

English is the text in the code; Polish comes from `locale/pl/LC_MESSAGES/dashboard.po`, which is
compiled in memory when it is first needed, so that no compiled file can lag behind its source.
Values are put in by name after the translation was chosen: `tr("Run {run}", run=...)`.
"""

import gettext
import io
from datetime import date, datetime
from functools import cache
from pathlib import Path

import streamlit as st
from babel.dates import format_date, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = {"pl": "Polski", "en": "English"}
NBSP = "\u00a0"
_LOCALES = Path(__file__).parent / "locale"
_POLISH_ORDER = {letter: place for place, letter in enumerate("0123456789aąbcćdeęfghijklłmnńoópqrsśtuvwxyzźż")}


@cache  # read only once per process: the files belong to the program, not to any client
def catalogue(language: str) -> gettext.NullTranslations:
    """The messages of one language; English needs none, because it is the text in the code."""
    path = _LOCALES / language / "LC_MESSAGES" / "dashboard.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as source:
        messages = read_po(source, locale=language, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def lang() -> str:
    """Language of this page: what was chosen, else what the address or the browser asks for."""
    chosen = st.session_state.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    asked = st.query_params.get("lang") or (st.context.locale or "")[:2]
    return asked if asked in LANGUAGES else "en"


def mark(message: str) -> str:
    """Only marks a message for the catalogue; `tr` translates it where it is shown."""
    return message


def tr(message: str, **values: object) -> str:
    """`message` in the language of the page, with `values` put in (whole numbers in its format)."""
    text = catalogue(lang()).gettext(message)
    return _filled(text, values) if values else text


def trn(one: str, many: str, n: int, **values: object) -> str:
    """The plural form for `n`; `{n}` in the message becomes the number."""
    text = catalogue(lang()).ngettext(one, many, n)
    return _filled(text, {"n": n, **values})


def _filled(text: str, values: dict[str, object]) -> str:
    """Values put in; a number at the front stays with its noun on one line."""
    shown = {k: number(v) if isinstance(v, int | float) else v for k, v in values.items()}
    return text.replace("{n} ", "{n}" + NBSP).format(**shown)


def number(value: float, digits: int = 0) -> str:
    """A number with at most `digits` decimals: 1 234,5 in Polish, 1,234.5 in English."""
    return str(format_decimal(round(value, digits), locale=lang()))


def of(part: int, whole: int) -> str:
    """Counts, never a bare percentage: `73 z 74`."""
    return tr("{part} of {whole}", part=part, whole=whole).replace(" ", NBSP)


def size(amount: float) -> str:
    """Bytes in the unit that disk makers use: GB of 10**9, MB below one, kB below that."""
    giga = amount / 1e9
    if giga >= 1:
        return f"{number(giga, 1 if giga < 100 else 0)}{NBSP}GB"
    if amount >= 1e6 or amount == 0:
        return f"{number(amount / 1e6)}{NBSP}MB"
    return f"{number(max(amount / 1e3, 1))}{NBSP}kB"


def day(when: date, *, weekday: bool = False, year: bool = False) -> str:
    """`30 listopada`, `śr. 2 grudnia`; for sentences."""
    pattern = ("EEE " if weekday else "") + "d MMMM" + (" y" if year else "")
    return str(format_date(when, pattern, locale=lang()))


def short_day(when: date) -> str:
    """`30.11` or `30 Nov`; for narrow cells."""
    return str(format_date(when, "d.MM" if lang() == "pl" else "d MMM", locale=lang()))


def table_day(when: date) -> str:
    """`30.11.2026` or `30 Nov 2026`; for tables."""
    return str(format_date(when, "dd.MM.y" if lang() == "pl" else "d MMM y", locale=lang()))


def moment(when: datetime, *, year: bool = False) -> str:
    """A day and a time of day: `1 grudnia 2026, 07:30`."""
    return f"{day(when.date(), year=year)}, {when:%H:%M}"


def month_name(when: date) -> str:
    """`Listopad 2026`, as the beginning of a sentence."""
    text = str(format_date(when, "LLLL y", locale=lang()))
    return text[:1].upper() + text[1:]


def ago(when: datetime, now: datetime) -> str:
    """Distance in words; under 48 hours in hours, because a bare day hides up to a day."""
    hours = abs((now - when).total_seconds()) / 3600
    return str(
        format_timedelta(
            when - now, locale=lang(), add_direction=True, threshold=0.9 if hours < 1 else 3,
            granularity="minute" if hours < 1 else "hour",
        )
    )  # fmt: skip


def lasting(seconds: float) -> str:
    """A duration: `1 h 14 min`, `12 min 05 s`, `9 s`, `0,4 s`."""
    if seconds < 10:
        return f"{number(seconds, 1)}{NBSP}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{number(hours)}{NBSP}h{NBSP}{minutes:02}{NBSP}min"
    return f"{minutes}{NBSP}min{NBSP}{rest:02}{NBSP}s" if minutes else f"{rest}{NBSP}s"


def days(count: float) -> str:
    """A whole number of days with its noun."""
    return trn("{n} day", "{n} days", round(count))


def alphabetical(text: str) -> tuple[tuple[int, str], ...]:
    """Sorting key in the order of the Polish alphabet, which holds the English one too."""
    return tuple((_POLISH_ORDER.get(letter, 99), letter) for letter in text.casefold())

"""The kinds of value that a contract holds; each refuses in words that say what is expected."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, WrapSerializer
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from itcare import __version__
from itcare.core.errors import BadInputError
from itcare.core.names import check_client_code, check_host_name

NOT_SUPPORTED = f"are not supported by this version of itcare ({__version__})"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_KEY_REFERENCE = re.compile(r"key:([A-Za-z0-9][A-Za-z0-9_-]{0,62})")
_LISTENER = re.compile(r"(?:tcp|udp)/([1-9][0-9]{0,4})")
_LAST_PORT = 65535
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_HOURS = re.compile(rf"({_TIME})-({_TIME}|24:00)")
_MINUTES_PER_DAY = 1440
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


def expected(text: str) -> PydanticCustomError:
    """The error that names what the author should write; the loader adds place and value."""
    return PydanticCustomError("expected", "{expected}", {"expected": text})


def _matching(pattern: str, text: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise expected(text)
        return value

    return AfterValidator(check)


def _named_by(check: Callable[[str], str], text: str) -> AfterValidator:
    def validate(value: str) -> str:
        try:
            return check(value)
        except BadInputError:
            raise expected(text) from None

    return AfterValidator(validate)


def _check_text(value: str) -> str:
    if not value.strip() or len(value) > 200 or not value.isprintable():
        raise expected("text of 1 to 200 printable characters on one line")
    return value


def _check_day(value: date) -> date:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise expected(f"a day between {_FIRST_YEAR} and {_LAST_YEAR}")
    return value


def _check_time_zone(value: str) -> str:
    """A place, so that its rules are the place's: no `localtime`, which is another on each computer."""
    try:
        is_place = value == "UTC" or ("/" in value and not value.startswith(("posix/", "right/")))
        known = is_place and ZoneInfo(value).key == value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        raise expected("a time zone of the IANA list such as Europe/Warsaw")
    return value


def _check_address(value: str) -> str:
    """A DNS name or an IP address; never an option for ssh, never a template."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if len(value) > 253 or not _DNS_NAME.fullmatch(value) or _looks_like_an_ip_address(value):
            raise expected("a DNS name or an IP address such as 192.0.2.10") from None
    return value


def _looks_like_an_ip_address(value: str) -> bool:
    return value.replace(".", "").isdecimal()


def _check_credential(value: object) -> object:
    matches = isinstance(value, str) and (value == "agent" or _KEY_REFERENCE.fullmatch(value))
    if value is not None and not matches:
        raise expected("a reference, never the secret itself: null, agent or key:NAME")
    return value


def _check_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10**12:
        raise expected("a number from 0 up, without a unit")
    return value


def _check_each_once[T](values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) != len(values):
        raise expected("a list with each entry once")
    return values


def _check_distinct[T](values: tuple[T, ...]) -> tuple[T, ...]:
    if not values or len(set(values)) != len(values):
        raise expected("a list of at least one entry, each once")
    return values


def _check_listener(value: str) -> str:
    match = _LISTENER.fullmatch(value)
    if not match or not 1 <= int(match[1]) <= _LAST_PORT:
        raise expected("a protocol and a port such as tcp/22 or udp/53")
    return value


def _check_hours(value: object) -> object:
    """Opening hours of one day; the last may pass midnight, and `24:00` is the end of the day."""
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[1] == match[2]:
        raise expected('hours in quotes such as "08:00-16:00" (without them YAML reads times as numbers)')
    return value


def _check_weekdays(value: str) -> str:
    days = [_WEEKDAYS.index(day) for day in value.split("-") if day in _WEEKDAYS]
    if len(days) != value.count("-") + 1 or len(days) > 2 or days != sorted(set(days)):
        raise expected(f"a weekday or a range of them such as mon-fri, of {', '.join(_WEEKDAYS)}")
    return value


def weekdays_of(value: str) -> range:
    """The weekdays that `mon-fri` or `sat` names, Monday as 0."""
    days = [_WEEKDAYS.index(day) for day in value.split("-")]
    return range(days[0], days[-1] + 1)


def minutes_of(hours: str) -> tuple[int, int]:
    """Begin and end of `08:00-16:00` in minutes from midnight; an end that passes midnight lies beyond 1440."""
    begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in hours.split("-"))
    return begin, end if end > begin else end + _MINUTES_PER_DAY


def _check_day_hours(values: tuple[str, ...]) -> tuple[str, ...]:
    spans = [minutes_of(value) for value in values]
    if not spans or any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise expected("hours of one day, one after the other and not overlapping")
    return values


def _check_filled[V](mapping: Mapping[str, V]) -> Mapping[str, V]:
    if not mapping:
        raise expected("at least one entry")
    return mapping


def _freeze[V](mapping: Mapping[str, V]) -> Mapping[str, V]:
    return MappingProxyType(dict(mapping))


def _thaw(mapping: Mapping[str, object], handler: SerializerFunctionWrapHandler) -> object:
    return handler(dict(mapping))


FREEZE = (AfterValidator(_freeze), WrapSerializer(_thaw))
FILLED = AfterValidator(_check_filled)
DISTINCT = AfterValidator(_check_distinct)
EACH_ONCE = AfterValidator(_check_each_once)

type Reach = Literal["onsite", "vpn", "bastion", "pull"]
type Role = Literal["server", "workstation", "laptop"]
type Connection = Literal["local", "ssh"]
type Locale = Literal["pl", "en"]
type Protection = Literal["firewall", "encryption"]
type HolidayRule = Literal["next_working_day", "previous_working_day", "skip", "run_anyway"]
type Right = Literal[
    "verifies_work", "signs_protocol", "receives_schedule", "orders_emergency", "approves_expedite", "approves_cost"
]

type Text = Annotated[str, AfterValidator(_check_text)]
type Day = Annotated[date, AfterValidator(_check_day)]
type TimeZone = Annotated[str, AfterValidator(_check_time_zone)]
type Nip = Annotated[str, _matching(r"[0-9]{10}", 'ten digits in quotes such as "0000000000"')]
type ClientCode = Annotated[
    str, _named_by(check_client_code, "2 to 16 characters of A-Z, 0-9 and inner hyphens, first a letter")
]
type HostName = Annotated[
    str, _named_by(check_host_name, "a name of lower-case letters, digits and inner hyphens such as pc01")
]
type SiteName = Annotated[str, _matching(r"[a-z0-9](?:[a-z0-9-]{0,29}[a-z0-9])?", "a short name such as office")]
type DutyName = Annotated[
    str, _matching(r"(?=.{1,64}\Z)[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*", "a dotted name such as visit.daily")
]
type RuleName = Annotated[str, _matching(r"(?=.{1,64}\Z)[a-z][a-z0-9]*(?:[._][a-z0-9]+)*", "the name of a rule")]
type ServiceName = Annotated[
    str, _matching(r"[A-Za-z0-9_][A-Za-z0-9:_.@\\-]{0,199}", "the name of a systemd unit such as cron or ssh.service")
]
type Address = Annotated[str, AfterValidator(_check_address)]
type User = Annotated[str, _matching(r"[A-Za-z_][A-Za-z0-9._-]{0,30}\$?", "a login name such as itcare")]
type Interpreter = Annotated[
    str, _matching(r"(?=.{2,200}\Z)(?:/\.?[A-Za-z0-9_+][A-Za-z0-9._+-]*)+", "a full path such as /usr/bin/python3")
]
type Credential = Annotated[str | None, BeforeValidator(_check_credential)]
type Threshold = Annotated[int | float, BeforeValidator(_check_number)]
type AdministratorName = Annotated[
    str,
    _matching(
        r"[%+]?[A-Za-z0-9_][A-Za-z0-9._@\\ -]{0,98}\$?",
        'a login such as root, or "%wheel" in quotes for all members of a group',
    ),
]
type Listener = Annotated[str, AfterValidator(_check_listener)]
type CalendarVersion = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "the version of a calendar such as pl-2026.1")
]
type HolidayCalendar = Annotated[
    str, _matching(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?", "a country, or country and subdivision, such as PL or DE-BY")
]
type Hours = Annotated[str, BeforeValidator(_check_hours)]
type DayHours = Annotated[tuple[Hours, ...], AfterValidator(_check_day_hours)]
type Weekdays = Annotated[str, AfterValidator(_check_weekdays)]
type ShortName = Annotated[
    str, _matching(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", "a short name in lower case such as month-close")
]
type Email = Annotated[
    str,
    _matching(
        r"(?=.{3,254}\Z)[A-Za-z0-9][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@"
        r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+",
        "an e-mail address such as office@acme.example.com",
    ),
]

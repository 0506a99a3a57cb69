"""The kinds of value that a contract holds; each refuses in words that say what is expected."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
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


def _check_distinct[T](values: tuple[T, ...]) -> tuple[T, ...]:
    if not values or len(set(values)) != len(values):
        raise expected("a list of at least one entry, each once")
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

type Reach = Literal["onsite", "vpn"]
type Role = Literal["server", "workstation", "laptop"]
type Connection = Literal["local", "ssh"]
type Locale = Literal["pl", "en"]

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

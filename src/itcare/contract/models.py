"""The model of a contract: what the firm promises one client, as far as this version keeps it.

Only what this version knows is accepted; every other key is refused with the version that refuses it.
docs/contract-v1.md explains each key, and names those that are kept and not yet acted upon: `calendar`,
`contacts`, `defaults`, `acceptance`, and a `reach` of bastion or pull. Days are inclusive local dates of the
client's time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from itcare.contract import fields
from itcare.contract.fields import DISTINCT, EACH_ONCE, FILLED, FREEZE, NOT_SUPPORTED, expected
from itcare.contract.kept import Acceptance, Calendar, Contact, Defaults
from itcare.contract.part import Part
from itcare.core.errors import NotFoundError

SCHEMA = "itcare/contract/v1"
DEFAULT_SSH_PORT = 22


class Terms(Part):
    """The paper contract that this file restates."""

    number: fields.Text
    version: Annotated[int, Field(ge=1)]
    signed_on: fields.Day
    first_day: fields.Day
    last_day: fields.Day | None = None


class ClientTerms(Part):
    """The client, its language and time zone, and the contract under which its data are processed."""

    code: fields.ClientCode
    legal_name: fields.Text
    nip: fields.Nip
    locale: fields.Locale
    tz: fields.TimeZone
    dpa: fields.Text


class Team(Part):
    """Who serves the client: the permanent technician, a deputy, and the number to call."""

    technician: fields.Text
    deputy: fields.Text | None = None
    phone: fields.Text | None = None


class _Expected(Part):
    """What is expected of computers: None is no list, so that what is found stays a fact."""

    services: Annotated[tuple[fields.ServiceName, ...], DISTINCT] = ()
    administrators: Annotated[tuple[fields.AdministratorName, ...], EACH_ONCE] | None = None
    listeners: Annotated[tuple[fields.Listener, ...], EACH_ONCE] | None = None
    requires: Annotated[tuple[fields.Protection, ...], DISTINCT] = ()


class _Access(Part):
    connection: fields.Connection | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    user: fields.User | None = None
    become: bool | None = None
    credential: fields.Credential = None
    python: fields.Interpreter | None = None


class Site(_Access):
    """A place of the client, with the defaults of how its hosts are reached."""

    reach: fields.Reach


class Host(_Access, _Expected):
    """One computer in the care of the firm, in scope from `first_day` to `last_day`."""

    site: fields.SiteName
    role: fields.Role
    first_day: fields.Day
    last_day: fields.Day | None = None
    address: fields.Address | None = None


class Selection(Part):
    """Which hosts a duty covers: `all`, or those of one site, of some roles, or named ones."""

    site: fields.SiteName | None = None
    role: Annotated[tuple[fields.Role, ...], DISTINCT] | None = None
    host: Annotated[tuple[fields.HostName, ...], DISTINCT] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        if value == "all":
            return {}
        if not isinstance(value, Mapping) or len(value) != 1 or not value.keys() <= cls.model_fields.keys():
            raise expected("all, or exactly one of site: NAME, role: [ROLE, …], host: [NAME, …]")
        if None in value.values():
            raise expected("a name or a list of names after the key")
        return value

    def covers(self, name: str, host: Host) -> bool:
        """Whether the host of that name is selected."""
        return (
            self.site in (None, host.site)
            and (self.role is None or host.role in self.role)
            and (self.host is None or name in self.host)
        )


class Cadence(Part):
    """How often a duty is owed; this version knows `daily: all`, every day of the year."""

    daily: Literal["all"]

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        if value != {"daily": "all"}:
            raise expected(f"daily: all; other cadences {NOT_SUPPORTED}")
        return value


def _check_subjects(value: object) -> object:
    if value != ("host",):
        raise expected(f"[host]; other subjects {NOT_SUPPORTED}")
    return value


type TempCategory = Literal[
    "system_temp", "user_cache", "package_cache", "browser_cache", "trash", "crash_reports", "journal"
]
_AtLeastOne = Annotated[int, Field(ge=1)]


class VisitOptions(Part):
    """What a visit does beside looking at the health: the options of the collection's role `visit`."""

    software: bool = True
    temp_categories: Annotated[tuple[TempCategory, ...], DISTINCT] = ("system_temp", "user_cache", "package_cache")
    temp_clean: bool = False
    temp_min_age_days: _AtLeastOne = 7
    temp_exclude: Annotated[tuple[fields.Text, ...], DISTINCT] = ()
    temp_ceiling_bytes: _AtLeastOne | None = None
    temp_ceiling_files: _AtLeastOne | None = None
    journal_keep_days: _AtLeastOne | None = None

    @model_validator(mode="after")
    def _keep_the_log(self) -> Self:
        if "journal" in self.temp_categories and self.journal_keep_days is None:
            raise expected("journal_keep_days beside the category journal: days of the log that are always kept")
        return self

    def to_variables(self) -> dict[str, object]:
        """The options under their names in the role."""
        return {
            "visit_software": self.software,
            "visit_temp_categories": list(self.temp_categories),
            "visit_temp_clean": self.temp_clean,
            "visit_temp_min_age_days": self.temp_min_age_days,
            "visit_temp_exclude": list(self.temp_exclude),
            "visit_temp_ceiling_bytes": self.temp_ceiling_bytes or 0,
            "visit_temp_ceiling_files": self.temp_ceiling_files or 0,
            "visit_temp_journal_keep_days": self.journal_keep_days or 0,
        }


class Duty(Part):
    """One promise: for each selected host, as often as the cadence says, and how it is kept."""

    per: Annotated[tuple[Literal["host"], ...], BeforeValidator(_check_subjects)]
    select: Selection
    cadence: Cadence
    title: fields.Text | None = None
    options: VisitOptions = Field(default_factory=VisitOptions)


@dataclass(frozen=True)
class ResolvedHost:
    """A host in scope on one day, with the defaults of its site and the client's lists filled in.

    `address` and `port` are None for `local`; `credential` is None, `agent` or `key:NAME`;
    `python` is None where Ansible shall find the interpreter itself. `administrators` and `listeners` are None
    where neither client nor host has such a list.
    """

    name: str
    site: str
    role: str
    connection: str
    address: str | None
    port: int | None
    user: str | None
    become: bool
    credential: str | None
    python: str | None
    services: tuple[str, ...]
    administrators: tuple[str, ...] | None = None
    listeners: tuple[str, ...] | None = None
    requires: tuple[str, ...] = ()


class Contract(_Expected):
    """One client's contract, checked."""

    schema_version: Literal["itcare/contract/v1"] = Field(alias="schema")
    contract: Terms
    client: ClientTerms
    team: Team
    sites: Annotated[Mapping[fields.SiteName, Site], FILLED, *FREEZE]
    hosts: Annotated[Mapping[fields.HostName, Host], FILLED, *FREEZE]
    duties: Annotated[Mapping[fields.DutyName, Duty], FILLED, *FREEZE]
    calendar: Calendar | None = None
    contacts: Annotated[Mapping[fields.ShortName, Contact], *FREEZE] = Field(
        default_factory=dict, validate_default=True
    )
    defaults: Defaults | None = None
    acceptance: Acceptance | None = None
    thresholds: Annotated[
        Mapping[fields.RuleName, Annotated[Mapping[fields.RuleName, fields.Threshold], FILLED, *FREEZE]], *FREEZE
    ] = Field(default_factory=dict, validate_default=True)

    @property
    def zone(self) -> ZoneInfo:
        """The client's time zone, in which every day of the contract is meant."""
        return ZoneInfo(self.client.tz)

    def is_in_force(self, day: date) -> bool:
        """Whether that local day lies between the first and the last day of the contract."""
        last = self.contract.last_day
        return self.contract.first_day <= day and (last is None or day <= last)

    def is_in_scope(self, name: str, day: date) -> bool:
        """Whether the host is in the firm's care on that local day; its days are cut to the contract's."""
        host = self.hosts[name]
        return self.is_in_force(day) and host.first_day <= day and (host.last_day is None or day <= host.last_day)

    def hosts_on(self, day: date) -> list[ResolvedHost]:
        """The hosts in scope on that local day, by name, with the defaults of their sites."""
        return [self._resolve(name) for name in sorted(self.hosts) if self.is_in_scope(name, day)]

    def duty(self, name: str) -> Duty:
        """The duty of that name; raises NotFoundError."""
        try:
            return self.duties[name]
        except KeyError:
            raise NotFoundError(
                "find duty", ascii(name[:70]), f"the contract of {self.client.code} has no such duty",
                f"Its duties: {', '.join(sorted(self.duties))}.",
            ) from None  # fmt: skip

    def subjects(self, duty: str, day: date) -> list[str]:
        """Names of the hosts that the duty covers on that local day, sorted; raises NotFoundError."""
        selection = self.duty(duty).select
        return [n for n in sorted(self.hosts) if selection.covers(n, self.hosts[n]) and self.is_in_scope(n, day)]

    def _resolve(self, name: str) -> ResolvedHost:
        host = self.hosts[name]
        site = self.sites[host.site]
        connection = host.connection or site.connection or "ssh"
        is_remote = connection == "ssh"
        become = host.become if host.become is not None else site.become
        return ResolvedHost(
            name=name,
            site=host.site,
            role=host.role,
            connection=connection,
            address=host.address,
            port=(host.port or site.port or DEFAULT_SSH_PORT) if is_remote else None,
            user=(host.user or site.user) if is_remote else None,
            become=bool(become),
            credential=(host.credential or site.credential) if is_remote else None,
            python=host.python or site.python,
            services=tuple(dict.fromkeys((*self.services, *host.services))),
            administrators=_add(self.administrators, host.administrators),
            listeners=_add(self.listeners, host.listeners),
            requires=tuple(dict.fromkeys((*self.requires, *host.requires))),
        )


def _add(client: tuple[str, ...] | None, host: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Both lists as one; None only where neither is there."""
    if client is None and host is None:
        return None
    return tuple(dict.fromkeys((*(client or ()), *(host or ()))))

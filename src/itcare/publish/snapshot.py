"""Which hosts of a client are shown."""

from datetime import datetime

from itcare.contract.models import Contract
from itcare.publish.host_rows import KnownHost
from itcare.publish.records import History


def list_hosts(contract: Contract, history: History, owed: set[str], now: datetime) -> tuple[KnownHost, ...]:
    """Hosts of the contract today, hosts owed something in the months shown, and hosts of any run."""
    tried = {name for run in history.runs for name in run.hosts}
    return _know(contract, {*tried, *owed}, now)


def list_hosts_today(contract: Contract, now: datetime) -> tuple[KnownHost, ...]:
    """Hosts of the contract today: those that findings are made for."""
    return _know(contract, set(), now)


def _know(contract: Contract, others: set[str], now: datetime) -> tuple[KnownHost, ...]:
    today = {host.name: host for host in contract.hosts_on(now.astimezone(contract.zone).date())}
    return tuple(
        KnownHost(
            name=name,
            site=contract.hosts[name].site if name in contract.hosts else None,
            role=contract.hosts[name].role if name in contract.hosts else None,
            resolved=today.get(name),
        )
        for name in sorted({*today, *others})
    )

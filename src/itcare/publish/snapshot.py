"""Which hosts of a client are shown."""

from datetime import datetime

from itcare.contract.models import Contract
from itcare.publish.host_rows import KnownHost
from itcare.publish.records import History


def list_hosts(contract: Contract, history: History, owed: set[str], now: datetime) -> tuple[KnownHost, ...]:
    """Hosts of the contract today, hosts owed something in the months shown, and hosts of any run."""
    today = {host.name: host for host in contract.hosts_on(now.astimezone(contract.zone).date())}
    tried = {name for run in history.runs for name in run.hosts}
    return tuple(
        KnownHost(
            name=name,
            site=contract.hosts[name].site if name in contract.hosts else None,
            role=contract.hosts[name].role if name in contract.hosts else None,
            resolved=today.get(name),
        )
        for name in sorted({*today, *tried, *owed})
    )

"""Which hosts of a run are to be done again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from itcare.core.errors import BadInputError, BusyError, NotFoundError
from itcare.core.names import RunName
from itcare.core.words import HostOutcome, RunGrade
from itcare.drive import rows
from itcare.ledger.log import Ledger
from itcare.store.engine import read

type Event = Mapping[str, object]

_GOOD = frozenset({HostOutcome.OK.value, HostOutcome.CHANGED.value})


@dataclass(frozen=True)
class Repetition:
    """What is to be run again: the duty on these hosts, only looking if the run only looked."""

    duty: str
    hosts: tuple[str, ...]
    check: bool


def plan_rerun(
    ledger: Ledger, name: RunName, find_events: Callable[[], Iterable[Event]], *, failed_only: bool
) -> Repetition:
    """The duty and hosts of a closed run, or those of its hosts whose outcome is not ok or changed.

    A planned host that no entry tells of is among them. `find_events`: the events of the run, asked for once
    it is known to be there; those of other runs are passed over. Raises NotFoundError for an unknown run,
    BusyError for one that is still open, BadInputError when no host is left or the run was adopted.
    """
    with read(ledger.engine) as connection:
        row = rows.find_run_by_number(connection, name.client, name.number)
    if row is None:
        raise NotFoundError("find run", str(name), "there is no such run", "`itcare runs` lists them.")
    if row.is_open:
        raise BusyError("run again", str(name), "it is not closed yet", f"Wait, or: itcare cancel {name}.")
    planned, outcomes = _read_run(find_events(), name)
    hosts = tuple(host for host in planned if not failed_only or outcomes.get(host) not in _GOOD)
    if not hosts:
        raise BadInputError("run again", str(name), "every host of it ended well", "There is nothing to repeat.")
    return Repetition(row.duty, hosts, row.check)


def _read_run(events: Iterable[Event], name: RunName) -> tuple[list[str], Mapping[str, str]]:
    planned: list[str] = []
    outcomes: dict[str, str] = {}
    for event in events:
        if event.get("run") != name.number:
            continue
        if event.get("type") == "run.opened":
            if event.get("grade", RunGrade.ANNOUNCED) != RunGrade.ANNOUNCED:
                raise BadInputError(
                    "run again", str(name), "it was adopted and belongs to no duty", "Run a duty of the contract."
                )
            hosts = event.get("hosts")
            planned = [str(host) for host in hosts] if isinstance(hosts, list) else []
        elif event.get("type") == "run.host":
            outcomes[str(event.get("host"))] = str(event.get("outcome"))
    return planned, outcomes

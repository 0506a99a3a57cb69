"""Everything that must be true and written down before a run's first process starts."""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from itcare.contract.loader import LoadedContract
from itcare.contract.models import ResolvedHost
from itcare.core.clock import Clock
from itcare.core.errors import BusyError
from itcare.core.settings import Settings
from itcare.core.words import RunState
from itcare.drive import environment, hosts, preflight, rows, trust
from itcare.drive.collection import Collection, Playbook, choose_playbook, digest_file, find_collection
from itcare.drive.controller import Operator, describe_request, read_code_version
from itcare.drive.folder import DriverLock, RunFolder, make_folder, make_socket_folder, remove_run_files, write_private
from itcare.drive.isolation import Isolation, choose_isolation, remove_cgroup
from itcare.drive.orders import Orders
from itcare.drive.plan import RunPlan
from itcare.drive.rows import RunRow
from itcare.drive.secrets import key_lines
from itcare.ledger.log import Ledger, LogRef

IDLE_TIMEOUT_SECONDS = 1800
"""A run without any event for so long is stopped; well above the longest task of our roles."""


@dataclass(frozen=True)
class Request:
    """What somebody asked for. `limit`: host names, empty for all. `playbook`: a file of one's own."""

    loaded: LoadedContract
    duty: str
    operator: Operator
    limit: Sequence[str] = ()
    check: bool = False
    reason: str | None = None
    playbook: Path | None = None
    job_timeout: int | None = None  # seconds; None: the installation's setting
    reruns: int | None = None  # number of the run that this one repeats in part


@dataclass(frozen=True)
class Launch:
    """A run that is open in the ledger and whose process may start."""

    log: LogRef
    row: RunRow
    plan: RunPlan
    folder: RunFolder
    lock: DriverLock
    isolation: Isolation
    environment: Mapping[str, str]
    job_timeout: int


@dataclass(frozen=True)
class _Checked:
    """What preflight found, before anything of the run exists."""

    chosen: tuple[ResolvedHost, ...]
    keys: Mapping[str, Path | None]
    collection: Collection
    playbook: Playbook


def check_request(settings: Settings, request: Request, clock: Clock) -> _Checked:
    """Preflight. Raises BadInputError or UnsafeError; nothing was written then."""
    chosen = hosts.plan_hosts(request.loaded.contract, request.duty, request.limit, clock)
    preflight.check_private_folder(settings.home)
    preflight.check_free_space(settings.runs if settings.runs.exists() else settings.home)
    environment.clean_path()
    collection = find_collection()
    preflight.check_not_written_by_others(collection.folder)
    playbook = choose_playbook(collection, request.duty, request.playbook)
    folder = settings.home / "credentials" / request.loaded.contract.client.code
    keys = {host.name: hosts.credential_file(folder, host) for host in chosen}
    if any(keys.values()):
        preflight.check_private_folder(folder)
    return _Checked(chosen, keys, collection, playbook)


def open_launch(ledger: Ledger, request: Request, checked: _Checked, clock: Clock) -> Launch:
    """Make the run's folder, claim its hosts and write `run.opened`, signed.

    Raises BusyError when a host is in another run's hands, and as the ledger does; no trace of the
    run is left then.
    """
    terms = request.loaded.contract.client
    log = ledger.client_log(terms.code, terms.legal_name)
    run_id = secrets.token_hex(16)
    folder = make_folder(ledger.settings.runs, run_id)
    sockets: Path | None = None
    lock, isolation = DriverLock(folder), Isolation("mark")
    try:
        if not lock.acquire():
            raise BusyError("lock", str(folder.path), "somebody else holds it", "Try again.")
        sockets = make_socket_folder(os.environ)
        isolation = choose_isolation(run_id)
        launch = _prepare(ledger, log, request, checked, clock, folder, sockets, lock, isolation)
    except BaseException:
        lock.release()
        if isolation.cgroup is not None:
            remove_cgroup(isolation.cgroup)
        remove_run_files(folder, sockets)
        raise
    try:
        ledger.sign(log)
    except BaseException:
        lock.release()  # the run is open in the ledger and nothing runs: a recovery may close it
        raise
    return launch


def _prepare(
    ledger: Ledger, log: LogRef, request: Request, checked: _Checked, clock: Clock, folder: RunFolder, sockets: Path,
    lock: DriverLock, isolation: Isolation,
) -> Launch:  # fmt: skip
    timeout = request.job_timeout or ledger.settings.job_timeout_seconds
    inventory = _write_files(ledger.settings, request, checked, folder, sockets, isolation, timeout)
    files = checked.collection.files()
    plan = RunPlan.make(checked.chosen, files)
    plan.write(folder)
    names = [host.name for host in checked.chosen]
    client_id = log.client_id or 0  # 0 is the firm's own log, which `client_log` never returns
    with ledger.append(log) as batch:
        connection = batch.connection
        row = RunRow(
            id=folder.run_id, client_id=client_id, client=request.loaded.contract.client.code,
            client_name=request.loaded.contract.client.legal_name, number=rows.next_number(connection, client_id),
            duty=request.duty, state=RunState.RUNNING, check=request.check, nonce=secrets.token_hex(16),
            fence=rows.next_fence(connection), folder=folder.path, sockets=sockets, opened_at=clock.now(),
            closed_at=None, cancel_by=None,
        )  # fmt: skip
        rows.insert_run(connection, row)
        rows.take_leases(connection, row, names, row.opened_at)
        event = _opening(request, checked, row, names, inventory)
        if request.reruns is not None:
            event["reruns"] = request.reruns
        event["asked"] = batch.body(describe_request(request.operator, request.reason) | {"isolation": isolation.kind})
        event["files"] = batch.body([asdict(file) for file in files])
        batch.add(event)
    known_hosts = trust.known_hosts_file(ledger.settings, client_id)
    variables = environment.build_environment(
        folder, sockets, nonce=row.nonce, fence=row.fence, known_hosts=known_hosts, agent=_agent_socket(checked.chosen)
    )
    return Launch(log, row, plan, folder, lock, isolation, variables, timeout)


def _write_files(
    settings: Settings, request: Request, checked: _Checked, folder: RunFolder, sockets: Path, isolation: Isolation,
    timeout: int,
) -> str:  # fmt: skip
    """Write what the supervisor and Ansible read; returns the digest of the inventory."""
    control_paths = hosts.assign_sockets(checked.chosen, sockets)
    options = request.loaded.contract.duty(request.duty).options
    text = hosts.write_inventory(checked.chosen, checked.keys, control_paths, options.to_variables())
    preflight.check_inventory(text)
    write_private(folder.inventory, text)
    if lines := key_lines(sorted({key for key in checked.keys.values() if key is not None})):
        write_private(folder.secrets, "".join(f"{line}\n" for line in lines))
    write_private(folder.configuration, environment.ansible_configuration(checked.collection.root))
    Orders(
        playbook=checked.playbook.argument, check=request.check, forks=min(settings.forks, len(checked.chosen)),
        job_timeout=timeout, idle_timeout=min(timeout, IDLE_TIMEOUT_SECONDS),
        sockets={host: str(path) for host, path in control_paths.items()}, socket_folder=str(sockets),
        cgroup=str(isolation.cgroup) if isolation.cgroup else None, in_scope=isolation.kind == "scope",
    ).write(folder)  # fmt: skip
    if isolation.cgroup is not None:
        write_private(folder.cgroup_note, str(isolation.cgroup))
    return digest_file(folder.inventory)


def _opening(
    request: Request, checked: _Checked, row: RunRow, names: Sequence[str], inventory: str
) -> dict[str, object]:
    """Event `run.opened` without its bodies."""
    loaded = request.loaded
    return {
        "type": "run.opened",
        "run": row.number,
        "run_id": row.id,
        "duty": row.duty,
        "check": row.check,
        "hosts": list(names),
        "contract": {
            "number": loaded.contract.contract.number, "version": loaded.contract.contract.version,
            "commit": loaded.commit, "dirty": loaded.dirty, "sha256": loaded.sha256,
        },
        "code": asdict(read_code_version()),
        "collection": checked.collection.version,
        "playbook": {"path": checked.playbook.path, "sha256": checked.playbook.sha256},
        "inventory_sha256": inventory,
        "fence": row.fence,
    }  # fmt: skip


def _agent_socket(chosen: Sequence[ResolvedHost]) -> str | None:
    return os.environ.get("SSH_AUTH_SOCK") if any(host.credential == hosts.AGENT for host in chosen) else None

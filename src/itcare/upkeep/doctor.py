"""Looks at this controller and hands what it finds to the judgements; changes nothing."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine

from itcare.access import list_scopes
from itcare.assess.policy import known_thresholds, rule_id
from itcare.contract.loader import LoadedContract, check_thresholds, survey_contracts
from itcare.core.clock import Clock
from itcare.core.errors import ItcareError, NotFoundError
from itcare.core.settings import Settings
from itcare.drive import rows
from itcare.drive.adopt import identify_spool
from itcare.drive.controller import read_clock_state
from itcare.drive.environment import clean_path
from itcare.drive.folder import RunFolder, driver_lives
from itcare.drive.spool import read_spool_header
from itcare.ledger.log import Ledger
from itcare.publish.firm_reader import FirmOverview
from itcare.publish.firm_schema import FIRM_FILE
from itcare.publish.reader import Snapshot
from itcare.store.engine import open_engine, read
from itcare.upkeep import programs, state
from itcare.upkeep.diagnosis import Diagnosis
from itcare.upkeep.vaults import judge_vaults

SPOOLS = "itcare-spool"
"""Folder below the current one in which the callback leaves the spools of plain playbook runs."""

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def examine(settings: Settings, clock: Clock, folder: Path) -> tuple[Diagnosis, ...]:
    """Everything that is missing or unsafe here. `folder`: the current one, where spools may lie."""
    contracts, about_contracts = _read_contracts(settings)
    needed = any(h.connection == "ssh" for c in contracts for h in c.contract.hosts_on(clock.now().date()))
    return (
        *_programs(contracts, ssh_needed=needed),
        *_home(settings),
        about_contracts,
        judge_vaults((settings.contracts,), os.geteuid()),
        *_database(settings, folder),
        _snapshots(settings),
    )


def _programs(contracts: list[LoadedContract], *, ssh_needed: bool) -> Iterator[Diagnosis]:
    yield programs.judge_python(sys.version_info[:3])
    for name in programs.PACKAGES:
        yield programs.judge_package(name, _version_of(name))
    yield programs.judge_playbook_program(_problem_of_path())
    yield programs.judge_sqlite(sqlite3.sqlite_version_info)
    found = {name: shutil.which(name, path=_SYSTEM_PATH) is not None for name in programs.PROGRAMS}
    yield programs.judge_programs(found, needed=ssh_needed)
    yield programs.judge_clock(read_clock_state())
    zones = {"Europe/Warsaw", *(loaded.contract.client.tz for loaded in contracts)}
    yield programs.judge_time_zones(sorted(zone for zone in zones if not _is_known(zone)))


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _problem_of_path() -> str | None:
    try:
        clean_path()
    except ItcareError as error:
        return f"{error.subject}: {error.why}"
    return None


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _home(settings: Settings) -> Iterator[Diagnosis]:
    home = settings.home
    try:
        status: os.stat_result | None = home.stat()
    except OSError:
        status = None
    yield state.judge_home(home, status, os.geteuid())
    if status is not None:
        yield state.judge_space(home, shutil.disk_usage(home).free)
        yield state.judge_keys(settings.keys)
        yield state.judge_credentials(home / "credentials", os.geteuid())


def _read_contracts(settings: Settings) -> tuple[list[LoadedContract], Diagnosis]:
    try:
        survey = survey_contracts(settings.contracts)
    except ItcareError as error:
        return [], state.judge_contracts(settings.contracts, 0, (), error)
    found = list(survey.contracts.values())
    problems = [str(problem) for problem in survey.problems]
    for loaded in found:
        problems += [str(problem) for problem in check_thresholds(loaded, known_thresholds(), rule_id)]
    return found, state.judge_contracts(settings.contracts, len(found), problems, None)


def _database(settings: Settings, folder: Path) -> Iterator[Diagnosis]:
    try:
        engine = open_engine(settings.database)
    except ItcareError as error:
        yield state.judge_database(error)
        return
    try:
        yield state.judge_database(None)
        with read(engine) as connection:
            waiting = rows.open_runs(connection)
        dead = [f"{row.client}/{row.number}" for row in waiting if not driver_lives(RunFolder(row.folder))]
        yield state.judge_runs(dead)
        yield state.judge_spools(_find_strangers(settings, engine, folder / SPOOLS))
    except ItcareError as error:  # a database that opened and cannot be read further
        yield state.judge_database(error)
    finally:
        engine.dispose()


def _find_strangers(settings: Settings, engine: Engine, folder: Path) -> list[Path]:
    """Spools that are no ledger's: neither adopted, nor those of a run that a driver announced."""
    headers = {path: header for path in sorted(folder.glob("*.jsonl")) if (header := read_spool_header(path))}
    unknown = {path: identify_spool(header) for path, header in headers.items() if header.run is None}
    if not unknown:
        return []
    ledger, adopted = Ledger(settings, engine), set()
    for log in ledger.logs():
        for entry in ledger.entries(log):
            spool = entry.event.get("spool")
            if isinstance(spool, dict):
                adopted.add(spool.get("header_sha256"))
    return [path for path, identity in unknown.items() if identity not in adopted]


def _snapshots(settings: Settings) -> Diagnosis:
    refused: list[tuple[str, ItcareError]] = []
    readable = 0
    for scope in list_scopes(settings.published):
        try:
            with Snapshot.open(scope) as snapshot:
                snapshot.check_files()
            readable += 1
        except ItcareError as error:
            refused.append((scope.code, error))
    try:
        FirmOverview.at(settings.published / FIRM_FILE).close()
        readable += 1
    except NotFoundError:
        pass  # nothing was published yet
    except ItcareError as error:
        refused.append(("firm", error))
    return state.judge_snapshots(refused, readable)

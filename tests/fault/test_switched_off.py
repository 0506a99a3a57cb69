"""A test of a defence is worth something only if it fails without it: here each defence is switched off alone.

Every case calls the scenario of a row of docs/faults.md, the very test function, twice: as it is, and with one
function or constant of the program replaced. The second call has to fail, and to say what would have got through.
"""

import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from itcare.core import names
from itcare.core.clock import read_instant
from itcare.core.words import Severity
from itcare.drive import alarms, environment, folder, importing, line, preflight, rows, spool
from itcare.ledger import batch, check, consistency, note
from itcare.ledger.verify import VerifierKey
from itcare.store import dialect
from itcare.upkeep import programs, restore, vaults
from tests.support.components import ROOT
from tests.support.driving import make_bench
from tests.support.ledgers import sample_ledger

type Switch = Callable[[pytest.MonkeyPatch], None]
type Arguments = Callable[[Path, ModuleType], Mapping[str, Any]]


@dataclass(frozen=True)
class Proof:
    """`row`: number in docs/faults.md. `scenario`: file below tests/ and function. `says`: part of the failure."""

    row: int
    defence: str
    scenario: str
    switch: Switch
    says: str
    arguments: Arguments = field(default=lambda _folder, _module: {})

    def __str__(self) -> str:
        return f"row {self.row}: {self.defence}"

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(f"tests.{self.scenario.partition('.py')[0].replace('/', '.')}")

    def play(self, folder: Path) -> None:
        """Call the scenario with a folder of its own."""
        folder.mkdir()
        function = getattr(self.module, self.scenario.rpartition("::")[2])
        given = dict(self.arguments(folder, self.module))
        if "tmp_path" in inspect.signature(function).parameters:
            given["tmp_path"] = folder / "own"
            given["tmp_path"].mkdir()
        function(**given)


def replace(target: object, name: str, value: object) -> Switch:
    return lambda monkeypatch: monkeypatch.setattr(target, name, value)


def nothing(*_: object, **__: object) -> None:
    """In the place of a check that raises."""


def count_leaf_only(_index: int, data: bytes, _stored: bytes, tree: Any) -> None:
    tree.replay.add(check.hash_leaf(data))


def read_wall_clock(event: Mapping[str, object]) -> float:
    return read_instant(str(event["at"])).timestamp()


def read_any_line(file: Any) -> Any:
    return iter(file)


def reuse_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make whatever is missing of a run's folder and take what is there."""
    real = Path.mkdir
    monkeypatch.setattr(folder.Path, "mkdir", lambda self, **how: real(self, **{**how, "exist_ok": True}))
    monkeypatch.setattr(folder.os, "posix_fallocate", nothing)
    opened = Path.open
    monkeypatch.setattr(folder.Path, "open", lambda self, mode="r": opened(self, mode.replace("x", "w")))


def configure_loosely(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = environment.ansible_configuration
    loose = lambda path: strict(path).partition("[inventory]")[0]  # noqa: E731 - one expression, used in the next line
    for module in (environment, importlib.import_module("itcare.drive.launch")):
        if hasattr(module, "ansible_configuration"):
            monkeypatch.setattr(module, "ansible_configuration", loose)


def trust_a_failed_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that appends forgets that its first try failed (tests/support/append_again.py)."""
    module = importlib.import_module("tests.fault.test_ledger_trouble")
    append = module.append_twice
    monkeypatch.setattr(module, "append_twice", lambda settings, folder: append(settings, folder, "trusting"))


def show_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("widgets"), "_harmless", lambda letter, _lines: letter)


def begin_deferred(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


def with_bench(folder: Path, _module: ModuleType) -> dict[str, Any]:
    (folder / "bench").mkdir()
    return {"bench": make_bench(folder / "bench")}


def with_drill(folder: Path, module: ModuleType, **more: Any) -> dict[str, Any]:
    (folder / "drill").mkdir()
    return {"drill": module.make_drill(folder / "drill"), **more}


def with_base(folder: Path, _module: ModuleType, name: str = "base", **more: Any) -> dict[str, Any]:
    (folder / "base").mkdir()
    ledger, log = sample_ledger(folder / "base")
    ledger.engine.dispose()
    return {name: (ledger.settings, log), **more}


def also(prepare: Callable[..., dict[str, Any]], **more: Any) -> Arguments:
    return lambda folder, module: {**prepare(folder, module), **more}


def given(**values: Any) -> Arguments:
    return lambda _folder, _module: values


PROOFS = [
    Proof(
        5, "a ledger whose write failed refuses to go on",
        "fault/test_ledger_trouble.py::test_a_failed_sync_is_never_followed_by_a_second_try_that_is_called_good",
        trust_a_failed_write, "ACK 1",
    ),
    Proof(
        7, "a writer takes the lock before it reads",
        "unit/store/test_engine.py::test_a_writer_waits_for_a_shorter_one_instead_of_failing_at_once",
        replace(dialect, "_begin", begin_deferred), "DID NOT RAISE",
    ),
    Proof(
        8, "a log is compared with its last checkpoint before the first append",
        "fault/test_ledger_trouble.py::test_nothing_is_written_to_a_damaged_ledger",
        replace(consistency, "require_extension", nothing), "DID NOT RAISE",
        lambda folder, module: with_base(folder, module, "sample", damage=module.flip_a_stored_hash),
    ),
    Proof(
        9, "the version of SQLite is judged",
        "unit/upkeep/test_doctor.py::test_an_sqlite_with_the_reset_bug_is_a_warning",
        replace(programs, "SQLITE_WITHOUT_RESET_BUG", (3,)), "warning",
        given(release=(3, 40, 1), severity=Severity.WARNING),
    ),
    Proof(
        9, "a checkpoint is made under the write lock",
        "fault/test_write_ahead_log.py::test_another_writer_makes_it_wait_for_the_next_commit",
        replace(dialect, "checkpoint_alone", lambda engine: dialect._checkpoint(engine)), "beside a writer",
    ),
    Proof(
        11, "only the owner of the leases writes",
        "unit/drive/test_drive_importing.py::test_an_owner_that_was_replaced_writes_nothing",
        replace(rows, "holds_leases", lambda *_: True), "DID NOT RAISE", with_bench,
    ),
    Proof(
        13, "lengths come from a clock that never jumps",
        "fault/test_clock_jumps.py::test_a_spool_keeps_order_and_durations_whatever_its_instants_say",
        replace(spool, "read_seconds", read_wall_clock), "Spool(header",
    ),
    Proof(
        20, "a key given twice is refused",
        "unit/drive/test_spool.py::test_a_bad_line_stops_the_reading_and_is_named",
        replace(line, "_DECODER", json.JSONDecoder(
            object_pairs_hook=dict, parse_constant=line._refuse_constant, parse_int=line._parse_integer,
            parse_float=line._parse_number,
        )), "duplicate_key", given(name="a key twice"),
    ),
    Proof(
        20, "values are looked at for what is no text",
        "unit/drive/test_spool.py::test_a_bad_line_stops_the_reading_and_is_named",
        replace(line, "_check_clean", nothing), "unclean_value", given(name="NUL"),
    ),
    Proof(
        21, "a line counts only with its line feed",
        "unit/drive/test_spool.py::test_a_file_cut_at_any_byte_counts_up_to_its_last_whole_line",
        replace(spool, "_read_lines", read_any_line), "assert",
    ),
    Proof(
        22, "events of the runner are compared with the spool",
        "unit/drive/test_drive_importing.py::test_a_forged_event_is_told_with_its_host_when_the_run_has_it",
        replace(alarms, "find_forged", lambda *_: ()), "forged_event", with_bench,
    ),
    Proof(
        25, "an inventory has a largest size",
        "unit/drive/test_drive_surroundings.py::test_too_little_space_and_too_large_an_inventory_are_refused",
        replace(preflight, "check_inventory", nothing), "DID NOT RAISE",
    ),
    Proof(
        26, "a name of a computer is one label",
        "security/test_hostile_contract.py::test_no_hostile_host_name_is_accepted",
        replace(names, "HOST_NAME", re.compile(".*", re.DOTALL)), "was accepted", given(name="../../x"),
    ),
    Proof(
        27, "a run's folder is made anew",
        "unit/drive/test_drive_surroundings.py::test_a_run_folder_is_fresh_and_closed_to_others",
        reuse_folder, "DID NOT RAISE",
    ),
    Proof(
        30, "an open vault file is explained",
        "fault/test_vault_files.py::test_an_open_vault_file_is_named",
        replace(vaults, "explain_vault", nothing), "Severity.OK",
        given(name=".vault_pass", text="secret", mode=0o644, problem="others may read"),
    ),
    Proof(
        31, "the signing key is looked at before it is used",
        "unit/ledger/test_note.py::test_a_key_that_others_may_read_is_refused",
        replace(note, "_require_private", nothing), "DID NOT RAISE", given(mode=0o640),
    ),
    Proof(
        32, "every leaf is looked at",
        "security/test_ledger_mutations.py::test_a_deleted_entry_is_named",
        replace(check, "_check_leaf", count_leaf_only), "None", with_base,
    ),
    Proof(
        33, "a checkpoint kept outside is compared",
        "unit/ledger/test_check.py::test_a_tail_cut_with_its_checkpoints_is_caught_only_by_one_held_elsewhere",
        replace(check, "_read_outside", nothing), "True",
    ),
    Proof(
        35, "the signature is computed",
        "unit/ledger/test_note.py::test_every_flipped_bit_of_a_signature_is_refused",
        replace(VerifierKey, "signed", lambda *_: True), "DID NOT RAISE",
    ),
    Proof(
        37, "a spool has to name its run",
        "unit/drive/test_drive_importing.py::test_the_spool_of_another_run_is_refused_whatever_its_name",
        replace(importing, "explain_foreign", nothing), "INCOMPLETE",
        also(with_bench, changes={"nonce": "cd" * 16}),
    ),
    Proof(
        37, "a run is closed once",
        "unit/drive/test_drive_importing.py::test_the_same_spool_counts_once",
        replace(importing, "_require_ownership", nothing), "DID NOT RAISE", with_bench,
    ),
    Proof(
        38, "each leaf has a salt",
        "unit/ledger/test_log.py::test_equal_events_give_different_leaves",
        replace(batch, "os", SimpleNamespace(urandom=bytes)), "50",
    ),
    Proof(
        40, "each file of a backup is compared with the signed list",
        "fault/test_restore_drill.py::test_a_mutilated_backup_is_refused_by_name",
        replace(restore, "require_files", nothing), "DID NOT RAISE",
        also(with_drill, name="another host key"),
    ),
    Proof(
        40, "a backup is compared with a checkpoint kept outside",
        "fault/test_restore_drill.py::test_a_backup_older_than_a_checkpoint_kept_outside_is_a_rollback",
        replace(restore, "_require_same_history", nothing), "DID NOT RAISE", with_drill,
    ),
    Proof(
        46, "text is shown without its control characters",
        "unit/dashboard/test_dashboard_widgets.py::test_plain_text_has_no_control_and_no_invisible_characters",
        show_as_it_is, "assert",
    ),
    Proof(
        52, "a group that is not there is an error",
        "e2e/test_drive_run.py::test_a_run_of_nothing_is_an_error",
        configure_loosely, "INCOMPLETE", with_bench,
    ),
]  # fmt: skip


def write_row(proof: Proof) -> str:
    """The line of docs/faults.md."""
    return f"| {proof.defence} | {proof.row} | `{proof.scenario}` |"


def test_the_page_lists_each_of_them() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    listed = page.partition("## Switched off by name")[2].partition("\n## ")[0].splitlines()
    assert [line for line in listed if ".py::" in line and line.startswith("|")] == [write_row(p) for p in PROOFS]
    assert len({proof.row for proof in PROOFS}) >= 10


@pytest.mark.parametrize(
    "proof", [pytest.param(p, marks=[pytest.mark.component("strace")] if p.row == 5 else []) for p in PROOFS], ids=str
)
def test_without_its_defence_the_scenario_fails(proof: Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof.play(tmp_path / "with")
    proof.switch(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
        proof.play(tmp_path / "without")
    assert proof.says in str(caught.value)

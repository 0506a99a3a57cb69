"""Reads contract files: bytes on disk in, a checked contract with its origin out."""

import hashlib
import re
import stat
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from itcare.contract.document import MAX_BYTES, Document, read_document
from itcare.contract.models import SCHEMA, Contract
from itcare.contract.origin import find_origin
from itcare.contract.problems import ContractError, KeyPath, Problem, plain, show_found
from itcare.contract.references import check_references
from itcare.contract.wording import validate
from itcare.core.errors import BadInputError, NotFoundError

_PREFIX = "itcare/contract/"
# In a file that is no YAML, the line that shows what it was meant to be.
_MEANT_AS_CONTRACT = re.compile(
    rb"""(?:^|[{,\xff\xfe\xbf])[ \t]*["']?schema["']?[ \t]*:[ \t]*["']?itcare/contract/""", re.M
)


@dataclass(frozen=True)
class LoadedContract:
    """A contract, where it comes from and exactly which text it is.

    `commit` is the last git commit that changed the file, None without one; `dirty` says that the file
    differs from it; `sha256` is of the file's bytes.
    """

    contract: Contract
    path: Path
    commit: str | None
    dirty: bool
    sha256: str
    document: Document = field(repr=False, compare=False)


@dataclass(frozen=True)
class ContractFolder:
    """What a folder of contracts holds: the usable ones by client code, and what is wrong with the others."""

    path: Path
    contracts: Mapping[str, LoadedContract]
    problems: tuple[Problem, ...]


def load_contract(path: Path) -> LoadedContract:
    """Read and check one contract file.

    Raises ContractError with every problem of the file, NotFoundError when it is not there.
    """
    data = _read_bytes(path)
    return _check(path, data, read_document(data, _shown(path)))


def survey_contracts(folder: Path) -> ContractFolder:
    """Read every `*.yml` and `*.yaml` of the folder that is a contract; a broken one does not hide the others.

    A YAML file without `schema: itcare/contract/…` at its top is no contract and is left alone.
    Two files for one client: neither counts, and both are named. Raises NotFoundError without the folder.
    """
    if not folder.is_dir():
        raise NotFoundError("read contracts", _shown(folder), "there is no such folder", "Name the folder.")
    found: dict[str, list[LoadedContract]] = {}
    problems: list[Problem] = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".yml", ".yaml") and p.is_file()):
        try:
            data = _read_bytes(path)
            document = _read_if_contract(path, data)
            if document is not None:
                loaded = _check(path, data, document)
                found.setdefault(loaded.contract.client.code, []).append(loaded)
        except ContractError as error:
            problems += error.problems
    for same in found.values():
        problems += _name_rivals(same)
    single = {code: same[0] for code, same in sorted(found.items()) if len(same) == 1}
    return ContractFolder(folder, single, tuple(problems))


def load_contracts(folder: Path) -> dict[str, LoadedContract]:
    """Every contract of the folder by client code; raises ContractError when any of them is wrong."""
    survey = survey_contracts(folder)
    if survey.problems:
        raise ContractError(_shown(folder), survey.problems)
    return dict(survey.contracts)


def load_client(folder: Path, code: str) -> LoadedContract:
    """The contract of one client, whatever is wrong with the contracts of others.

    Raises ContractError when the contract may be among the broken ones, else NotFoundError.
    """
    survey = survey_contracts(folder)
    if code in survey.contracts:
        return survey.contracts[code]
    if survey.problems:
        raise ContractError(_shown(folder), survey.problems)
    known = ", ".join(survey.contracts) or "none"
    raise NotFoundError(
        "find client", ascii(code[:40]), f"no contract in {_shown(folder)} has that code", f"Clients there: {known}."
    )


def check_thresholds(
    loaded: LoadedContract,
    known: Mapping[str, Collection[str]],
    rule_id: Callable[[str], str] = lambda spelling: spelling,
) -> tuple[Problem, ...]:
    """Thresholds of the contract that no rule reads; `known` maps each rule to its keys.

    `rule_id` gives the rule that a spelling means. The rules live in a room below this one, so the caller
    brings both along.
    """
    problems: list[Problem] = []
    thresholds = loaded.contract.thresholds
    for spelling, limits in thresholds.items():
        path: KeyPath = ("thresholds", spelling)
        rule = rule_id(spelling)
        if rule not in known:
            expected = f"a rule with thresholds: {', '.join(sorted(known))}"
            problems.append(loaded.document.problem(path, f'the rule "{spelling}"', expected, at_key=True))
            continue
        if rule != spelling and rule in thresholds:
            found, expected = f'the rule "{spelling}"', f"{rule} alone, which is the same rule and stands here too"
            problems.append(loaded.document.problem(path, found, expected, at_key=True))
        for key in limits:
            if key not in known[rule]:
                expected = f"a threshold of {rule}: {', '.join(sorted(known[rule])) or 'it has none'}"
                problems.append(loaded.document.problem((*path, key), f'the key "{key}"', expected, at_key=True))
    return tuple(problems)


def _shown(path: Path) -> str:
    return plain(str(path), 1000)


def _read_bytes(path: Path) -> bytes:
    """At most one byte more than a contract may have, from a regular file only (a pipe would hang)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInputError("read contract", _shown(path), "it is no regular file", "Name a YAML file.")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError("read contract", _shown(path), "there is no such file", "Name a file.") from None
    except OSError as error:
        raise BadInputError(
            "read contract", _shown(path), error.strerror or "it cannot be read", "Mend its permissions."
        ) from error


def _read_if_contract(path: Path, data: bytes) -> Document | None:
    """The file if it calls itself a contract; one that is no clean YAML is judged by its text."""
    try:
        document = read_document(data, _shown(path))
    except ContractError:
        if _MEANT_AS_CONTRACT.search(data.replace(b"\0", b"")) is not None:
            raise
        return None
    schema = document.tree.get("schema") if isinstance(document.tree, dict) else None
    return document if isinstance(schema, str) and schema.startswith(_PREFIX) else None


def _check(path: Path, data: bytes, document: Document) -> LoadedContract:
    _check_schema(document)
    contract, invalid = validate(document)
    problems = _sort([*document.problems, *_without_repeats(document, [*invalid, *check_references(document)])])
    if problems or contract is None:
        raise ContractError(_shown(path), problems)
    origin = find_origin(path, data)
    return LoadedContract(contract, path, origin.commit, origin.dirty, hashlib.sha256(data).hexdigest(), document)


def _check_schema(document: Document) -> None:
    """Without a known version nothing else in the file can be judged."""
    if not isinstance(document.tree, dict):
        problem = document.problem((), show_found(document.tree), f"keys with values, first of them schema: {SCHEMA}")
        raise ContractError(document.file, [problem])
    schema = document.tree.get("schema")
    if isinstance(schema, str) and schema.startswith(_PREFIX) and schema != SCHEMA:
        expected = f"{SCHEMA}, the only version that this itcare reads; rewrite the file or use the itcare it is for"
        raise ContractError(document.file, [document.problem(("schema",), show_found(schema), expected)])


def _without_repeats(document: Document, located: list[tuple[KeyPath, Problem]]) -> list[tuple[KeyPath, Problem]]:
    """One problem a place: what the reading has refused, or an earlier check, is not refused again."""
    told = {path for path, _ in document.problems}
    kept = []
    for path, problem in located:
        if path not in told:
            told.add(path)
            kept.append((path, problem))
    return kept


def _sort(located: list[tuple[KeyPath, Problem]]) -> list[Problem]:
    return sorted((problem for _, problem in located), key=lambda p: (p.line or 0, p.column or 0))


def _name_rivals(same: list[LoadedContract]) -> list[Problem]:
    """One problem a file when several claim one client."""
    if len(same) == 1:
        return []
    problems = []
    for loaded in same:
        others = ", ".join(str(other.path) for other in same if other is not loaded)
        expected = f"a code of its own, as {others} has it too"
        problems.append(loaded.document.problem(("client", "code"), show_found(loaded.contract.client.code), expected))
    return problems

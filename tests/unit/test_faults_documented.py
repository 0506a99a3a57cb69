"""docs/faults.md claims nothing without a test, and names no test that is not there."""

import ast
import re
from functools import cache

import pytest

from tests.support.components import ROOT

PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in PAGE.splitlines()
    if line.startswith("|") and not re.match(r"\|(---|\s*(No\.|Defence|Program) )", line)
]
NAMED = sorted(set(re.findall(r"`([\w/.]+\.py)::(\w+)`", PAGE)))


@cache
def functions_of(file: str) -> frozenset[str]:
    """The test functions of a file below tests/, those in classes included."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("file", "function"), NAMED, ids=[function for _, function in NAMED])
def test_every_named_test_is_there(file: str, function: str) -> None:
    assert function.startswith("test_")
    assert function in functions_of(file)


@pytest.mark.parametrize("row", ROWS, ids=[row[:40] for row in ROWS])
def test_every_row_names_a_test(row: str) -> None:
    assert re.search(r"`[\w/.]+\.py::test_\w+`", row)
    assert row.count("`") % 2 == 0


def test_each_fault_has_one_row() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    assert len(numbers) == len(set(numbers)) >= 23


def test_a_proof_stands_beside_the_test_that_it_proves() -> None:
    """Each defence names two tests: one that shows the harm, one that fails when the defence is away."""
    proofs = PAGE.partition("## Defences")[2]
    rows = [line for line in proofs.splitlines() if ".py::" in line]
    assert len(rows) >= 4
    for row in rows:
        assert len(set(re.findall(r"\.py::(\w+)", row))) == 2

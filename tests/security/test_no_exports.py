"""Nothing writes a file for a spreadsheet, in which a name such as `=cmd()` would be a formula.

An export that is to come needs an escaper of its own, tested on tests/support/corpus.py; until then these rules say
that there is none.
"""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.support.components import ROOT
from tests.support.dashboard import FOLDER

SOURCES = sorted([*FOLDER.rglob("*.py"), *(ROOT / "src" / "itcare").rglob("*.py")])
MODULES = {"csv", "openpyxl", "xlsxwriter", "xlwt", "odf", "pyexcel", "tablib", "defusedcsv"}
WRITERS = {"to_csv", "to_excel", "to_clipboard", "ExcelWriter", "download_button", "data_editor"}
KINDS = ("text/csv", "text/tab-separated-values", "spreadsheet", "ms-excel")


def exports(tree: ast.Module) -> list[str]:
    """Every import, call and content type by which a table could leave as a file."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or ""] if (node.module or "").partition(".")[0] in MODULES else []
        elif isinstance(node, ast.Attribute) and node.attr in WRITERS:
            found.append(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [kind for kind in KINDS if kind in node.value]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_writes_a_table_for_a_spreadsheet(path: Path) -> None:
    assert exports(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_the_pages_offer_no_download_of_their_tables() -> None:
    with (FOLDER / ".streamlit" / "config.toml").open("rb") as file:
        assert tomllib.load(file)["client"]["disableDataExport"] is True


@pytest.mark.parametrize(
    "source",
    [
        "import csv", "from csv import writer", "import openpyxl.utils", "frame.to_csv('x')", "pd.ExcelWriter('x')",
        "st.download_button('Save', data)", "Response(body, media_type='text/csv')",
    ],
)  # fmt: skip
def test_the_rule_notices_an_export(source: str) -> None:
    assert exports(ast.parse(source))

"""Rules of the dashboard that its source can be held to; each rule is shown to notice an offence."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from itcare.publish import rows
from itcare.publish.progress import HostStep
from tests.support.dashboard import FOLDER

SOURCES = sorted(FOLDER.rglob("*.py"))
MODULES = {path.stem for path in SOURCES} | {"views"}
# `rows` holds the types of what the reader answers.
STAFF_ONLY = {"itcare.publish.firm_reader", "itcare.publish.progress"}  # what lies across clients
STAFF_PAGES = {"clients", "running"}
ALLOWED_ITCARE = ("itcare.access", "itcare.publish.reader", "itcare.publish.rows", "itcare.core.")
OTHERS = {
    "streamlit", "pandas", "babel", "starlette", "collections", "dataclasses", "datetime", "functools", "gettext",
    "hmac", "io", "json", "logging", "os", "pathlib", "re", "signal", "sys", "threading", "typing",
    "unicodedata", "zoneinfo", "plotly",
}  # fmt: skip
# Reads files of the program; the same for every visitor.
CACHED_WITHOUT_CLIENT = {"catalogue", "_source"}
ONLY_IN_WIDGETS = {"code", "dataframe", "data_editor"}
NOWHERE = {
    "table", "write", "html", "metric", "json", "toast", "experimental_user", "iframe", "image", "link_button",
    "download_button", "file_uploader", "caption", "latex", "map", "chat_message", "data_editor",
}  # fmt: skip
MARKDOWN = {
    "title", "header", "subheader", "markdown", "info", "warning", "error", "success", "badge", "button", "page_link",
    "selectbox", "pills", "segmented_control", "dialog", "expander", "tabs", "Page", "navigation", "text_input",
}  # fmt: skip
DANGERS = (
    "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "new Function", "fetch(", "href", "src=",
)  # fmt: skip
_ROWS = {
    "row", "run", "host", "result", "task", "finding", "fact", "meta", "scene.meta", "file", "forecast", "measure",
    "change", "package", "client", "step", "trend.host", "row.change",
}  # fmt: skip
_TYPES = (
    rows.HostRow, rows.RunRow, rows.HostResultRow, rows.TaskRow, rows.FileRow, rows.FindingRow, rows.FactRow,
    rows.MeasureRow, rows.ForecastRow, rows.SoftwareRow, rows.SoftwareChangeRow, rows.TempRow, HostStep,
)  # fmt: skip
# What a computer or a person may have written: every field of these rows that holds text.
FREE_TEXT = {
    name
    for kind in _TYPES
    for name, hint in kind.__annotations__.items()
    if "str" in str(hint) or "object" in str(hint)
} | {"legal_name", "technician", "technician_phone", "deputy", "checkpoint", "ledger_message", "tree_root"}  # fmt: skip


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def foreign_imports(tree: ast.Module) -> list[str]:
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [
        name
        for name in names
        if not (
            name.startswith(ALLOWED_ITCARE) or name in STAFF_ONLY
            if name.partition(".")[0] == "itcare"
            else name.partition(".")[0] in OTHERS | MODULES
        )
    ]


def kept_state(tree: ast.Module) -> list[str]:
    """Module-level names that some function changes, and `global` statements."""
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    changing = {"append", "add", "update", "setdefault", "pop", "clear", "extend", "insert", "remove"}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found += node.names
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            found += [node.value.id] if isinstance(node.value, ast.Name) and node.value.id in names else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in changing:
            owner = node.func.value
            found += [owner.id] if isinstance(owner, ast.Name) and owner.id in names else []
    return found


def unsafe_caches(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
        if "cache" not in decorators or node.name in CACHED_WITHOUT_CLIENT:
            continue
        body = ast.unparse(node)
        first = node.args.args[0].arg if node.args.args else ""
        if first != "client_id" or "session_state" in body or "st.user" in body or "query_params" in body:
            found.append(node.name)
    return found


def streamlit_calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Calls of `st.NAME` and of `container.NAME` alike."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def is_of_streamlit(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in (
        "st",
        "left",
        "right",
        "st.sidebar",
    )


def free_text_in_markdown(tree: ast.Module) -> list[str]:
    """Free text put straight into a label; `widgets.host_label` lets only DNS labels through."""
    found = []
    for name, call in streamlit_calls(tree):
        if name not in MARKDOWN or not is_of_streamlit(call):
            continue
        cleaned = {
            id(inner)
            for node in ast.walk(call)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "widgets.host_label"
            for inner in ast.walk(node)
        }
        found += [
            ast.unparse(node)
            for node in ast.walk(call)
            if isinstance(node, ast.Attribute)
            and node.attr in FREE_TEXT
            and id(node) not in cleaned
            and ast.unparse(node.value) in _ROWS
        ]  # fmt: skip
    return found


def free_text_in_figures(tree: ast.Module) -> list[str]:
    """Text of a computer in a module that draws figures, other than inside `literal`: plotly reads markup."""
    if not any(isinstance(node, ast.Import) and "plotly" in ast.unparse(node) for node in tree.body):
        return []
    written_out = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "literal"
        for inner in ast.walk(node)
    }
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in FREE_TEXT
        and ast.unparse(node.value) in _ROWS
        and id(node) not in written_out
    ]


def across_clients(tree: ast.Module) -> set[str]:
    """Imports of what lies across clients."""
    return {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module in STAFF_ONLY
    } | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
         if alias.name in STAFF_ONLY}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "tree"), list(trees()), ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_a_module_of_the_dashboard_keeps_the_rules(path: Path, tree: ast.Module) -> None:
    assert not foreign_imports(tree)
    assert not kept_state(tree)
    assert not unsafe_caches(tree)
    assert not free_text_in_markdown(tree)
    assert not free_text_in_figures(tree)
    assert path.stem in STAFF_PAGES or not across_clients(tree)
    calls = {name for name, call in streamlit_calls(tree) if is_of_streamlit(call)}
    assert path.name == "figures.py" or "plotly_chart" not in calls
    assert not calls & NOWHERE
    assert path.name == "widgets.py" or not calls & ONLY_IN_WIDGETS
    assert "unsafe_allow_html" not in ast.unparse(tree)
    assert "exec(" not in ast.unparse(tree)


def test_messages_are_never_built_from_pieces() -> None:
    """The extractor would not find them, so nobody would translate them."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "trn", "mark"):
                assert not isinstance(node.args[0], ast.JoinedStr | ast.BinOp), f"{path.name}:{node.lineno}"


def test_there_is_no_folder_that_streamlit_would_serve_without_the_gate() -> None:
    assert not (FOLDER / "pages").exists()


def test_the_gate_comes_before_everything_else() -> None:
    tree = ast.parse((FOLDER / "app.py").read_text(encoding="utf-8"))
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    lines = [ast.unparse(statement) for statement in main.body]
    gate = next(place for place, line in enumerate(lines) if "gate.is_open()" in line)
    before = " ".join(lines[:gate])
    assert all(
        word not in before for word in ("list_scopes", "Snapshot", "permitted", "navigation", "ITCARE_PUBLISHED")
    )
    assert "return" in lines[gate]
    assert [ast.unparse(node) for node in tree.body][-1] == "main()"


def test_components_never_build_markup() -> None:
    for path in (FOLDER / "grids").glob("*.js"):
        source = path.read_text(encoding="utf-8")
        for danger in DANGERS:
            assert danger not in source, f"{danger} in {path.name}"


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (foreign_imports, "import itcare.store.engine"),
        (foreign_imports, "from itcare.ledger import log"),
        (foreign_imports, "import requests"),
        (kept_state, "SEEN = {}\ndef show():\n    SEEN['a'] = 1"),
        (kept_state, "SEEN = []\ndef show():\n    SEEN.append(1)"),
        (kept_state, "def show():\n    global seen"),
        (unsafe_caches, "@st.cache_data\ndef rows(month): return 1"),
        (unsafe_caches, "@st.cache_data\ndef rows(client_id): return st.session_state['client']"),
        (unsafe_caches, "@cache\ndef rows(client_id): return st.user.email"),
        (free_text_in_figures, "import plotly.graph_objects as go\ngo.Figure(go.Bar(x=[row.subject]))"),
        (across_clients, "from itcare.publish.firm_reader import FirmOverview"),
        (across_clients, "import itcare.publish.progress"),
        (free_text_in_markdown, "st.title(f'{host.name}: fine')"),
        (free_text_in_markdown, "st.error(row.message)"),
        (free_text_in_markdown, "st.button(tr('Run {run}', run=row.reason))"),
    ],
)  # fmt: skip
def test_the_rule_notices_an_offence(rule: object, source: str) -> None:
    assert rule(ast.parse(source))  # type: ignore[operator] # one of the functions above

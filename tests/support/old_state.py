"""The state that version 0.1 wrote, ready to be used, and the program of tomorrow, whose schema is newer."""

import re
import shutil
from pathlib import Path

from itcare.store.tables import REVISION
from tests.support.components import ROOT
from tests.support.installation import Installation

FIXTURE = ROOT / "tests" / "fixtures" / "v0.1"
CODE = "KRETA"
NEXT = f"{int(REVISION) + 1:04d}"
_MIGRATION = f'''"""A column and a table that no program has yet."""

from alembic import op

revision = "{NEXT}"
down_revision = "{REVISION}"


def upgrade() -> None:
    op.execute("ALTER TABLE run ADD COLUMN mood TEXT")
    op.execute("CREATE TABLE added (id INTEGER PRIMARY KEY) STRICT")
'''


def copy_old_state(folder: Path) -> Installation:
    """A copy of the fixture with the modes that git does not keep; the recovery key lies beside the state."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("state", "contracts"):
        shutil.copytree(FIXTURE / name, folder / name)
    shutil.copy(FIXTURE / "recovery.key", folder / "recovery.key")
    for path in (folder / "state", *(folder / "state").rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    settings = f'contracts = "{folder / "contracts"}"\norigin = "firm.example"\n'
    (folder / "state" / "itcare.toml").write_text(settings)
    return Installation(folder, folder / "contracts")


def copy_tomorrow(folder: Path) -> Path:
    """A copy of this program with one migration more; its folder, for PYTHONPATH and the dashboard."""
    for name in ("src", "dashboard", "collections"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    store = folder / "src" / "itcare" / "store"
    (store / "migrations" / "versions" / f"{NEXT}_tomorrow.py").write_text(_MIGRATION)
    tables = store / "tables.py"
    text, changed = re.subn(r'^REVISION = "\d+"$', f'REVISION = "{NEXT}"', tables.read_text(), flags=re.MULTILINE)
    assert changed == 1
    tables.write_text(text)
    return folder

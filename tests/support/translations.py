"""The messages that the dashboard's code asks for, found as the extractor of Babel finds them."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
CATALOGUE = DASHBOARD / "locale" / "pl" / "LC_MESSAGES" / "dashboard.po"
KEYWORDS = {"tr": None, "trn": (1, 2), "mark": None}

Message = str | tuple[str, ...]


def used_messages() -> dict[Message, list[str]]:
    """Every message in the code, with the places that use it."""
    found: dict[Message, list[str]] = {}
    for file, line, message, _, _ in extract_from_dir(
        DASHBOARD, method_map=[("**.py", "python")], keywords=KEYWORDS, comment_tags=()
    ):
        found.setdefault(message, []).append(f"{file}:{line}")
    return found


def catalogue() -> Catalog:
    """The Polish catalogue as written."""
    with CATALOGUE.open("rb") as source:
        return read_po(source, locale="pl", abort_invalid=True)

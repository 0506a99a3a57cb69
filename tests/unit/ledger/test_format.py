"""The frozen format: an old bundle still verifies, and the page about it names everything."""

import re
from pathlib import Path

import pytest

import itcare
from itcare.ledger import note, verify

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "ledger-v1.md").read_text(encoding="utf-8")
VECTOR = ROOT / "tests" / "vectors" / "ledger-v1"


def test_a_bundle_of_version_1_verifies_for_ever() -> None:
    report = verify.verify_bundle(VECTOR / "bundle", (VECTOR / "key.txt").read_text())
    assert report.problems == []
    assert (report.size, report.bodies, report.erased) == (12, 1, 1)
    assert report.root == "9c21cb8a4b8a6ebc933755c99ad0d601b522816960c0f869f10ec29da2ede8d8"


@pytest.mark.parametrize(
    "word",
    [
        verify.LEAF_PREFIX.decode().strip(),
        verify.BUNDLE_VERSION,
        verify.PROOF_HEADER,
        verify.MANIFEST,
        verify.ABOUT,
        verify.ENTRIES,
        verify.LAST_PROOF,
        verify.KEY_FILE,
        f"{verify.CHECKPOINTS}/",
        f"{verify.BODIES}/",
        f"{verify.ERASURES}/",
        f"{verify.MAX_NOTE_BYTES:,}",
        note.SIGNING_KEY,
        note.VERIFIER_KEY,
        note.RECOVERY_KEY,
    ],
)
def test_the_page_names_it(word: str) -> None:
    assert word in PAGE


def test_every_type_of_event_has_a_heading() -> None:
    headings = set(re.findall(r"^### (\S+)$", PAGE, re.MULTILINE))
    used = set()
    for path in Path(itcare.__file__).parent.rglob("*.py"):
        used |= set(re.findall(r'"type": "([a-z]+\.[a-z]+|publication)"', path.read_text(encoding="utf-8")))
    assert {"firm.initialised", "client.enrolled", "client.added"} <= used
    assert used <= headings

"""Through the command line: the state of version 0.1 under a newer program, from the refusal to the page."""

from pathlib import Path

from itcare.store.tables import REVISION
from tests.support.components import ROOT
from tests.support.dashboard import serving
from tests.support.installation import Installation
from tests.support.old_state import CODE, FIXTURE, NEXT, copy_old_state, copy_tomorrow
from tests.support.portal_client import ask

CHECKPOINT = FIXTURE / "bundle" / "checkpoints" / "000000000014.txt"


def read_everything(place: Installation, code: Path) -> None:
    """Ledger, runs, findings and the page of one run, as the commands and the real server show them."""
    told = place.run("verify", CODE, "--against", str(CHECKPOINT)).stdout
    assert "14 entries, every one signed" in told
    runs = place.json("runs", CODE)
    assert [(run["number"], run["state"]) for run in runs] == [(number, "partial") for number in (3, 2, 1)]
    findings = {row["rule"]: row["status"] for row in place.json("findings", CODE) if row["host"] == "pc01"}
    assert findings["disk.free"] == "fail"
    assert "published" in place.run("publish", CODE).stdout
    with serving(place.home, code=code) as server:
        query = {"token": server.token, "client": CODE, "lang": "en"}
        page = ask(server.base, query)
        shown = {run: ask(server.base, {**query, "run": run}, page_hash=page.pages["worklog"]).text for run in "39"}
    assert "Kreta Example" in page.text
    assert [f"{CODE}/{run}" in text for run, text in shown.items()] == [True, False]  # there is no ninth


def test_this_program_reads_it_or_names_the_upgrade(tmp_path: Path) -> None:
    place = copy_old_state(tmp_path / "place")
    first = place.run("verify", accept=(0, 6))
    if first.returncode == 6:
        assert "itcare upgrade" in first.stderr
    assert ("Nothing to do" in place.run("upgrade").stdout) == (first.returncode == 0)
    assert (place.home / "backups").exists() == (first.returncode == 6)
    read_everything(place, ROOT)


def test_the_program_of_tomorrow_refuses_upgrades_after_a_backup_and_reads_it(tmp_path: Path) -> None:
    place = copy_old_state(tmp_path / "place")
    place.run("upgrade")  # to the schema of this program, where 0.1 had another
    before = set((place.home / "backups").glob("*")) if (place.home / "backups").exists() else set()
    code = copy_tomorrow(tmp_path / "tomorrow")
    place.environment["PYTHONPATH"] = str(code / "src")

    for command in (["verify"], ["runs", CODE], ["findings", CODE], ["publish", CODE]):
        refused = place.run(*command, accept=(6,))
        assert f"its version is {REVISION}, this program knows {NEXT}" in refused.stderr
        assert "itcare upgrade" in refused.stderr
        assert refused.stdout == ""
    found = {row["check"]: row for row in place.json("doctor", accept=(1,))}
    assert "itcare upgrade" in found["database"]["remedy"]

    told = place.run("upgrade").stdout
    assert f"from schema {REVISION} to {NEXT}, and every log verifies" in told
    (backup,) = set((place.home / "backups").glob("*")) - before
    assert f"The backup made before is in {backup}" in told
    read_everything(place, code)

    # the way back: the older program restores the backup and finds nothing missing
    del place.environment["PYTHONPATH"]
    refused = place.run("verify", accept=(6,))
    assert "newer" in refused.stderr
    place.run("restore", str(backup), "--into", str(tmp_path / "old"), "--against", str(CHECKPOINT))
    older = {"ITCARE_HOME": str(tmp_path / "old")}
    assert "14 entries, every one signed" in place.run("verify", CODE, extra=older).stdout


def test_without_the_backup_there_is_no_upgrade(tmp_path: Path) -> None:
    """A backup that cannot be made, here for want of the signing key, leaves the database as it was."""
    place = copy_old_state(tmp_path / "place")
    place.run("upgrade")
    (place.home / "keys" / "signing.key").unlink()
    before = (place.home / "itcare.sqlite").read_bytes()
    place.environment["PYTHONPATH"] = str(copy_tomorrow(tmp_path / "tomorrow") / "src")
    assert "signing key" in place.run("upgrade", accept=(6,)).stderr
    assert (place.home / "itcare.sqlite").read_bytes() == before

"""The proof bundle, checked by a copy of verify.py that knows nothing of itcare."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from itcare.core.errors import BadInputError, UnsafeError, UnsoundError
from itcare.ledger import verify
from itcare.ledger.bundle import export_proof
from itcare.ledger.checkpoint import make_checkpoint
from itcare.ledger.log import Ledger, LogRef
from itcare.ledger.note import SIGNING_KEY, VERIFIER_KEY, Signer, load_signer
from tests.support.ledgers import attacker, copy_home, fill, fit_head, open_ledger, sample_ledger


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A bundle of a log with one lawfully erased body, and the key to pin."""
    folder = tmp_path_factory.mktemp("made")
    ledger, log = sample_ledger(folder)
    erase(ledger, log, 2)
    yield export_proof(ledger, log, folder / "bundle"), str(ledger.verifier_key(log))


def erase(ledger: Ledger, log: LogRef, entry: int) -> str:
    """Remove the body of an entry, on record in the firm's log."""
    digest = list(ledger.entries(log))[entry].event["who"]
    assert isinstance(digest, str)
    with attacker(ledger.settings.database) as connection:
        connection.execute("DELETE FROM body WHERE digest = ?", (digest,))
    firm = ledger.firm_log()
    with ledger.append(firm) as batch:
        batch.add({"type": "body.erased", "client": log.client, "digest": digest})
    ledger.sign(firm)
    return digest


@pytest.fixture
def bundle(made: tuple[Path, str], tmp_path: Path) -> Path:
    return shutil.copytree(made[0], tmp_path / "bundle")


def run_alone(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of verify.py alone in an empty folder, with an interpreter that cannot see itcare."""
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(verify.__file__, empty / "verify.py")
    command = [sys.executable, "-I", "verify.py", *arguments]
    return subprocess.run(command, cwd=empty, capture_output=True, text=True, timeout=60, check=False)


def test_a_copy_of_the_verifier_alone_finds_it_sound(made: tuple[Path, str], tmp_path: Path) -> None:
    done = run_alone(tmp_path, str(made[0]), "--key", made[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SOUND: firm.example/client/1/")
    assert "12 entries" in done.stdout
    assert "bodies: 1, erased on record: 1" in done.stdout
    assert "NOT PINNED" not in done.stdout


def test_without_a_key_it_prints_the_one_to_compare(made: tuple[Path, str], tmp_path: Path) -> None:
    done = run_alone(tmp_path, str(made[0]))
    assert done.returncode == 0
    assert "NOT PINNED" in done.stdout
    assert made[1] in done.stdout.splitlines()


def test_the_bundles_own_copy_runs_inside_it_and_leaves_it_sound(bundle: Path) -> None:
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "verify.py", "."], cwd=bundle, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["/nowhere"], ["verify.py"], [".", "--key", "nonsense"], [".", "--key", "x+00000000+AAAA"], [".", "-z"]],
)
def test_an_unusable_call_ends_with_two(tmp_path: Path, arguments: list[str]) -> None:
    done = run_alone(tmp_path, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("pinned", [True, False])
def test_an_empty_folder_is_unsound(tmp_path: Path, made: tuple[Path, str], pinned: bool) -> None:
    (tmp_path / "nothing").mkdir()
    done = run_alone(tmp_path, str(tmp_path / "nothing"), *(["--key", made[1]] if pinned else []))
    assert done.returncode == 1
    assert "verifier-key.txt: missing" in done.stdout
    assert not pinned or "MANIFEST: missing" in done.stdout


def problems(bundle: Path, key: str | None) -> list[str]:
    return verify.verify_bundle(bundle, key).problems


def names(bundle: Path) -> list[str]:
    return sorted(path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file())


def test_any_changed_byte_of_any_file_is_named(made: tuple[Path, str], bundle: Path) -> None:
    for name in names(bundle):
        path = bundle / name
        original = path.read_bytes()
        for number, place in enumerate(range(0, len(original), max(1, len(original) // 8))):
            for changed in {original[place] ^ 1, original[place] ^ 0x20, 0x0A} - {original[place]}:
                path.write_bytes(original[:place] + bytes([changed]) + original[place + 1 :])
                found = problems(bundle, made[1] if number % 2 else None)
                assert any(name in problem for problem in found), (name, place, changed, found)
        path.write_bytes(original)
    assert problems(bundle, made[1]) == []


def test_any_byte_added_or_taken_and_any_file_removed_is_named(made: tuple[Path, str], bundle: Path) -> None:
    for name in names(bundle):
        path = bundle / name
        original = path.read_bytes()
        for changed in (original + b"\n", original + b" ", b"\n" + original, original[:-1], original[1:], b""):
            path.write_bytes(changed)
            for key in (made[1], None):
                found = problems(bundle, key)
                assert any(name in problem for problem in found), (name, changed[:20], found)
        path.unlink()
        for key in (made[1], None):
            found = problems(bundle, key)
            assert any(name in problem and "missing" in problem for problem in found), (name, found)
        path.write_bytes(original)
    assert problems(bundle, made[1]) == []


def test_a_changed_entry_is_named_by_number(made: tuple[Path, str], bundle: Path) -> None:
    path = bundle / "entries.txt"
    path.write_bytes(path.read_bytes().replace(b'"run":2', b'"run":9', 1))
    assert any(problem.startswith("entry 3: changed") for problem in problems(bundle, made[1]))


def test_an_entry_line_in_another_spelling_is_named(made: tuple[Path, str], bundle: Path) -> None:
    path = bundle / "entries.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    number, leaf_hash, salt, event = lines[5].split(b" ", 3)
    for spelling in (
        b" ".join((number, leaf_hash, salt.upper(), event)),
        b" ".join((b"05", leaf_hash, salt, event)),
        b"  ".join((number, leaf_hash, salt, event)),
        lines[5][:-1] + b"\r\n",
    ):
        path.write_bytes(b"".join([*lines[:5], spelling, *lines[6:]]))
        assert any(problem.startswith("entry 5") for problem in problems(bundle, made[1]))


def test_cut_swapped_and_doubled_entries_are_named(made: tuple[Path, str], bundle: Path) -> None:
    path = bundle / "entries.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    cases = {
        "entry 11: missing": lines[:11],
        "entry 4:": [*lines[:4], lines[5], lines[4], *lines[6:]],
        "entry 7:": [*lines[:7], lines[6], *lines[7:]],
        "entry 12:": [*lines, lines[11]],
    }
    for expected, changed in cases.items():
        path.write_bytes(b"".join(changed))
        assert any(problem.startswith(expected) for problem in problems(bundle, made[1])), expected


def test_a_missing_body_is_named_with_its_entry(made: tuple[Path, str], bundle: Path) -> None:
    path = next((bundle / "bodies").iterdir())
    path.unlink()
    assert any(
        f"body {path.stem} of entry" in problem and "missing" in problem for problem in problems(bundle, made[1])
    )


def test_another_file_or_link_in_the_folder_is_named(made: tuple[Path, str], bundle: Path) -> None:
    (bundle / "bodies" / "extra\x1b[31m.json").write_text("{}")
    (bundle / "link").symlink_to("README.txt")
    found = problems(bundle, made[1])
    assert any("extra" in problem and "does not belong" in problem for problem in found)
    assert any("link" in problem for problem in found)
    assert not any("\x1b" in problem for problem in found)


def remake_manifest(bundle: Path, signer: Signer, origin: str) -> None:
    """List the files as they are now and sign that, as whoever holds `signer` can."""
    (bundle / "MANIFEST").unlink(missing_ok=True)
    lines = [verify.BUNDLE_VERSION, origin]
    lines += [f"{verify.hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}" for name in names(bundle)]
    (bundle / "MANIFEST").write_bytes(signer.sign("\n".join(lines) + "\n", origin))


def test_a_bundle_signed_anew_with_another_key_fails_against_the_right_one(
    made: tuple[Path, str], bundle: Path, tmp_path: Path
) -> None:
    thief = Signer.generate()
    origin = json.loads((bundle / "about.json").read_text())["origin"]
    path = bundle / "entries.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    _, _, salt, event = lines[3].split(b" ", 3)
    leaf = verify.LEAF_PREFIX + bytes.fromhex(salt.decode()) + event[:-1].replace(b'"run":2', b'"run":9')
    lines[3] = b"3 %s %s %s\n" % (verify.hash_leaf(leaf).hex().encode(), salt, leaf[31:])
    path.write_bytes(b"".join(lines))
    replay, hashes = verify.Replay(), []
    for _, leaf_hash, _, wrong in verify.read_entries(lines):
        assert wrong is None
        replay.add(leaf_hash)
        hashes.append(leaf_hash)
        checkpoint = bundle / "checkpoints" / verify.checkpoint_name(replay.size)
        if checkpoint.exists():
            last = make_checkpoint(thief, origin, replay.size, replay.root()).text
            checkpoint.write_text(last)
    from itcare.ledger.merkle import prove_inclusion

    (bundle / verify.LAST_PROOF).write_bytes(verify.write_proof(11, prove_inclusion(hashes, 11), last))
    (bundle / "verifier-key.txt").write_text(f"{thief.verifier_key(origin)}\n")
    for proof in (bundle / "erasures").glob("*.tlog-proof"):
        head, _, text = proof.read_text().partition("\n\n")
        firm, size, root = text.split("\n")[:3]
        again = make_checkpoint(thief, firm, int(size), verify.base64.b64decode(root)).text
        proof.write_text(f"{head}\n\n{again}")
    remake_manifest(bundle, thief, origin)
    assert problems(bundle, None) == []  # sound in itself: that is why the key has to come from outside
    done = run_alone(tmp_path, str(bundle), "--key", made[1])
    assert done.returncode == 1
    assert "not the key you gave" in done.stdout


def test_a_second_signature_line_in_the_manifest_is_named(made: tuple[Path, str], bundle: Path) -> None:
    stranger = Signer.generate().sign("x\n", "stranger.example").rpartition(b"\n\n")[2]
    with (bundle / "MANIFEST").open("ab") as file:
        file.write(stranger)
    assert [problem for problem in problems(bundle, made[1]) if problem.startswith("MANIFEST")]


def test_an_entry_changed_by_the_holder_of_the_key_lies_between_two_checkpoints(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    bundle = export_proof(ledger, log, tmp_path / "bundle")
    path = bundle / "entries.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    _, _, salt, event = lines[5].split(b" ", 3)
    leaf = verify.LEAF_PREFIX + bytes.fromhex(salt.decode()) + event[:-1].replace(b'"run":1', b'"run":9')
    lines[5] = b"5 %s %s %s\n" % (verify.hash_leaf(leaf).hex().encode(), salt, leaf[31:])
    path.write_bytes(b"".join(lines))
    remake_manifest(bundle, load_signer(ledger.settings.keys), log.origin)
    found = problems(bundle, str(ledger.verifier_key(log)))
    assert found[0].startswith("entries 4 to 7: one of them differs")
    assert not any("changed" in problem for problem in found)


def test_an_erasure_of_the_same_digest_for_another_client_does_not_get_in_the_way(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    digest = erase(ledger, log, 2)
    firm = ledger.firm_log()
    with ledger.append(firm) as batch:
        batch.add({"type": "body.erased", "client": "NORD", "digest": digest})
    ledger.sign(firm)
    assert verify.verify_bundle(export_proof(ledger, log, tmp_path / "bundle")).erased == 1


def test_erasure_proofs_of_something_else_are_refused(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    first, second = erase(ledger, log, 2), erase(ledger, log, 7)
    bundle = export_proof(ledger, log, tmp_path / "bundle")
    signer = Signer.generate()
    for kind in ("entry", "tlog-proof"):
        shutil.copy(bundle / "erasures" / f"{first}.{kind}", bundle / "erasures" / f"{second}.{kind}")
    found = problems(bundle, str(ledger.verifier_key(log)))
    assert any(f"body {second}" in problem and "something else" in problem for problem in found)
    proof = bundle / "erasures" / f"{second}.tlog-proof"
    head, _, text = proof.read_text().partition("\n\n")
    origin, size, root = text.split("\n")[:3]
    proof.write_text(head + "\n\n" + make_checkpoint(signer, origin, int(size), verify.base64.b64decode(root)).text)
    assert any(f"body {second}" in problem for problem in problems(bundle, None))


def test_nothing_of_another_client_is_in_the_bundle(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    stranger = ledger.client_log("NORD", "Charlie Canary Ltd")
    fill(ledger, stranger, 6, person="charlie-canary")
    with ledger.append(stranger) as batch:
        batch.add({"type": "run.host", "host": "charlie-canary", "detail": batch.body({"x": "charlie-canary"})})
    ledger.sign(stranger)
    digest = erase(ledger, stranger, 2)
    erase(ledger, log, 2)
    bundle = export_proof(ledger, log, tmp_path / "bundle")
    with ledger.engine.connect() as connection:
        salt = connection.exec_driver_sql("SELECT body_salt FROM log WHERE id = ?", (stranger.id,)).scalar_one()
    canaries = [b"canary", b"Canary", b"NORD", b"/client/2/", digest.encode(), salt, salt.hex().encode()]
    everything = b"".join(name.encode() + (bundle / name).read_bytes() for name in names(bundle))
    assert not [canary for canary in canaries if canary in everything]
    assert (bundle / "verify.py").read_bytes() == Path(verify.__file__).read_bytes()
    private = [ledger.settings.keys / SIGNING_KEY, tmp_path / "recovery.key"]
    assert not any(path.read_bytes().splitlines()[1] in everything for path in private)


def test_what_is_there_already_is_never_written_over(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("keep me")
    (tmp_path / "file").write_text("keep me too")
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    for name in ("full", "file", "dangling", "link", "missing/out"):
        with pytest.raises(BadInputError, match="new folder"):
            export_proof(ledger, log, tmp_path / name)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]
    assert list((tmp_path / "empty").iterdir()) == []
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_folder_is_filled_and_stays_the_folder_that_it_was(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    before = out.stat()
    assert export_proof(ledger, log, out) == out
    after = out.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert verify.verify_bundle(out, str(ledger.verifier_key(log))).problems == []
    assert not list(out.glob(".*"))
    with pytest.raises(BadInputError, match="not empty"):
        export_proof(ledger, log, out)


def test_a_file_put_into_the_empty_folder_meanwhile_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, log = sample_ledger(tmp_path)
    out = tmp_path / "out"
    out.mkdir()

    def check_slowly(*arguments: object) -> None:
        (out / "README.txt").write_text("mine")

    monkeypatch.setattr("itcare.ledger.bundle._require_sound", check_slowly)
    with pytest.raises(UnsafeError, match="meanwhile"):
        export_proof(ledger, log, out)
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("README.txt", "mine")]


def test_an_unsound_log_is_not_exported(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with attacker(ledger.settings.database) as connection:
        connection.execute(
            "UPDATE leaf SET bytes = CAST(replace(plain(bytes), 'run.closed', 'run.closet') AS BLOB) WHERE idx = 3"
        )
    with pytest.raises(UnsoundError, match="entry 3"):
        export_proof(ledger, log, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnsoundError, match="entry 3"):
        export_proof(ledger, log, tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_entries_beyond_the_last_checkpoint_wait_for_the_next_bundle(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    with ledger.append(log) as batch:
        batch.add({"type": "a.b"})
    bundle = export_proof(ledger, log, tmp_path / "out")
    assert verify.verify_bundle(bundle, str(ledger.verifier_key(log))).size == 12


def test_a_checkpoint_that_the_client_kept_catches_a_history_written_anew(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    key = str(ledger.verifier_key(log))
    kept = tmp_path / "kept.txt"
    kept.write_text(ledger.latest_checkpoint(log).text)
    fill(ledger, log, 2)
    bundle = export_proof(ledger, log, tmp_path / "grown")
    assert run_alone(tmp_path, str(bundle), "--key", key, "--held", str(kept)).returncode == 0

    with attacker(ledger.settings.database) as connection:  # the holder of the key cuts, and grows another tail
        connection.execute("DELETE FROM leaf WHERE log_id = ? AND idx >= 8", (log.id,))
        fit_head(connection, log.id)
        connection.execute("UPDATE log SET signed_size = 0 WHERE id = ?", (log.id,))
    for path in (ledger.settings.home / "checkpoints" / str(log.id)).iterdir():
        if int(path.stem) > 8:
            path.unlink()
    short = export_proof(open_ledger(ledger.settings), log, tmp_path / "short")
    assert verify.verify_bundle(short, key).problems == []
    assert verify.verify_bundle(short, key, kept.read_bytes()).problems == [
        "entry 8: missing, the checkpoint you hold signed 12 entries"
    ]
    fill(open_ledger(ledger.settings), log, 6)
    anew = export_proof(open_ledger(ledger.settings), log, tmp_path / "anew")
    assert verify.verify_bundle(anew, key).problems == []
    (problem,) = verify.verify_bundle(anew, key, kept.read_bytes()).problems
    assert problem == "entries 0 to 11: not those of the checkpoint you hold"
    assert verify.verify_bundle(anew, key, b"nonsense").problems


def test_a_hostile_bundle_cannot_steer_the_terminal_or_make_the_verifier_wait(
    bundle: Path, tmp_path: Path, made: tuple[Path, str]
) -> None:
    (bundle / "checkpoints" / "\x1b]0;x\x07\u202e.txt").write_text("x")
    (bundle / "entries.txt").unlink()
    os.mkfifo(bundle / "entries.txt")
    (bundle / "verifier-key.txt").unlink()
    os.mkfifo(bundle / "verifier-key.txt")
    done = run_alone(tmp_path, str(bundle), "--key", made[1])
    assert done.returncode == 1
    assert "entries.txt: not a regular file" in done.stdout
    assert all(" " <= c <= "~" for c in done.stdout.replace("\n", ""))


def test_the_firms_own_log_can_be_exported_too(tmp_path: Path) -> None:
    ledger, _ = sample_ledger(tmp_path)
    firm = ledger.firm_log()
    report = verify.verify_bundle(export_proof(ledger, firm, tmp_path / "out"), str(ledger.verifier_key(firm)))
    assert (report.problems, report.size) == ([], 2)


def test_a_copied_installation_under_another_key_is_told_apart(tmp_path: Path) -> None:
    ledger, log = sample_ledger(tmp_path)
    right = str(ledger.verifier_key(log))
    ledger.engine.dispose()
    (tmp_path / "copy").mkdir()
    settings = copy_home(ledger.settings, tmp_path / "copy")
    thief = Signer.generate()
    (settings.keys / SIGNING_KEY).write_bytes(thief.to_pem())
    (settings.keys / VERIFIER_KEY).write_text(str(thief.verifier_key(log.origin)))
    shutil.rmtree(settings.home / "checkpoints")
    with attacker(settings.database) as connection:
        connection.execute("UPDATE log SET signed_size = 0")
    copied = open_ledger(settings)
    copied.sign(log)
    bundle = export_proof(copied, log, tmp_path / "out")
    assert problems(bundle, None) == []
    assert problems(bundle, right)

"""Known secrets are replaced before anything is cut, and a list of them that cannot be trusted ends the run."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.collection import import_plugin_util

redaction = import_plugin_util("_spool.redaction")
reduction = import_plugin_util("_spool.reduction")
arguments = import_plugin_util("_spool.arguments")
writer = import_plugin_util("_spool.writer")

SECRET = "correct-horse-battery"
KNOWN = redaction.Redaction([SECRET])
FOREIGN = "ansible.builtin.command"


def reduce(result, known=KNOWN):
    return json.loads(reduction.reduce_result(result, FOREIGN, False, known)[0])


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["stdout", "msg"]))
def test_a_value_is_replaced_wherever_it_stands(before, after, key):
    told = json.dumps(reduce({key: f"{before}{SECRET}{after}", "warnings": [SECRET], "results": {SECRET: 1}}))
    assert SECRET not in told
    assert redaction.MARK in told


def test_without_known_values_the_same_result_would_hold_it():
    assert SECRET in json.dumps(reduce({"stdout": f"a {SECRET} b"}, redaction.NOTHING))


@pytest.mark.parametrize("start", [0, 4095, 4096 - len(SECRET) // 2, 4096 - len(SECRET), 5000])
@pytest.mark.parametrize("earlier", [0, 50])
def test_no_part_of_a_value_stays_at_the_cut_of_a_long_text(start, earlier):
    """Each earlier mark is shorter than its value, so what lies behind the cut moves into the head."""
    text = SECRET * earlier + "x" * start + SECRET + "y" * 20_000
    cut = reduce({"stdout": text})["stdout"]["_cut"]
    assert len(cut["head"]) == 4096
    assert cut["head"] == text.replace(SECRET, redaction.MARK)[:4096]
    assert cut["sha256"] == sha256(text.encode()).hexdigest()


def test_a_value_that_holds_another_one_is_replaced_whole():
    known = redaction.Redaction(["12345678", "abc12345678def"])
    assert known.apply("abc12345678def 12345678") == "<redacted> <redacted>"


def test_the_digest_of_an_omitted_value_that_is_a_secret_is_left_out():
    quoted = 'quote"back\\slash'
    known = redaction.Redaction([SECRET, quoted])
    omitted = reduce({"token": SECRET, "deep": {"a": [quoted]}, "other": "fine"}, known)["omitted"]
    nothing = {"bytes": None, "sha256": None}
    assert (omitted["token"], omitted["deep"]) == (nothing, nothing)
    assert omitted["other"]["sha256"]


def test_arguments_on_the_allow_list_are_redacted_too():
    selected = arguments.select_arguments("ansible.builtin.stat", {"path": "x" * 1015 + SECRET}, KNOWN)
    assert selected == {"path": ("x" * 1015 + redaction.MARK)[:1024]}


def secrets_file(folder, content, mode=0o600):
    path = folder / "secrets"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_a_private_file_gives_one_value_a_line(tmp_path):
    known = redaction.read_redaction(secrets_file(tmp_path, f"{SECRET}\r\n\n  spaced value \n".encode()))
    assert known.apply(f"{SECRET}|  spaced value |x") == "<redacted>|<redacted>|x"
    assert redaction.read_redaction(None) is redaction.NOTHING


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (b"long enough\n", 0o640, "mode 0600"),
        (b"long enough\n", 0o604, "mode 0600"),
        (b"short\n", 0o600, "fewer than 8"),
        (b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", 0o600, "not UTF-8"),
        (b"x" * (1024 * 1024 + 1), 0o600, "more than"),
    ],
    ids=["group", "others", "short", "encoding", "large"],
)
def test_a_file_that_cannot_be_trusted_or_used_is_refused_without_its_content(tmp_path, content, mode, why):
    with pytest.raises(writer.SpoolError, match=why) as caught:
        redaction.read_redaction(secrets_file(tmp_path, content, mode))
    assert "short" not in str(caught.value)


def test_a_missing_file_a_link_and_a_folder_are_refused(tmp_path):
    (tmp_path / "link").symlink_to(secrets_file(tmp_path, b"long enough\n"))
    for name in ("missing", "link", "."):
        with pytest.raises(writer.SpoolError, match="ITCARE_SECRETS"):
            redaction.read_redaction(str(tmp_path / name))

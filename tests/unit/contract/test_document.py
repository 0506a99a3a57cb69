"""The reader knows one meaning of a text, or none."""

import time

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from itcare.contract import document
from itcare.contract.document import MAX_BYTES, MAX_DEPTH, read_document
from itcare.contract.problems import ContractError

# What YAML 1.1, YAML 1.2 and a human do not read alike; each is fine in quotes.
TWO_FACED = [
    "12:00", "09:00", "1:30:15", "0000000000", "010", "08", "0x1F", "0o17", "0b11", "1_000", "+5", "1e3", "1.", ".5",
    "1.5e3", ".inf", "-.INF", ".nan", "yes", "Yes", "NO", "on", "Off", "True", "FALSE", "y", "N", "Null", "NULL", "=",
    "<<", "2026-01-05 10:00:00", "2026-01-05T10:00:00Z", "2026-02-30", "12345678901234567890",
]  # fmt: skip


@pytest.mark.parametrize("text", TWO_FACED)
def test_it_refuses_a_scalar_that_programs_read_differently(text):
    read = read_document(f"a: {text}\n".encode(), "x.yml")
    assert [(p.line, p.key) for _, p in read.problems] == [(1, "a")]
    assert f"{text} without quotes" in read.problems[0][1].found


@pytest.mark.parametrize("text", TWO_FACED)
def test_in_quotes_it_is_text(text):
    read = read_document(f"a: \"{text}\"\nb: '{text}'\n".encode(), "x.yml")
    assert read.tree == {"a": text, "b": text}
    assert read.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "v1",
        "pl-2026.1",
        "Europe/Warsaw",
        "1 234,50",
        "12h",
        "2001:db8::1",
        "a:b",
        "2026-1-5",
        "ü",
        "on-site",
    ],
)
def test_plain_words_need_no_quotes(text):
    assert read_document(f"a: {text}\n".encode(), "x.yml").tree == {"a": text}


def test_it_names_the_number_that_yaml_1_1_makes_of_a_time():
    ((_, problem),) = read_document(b"a: 12:00\n", "x.yml").problems
    assert "the number 720" in problem.found


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20))
@example("0." * 3)
@example("1" * 19)
def test_a_plain_scalar_means_what_both_yaml_libraries_say_or_is_refused(text):
    """Whatever is accepted unquoted is read by PyYAML as the same value."""
    data = f"a: {text}\n".encode()
    try:
        read = read_document(data, "x.yml")
    except ContractError:
        return
    if not read.problems and not _has_sequence(read.tree):
        assert yaml.safe_load(data) == read.tree


def _has_sequence(tree):
    return "[" in str(tree)  # ours are tuples, PyYAML's lists


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@pytest.mark.parametrize(
    "text",
    [
        "a: *x",
        "a: &x 1",
        "a: {b: [c, {d: e}]}\nf: |\n  g\n",
        "a: !t b",
        "a: 1\na: 2",
        "",
        "a\n---\nb",
        "- a\n-\n",
    ],
)
def test_both_parsers_tell_the_same(text, loader, monkeypatch):
    monkeypatch.setattr(document, "_Loader", loader)
    outcome = _outcome(text)
    monkeypatch.undo()
    assert outcome == _outcome(text)


def _outcome(text):
    try:
        read = read_document(text.encode(), "x.yml")
    except ContractError as error:
        return [(p.line, p.key, p.expected) for p in error.problems]
    return read.tree, dict(read.keys), [p for _, p in read.problems]


def test_it_refuses_an_alias_bomb_of_seven_levels_at_once():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    bomb = "\n".join(lines).encode()
    assert _count_leaves(yaml.safe_load(bomb)["a7"]) == 10**8  # what it would be when written out
    started = time.perf_counter()
    with pytest.raises(ContractError) as caught:
        read_document(bomb, "bomb.yml")
    assert time.perf_counter() - started < 0.5
    (problem,) = caught.value.problems
    assert (problem.line, problem.key, problem.found) == (1, "a0", "the anchor &a0")


def _count_leaves(tree, known=None):
    known = {} if known is None else known
    if not isinstance(tree, list):
        return 1
    if id(tree) not in known:
        known[id(tree)] = sum(_count_leaves(item, known) for item in tree)
    return known[id(tree)]


@pytest.mark.parametrize("text", ["[" * (MAX_BYTES - 1), "{a: " * (MAX_BYTES // 4), "- " * (MAX_BYTES // 2)])
def test_a_file_of_brackets_is_refused_at_once(text):
    started = time.perf_counter()
    with pytest.raises(ContractError):
        read_document(text.encode(), "deep.yml")
    assert time.perf_counter() - started < 5


def test_depth_is_counted_exactly():
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read_document(deep.encode(), "x.yml").problems == ()
    with pytest.raises(ContractError, match=f"more than {MAX_DEPTH} levels"):
        read_document(f"[{deep}]".encode(), "x.yml")


def test_size_is_counted_exactly():
    full = b"a: " + b"x" * (MAX_BYTES - 3)
    assert read_document(full, "x.yml").problems == ()
    with pytest.raises(ContractError, match="at most 1 MiB"):
        read_document(full + b"x", "x.yml")


def test_a_number_of_a_million_digits_costs_nothing():
    started = time.perf_counter()
    for text in ("9" * 10**6, "1" + ":1" * 400_000):
        ((_, problem),) = read_document(f"a: {text}".encode(), "x.yml").problems
        assert len(problem.found) < 200
    assert time.perf_counter() - started < 5


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    try:
        read_document(data, "x.yml")
    except ContractError as error:
        assert error.problems


def test_a_second_value_of_a_key_leaves_the_place_of_the_first():
    read = read_document(b"a: {b: 1}\nc: 2\na: {b: [x]}\n", "x.yml")
    assert read.tree == {"a": {"b": 1}, "c": 2}
    assert read.values["a", "b"].line == 1
    assert ("a", "b", 0) not in read.values

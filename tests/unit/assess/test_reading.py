import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.assess import load_observation
from itcare.assess.reading import MOST_BYTES, Malformed, Record, describe, neutral_text
from itcare.core.errors import BadInputError, ExitCode
from tests.support.observations import observation

# Written out, so that it does not rest on the same table as the code: controls, direction and zero-width marks,
# line separators, lone surrogates, private use.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ue000-\uf8ff\ufeff]")


@pytest.mark.parametrize(
    "document",
    [
        observation(),
        {"health": observation()},
        {"changed": False, "failed": False, "health": observation(), "warnings": []},
    ],
    ids=["bare", "under health", "a whole task result"],
)
@pytest.mark.parametrize(
    "encode", [str, str.encode, lambda text: text.encode("utf-8-sig"), lambda text: "\ufeff" + text]
)
def test_an_observation_is_found_in_each_shape_it_is_stored_in(document, encode):
    assert load_observation(encode(json.dumps(document))) == observation()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "line 1, column 1: Expecting value"),
        ('{"schema": 1,\n  "sources" {}}', "line 2, column 13: Expecting ':' delimiter"),
        ('{"health": {}} trailing', "line 1, column 16: Extra data"),
        ('{"schema": "a", "schema": "b"}', "the key 'schema' stands twice in one object"),
        ('{"health": {"sources": {"\\u202e": 1, "\\u202e": 2}}}', "the key '\\u202e' stands twice"),
        ('{"schema": NaN}', "NaN is no JSON number"),
        ('{"schema": -Infinity}', "-Infinity is no JSON number"),
        ('{"schema": ' + "9" * 5000 + "}", "a number has 5000 digits, more than 100"),
        ("[" * 200_000, "it is nested too deeply"),
        ('{"a":' * 100_000, "it is nested too deeply"),
        (b'{"schema": "\xff"}', "byte 12 is not UTF-8"),
        (json.dumps(observation()).encode("utf-16"), "is not UTF-8"),
        (b" " * (MOST_BYTES + 1), f"it has {MOST_BYTES + 1} bytes, more than {MOST_BYTES}"),
        ("ą" * (MOST_BYTES // 2 + 1), f"it has {MOST_BYTES + 2} bytes"),
        ("\ud800", "line 1, column 1: Expecting value"),
        ("[]", "found a list, expected a health observation"),
        ("null", "found nothing, expected a health observation"),
        ('"ok"', "found text, expected a health observation"),
        ("{}", "found an object with no keys"),
        ('{"health": null, "msg": "x"}', "found an object with the keys 'health', 'msg'"),
        ('{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}', "with the keys 'a', 'b', 'c', 'd', 'e', …"),
    ],
)
def test_a_file_that_is_no_observation_is_refused_with_what_was_found(content, why):
    with pytest.raises(BadInputError) as refusal:
        load_observation(content, "pc01.json")
    assert why in refusal.value.why
    assert refusal.value.subject == "pc01.json"
    assert refusal.value.exit_code == ExitCode.BAD_INPUT


@given(st.text() | st.binary())
def test_any_content_is_read_or_refused(content):
    try:
        load_observation(content)
    except BadInputError as refusal:
        assert refusal.why


@given(st.text(max_size=400))
def test_neutral_text_is_bounded_storable_and_stable(text):
    clean = neutral_text(text, 100)
    assert len(clean) <= 100
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert not _UNSAFE.search(clean)
    assert neutral_text(clean, 100) == clean


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (False, "false"),
        (-3, "the number -3"),
        pytest.param(10**5000, "a number beyond 64 bits", id="a huge number"),
        ("", "empty text"),
        ("secret", "text"),
        ({}, "an object"),
        ([], "a list"),
        (object(), "something that is not JSON"),
    ],
)
def test_a_value_is_described_without_being_repeated(value, words):
    assert describe(value) == words


def test_every_reader_refuses_a_missing_key_by_place():
    record = Record("place", {})
    readers = (record.text, record.count, record.number, record.flag, record.instant, record.record, record.rows)
    for read in readers:
        with pytest.raises(Malformed, match=r"place\.key: found nothing"):
            read("key")
    optional = (record.optional_text, record.optional_count, record.optional_number, record.optional_flag)
    assert [read("key") for read in (*optional, record.optional_instant, record.optional_record)] == [None] * 6

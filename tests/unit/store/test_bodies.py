"""What a body may be, how it is named, and frames that lie about their size."""

import pytest
import rfc8785
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from itcare.core.errors import BadInputError
from itcare.core.words import RunState
from itcare.store.bodies import MAX_BODY_BYTES, canonical_bytes, digest_of, open_body, parse_body
from itcare.store.packing import pack

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcż\u202e", max_size=3), inner, max_size=4),
    max_leaves=12,
)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=4)
        | st.tuples(inner)
    ),
    max_leaves=12,
)  # fmt: skip


@given(ANYTHING)
def test_the_canonical_form_is_that_of_rfc_8785_whatever_way_it_was_made(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]  # it refuses what it does not know
    except rfc8785.CanonicalizationError:
        with pytest.raises(BadInputError):
            canonical_bytes(value, "a test")
    else:
        assert canonical_bytes(value, "a test") == expected


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        1e21,
        0.1,
        -0.0,
        {"\U0001f600": 1, "\ufb01": 2},
        "\x7f\x1f\u2028/<ż",
        (1, 2),
        {"a": True},
        2**53 - 1,
        RunState.RUNNING,
    ],
)
def test_what_json_writes_otherwise_has_its_canonical_form(value: object) -> None:
    assert canonical_bytes([value], "a test") == rfc8785.dumps([value])  # type: ignore[list-item]  # any value


@pytest.mark.parametrize(
    "value", [2**53, float("nan"), float("inf"), {1: 2}, {None: 1}, "\ud800", {"\ud800": 1}, {1, 2}, b"a"]
)
def test_what_json_would_make_up_is_refused(value: object) -> None:
    with pytest.raises(BadInputError):
        canonical_bytes({"a": [value]}, "a test")


@given(JSON)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    content = canonical_bytes(value, "a test")
    assert open_body(pack(content), len(content)) == content
    assert parse_body(content) == value
    assert canonical_bytes(parse_body(content), "a test") == content


@given(st.binary(max_size=200), st.integers(0, 300))
def test_outside_bytes_are_no_body_and_no_crash(data: bytes, size: int) -> None:
    unpacked = open_body(data, size)
    assert unpacked is None or len(unpacked) == size


def test_a_frame_that_claims_another_size_is_no_body() -> None:
    packed = zstandard.ZstdCompressor().compress(b"x" * 1000)
    assert open_body(packed, 999) is None
    assert open_body(packed, MAX_BODY_BYTES + 1) is None
    assert open_body(packed[:-3], 1000) is None


def test_the_salt_changes_the_name_of_a_body() -> None:
    assert digest_of(b"a" * 32, b"x") != digest_of(b"b" * 32, b"x")


def test_endless_nesting_is_refused() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(BadInputError):
        canonical_bytes(value, "a test")

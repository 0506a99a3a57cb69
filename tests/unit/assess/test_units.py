import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itcare.assess.units import (
    ENGLISH,
    POLISH,
    is_below_percent,
    write_days,
    write_gigabytes,
    write_number,
    write_percent,
    write_seconds,
)

DAY = 86_400


@pytest.mark.parametrize(
    ("percent", "limits", "written"),
    [
        (0, (), "0 %"),
        (0.4, (), "0.4 %"),
        (0.04, (), "0.04 %"),
        (0.00004, (), "0.001 %"),
        (13.98, (15,), "14 %"),
        (14.96, (15,), "14.96 %"),
        (14.999999, (15,), "14.999 %"),
        (15, (15,), "15 %"),
        (15.00001, (15,), "15.001 %"),
        (50.5, (), "51 %"),
        (99.4, (), "99 %"),
        (99.6, (), "99.6 %"),
        (99.99999, (), "99.999 %"),
        (100, (), "100 %"),
        (103, (), "103 %"),
    ],
)
def test_a_percentage_is_rounded_honestly(percent, limits, written):
    assert write_percent(percent, ENGLISH, limits) == written


@pytest.mark.parametrize(
    ("size", "limits", "written"),
    [
        (0, (), "0.0 GB"),
        (1, (), "0.0001 GB"),
        (40_000_000, (), "0.04 GB"),
        (137_000_000_000, (), "137.0 GB"),
        (19_960_000_000, (20_000_000_000,), "19.96 GB"),
        (2**63 - 1, (), "9223372036.9 GB"),
    ],
)
def test_bytes_are_written_in_gigabytes(size, limits, written):
    assert write_gigabytes(size, ENGLISH, limits) == written


@pytest.mark.parametrize(
    ("seconds", "english", "polish"),
    [
        (0, "0 days", "0 dni"),
        (DAY, "1 day", "1 dzień"),
        (2 * DAY, "2 days", "2 dni"),
        (5 * DAY, "5 days", "5 dni"),
        (1.5 * DAY, "1.5 days", "1,5 dnia"),
        (21.26 * DAY, "21.3 days", "21,3 dnia"),
        (60, "0.001 days", "0,001 dnia"),
    ],
)
def test_days_are_written_with_the_word_of_the_language(seconds, english, polish):
    assert (write_days(seconds, ENGLISH), write_days(seconds, POLISH)) == (english, polish)


@pytest.mark.parametrize(
    ("seconds", "written"), [(-412.5, "-412.5 s"), (300, "300 s"), (0.25, "0.3 s"), (1e-7, "0.0001 s")]
)
def test_seconds_keep_their_sign(seconds, written):
    assert write_seconds(seconds) == written


def test_a_plain_number_is_written_in_full():
    assert [write_number(number) for number in (3, 3.0, 1e15, 0.5, 2**63)] == [
        "3",
        "3",
        "1000000000000000",
        "0.5",
        "9223372036854775808",
    ]


@given(st.floats(0, 100, allow_subnormal=False), st.floats(0, 100, allow_subnormal=False))
@example(14.9999999999, 15.0)
@example(1e-300, 15.0)
def test_a_written_percentage_is_on_the_same_side_of_its_limit(percent, limit):
    limit = round(limit, 2)
    told = float(write_percent(percent, ENGLISH, [limit]).removesuffix(" %"))
    assert (told < limit) == (percent < limit)
    assert (told == 0) == (percent == 0)
    assert (told == 100) == (percent == 100)


@given(st.integers(0, 2**62), st.integers(1, 2**62), st.integers(0, 10_000))
def test_below_a_percentage_is_exact(part, whole, hundredths):
    assert is_below_percent(part, whole, hundredths / 100) == (part * 10_000 < hundredths * whole)

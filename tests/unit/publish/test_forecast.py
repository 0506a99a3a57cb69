"""The day on which a disk will be full: named when there is ground for it, else a reason."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itcare.core.words import ForecastReason
from itcare.publish.forecast import FARTHEST_DAYS, FEWEST_POINTS, SHORTEST_SPAN, WINDOW, days_to_full

START = datetime(2026, 3, 1, 7, tzinfo=UTC)
GB = 10**9


@dataclass(frozen=True)
class Point:
    at: datetime
    value: float
    capacity: float | None = 500.0 * GB


def line(days, first, growth, capacity=500.0 * GB):
    return [Point(START + timedelta(days=day), first + growth * day, capacity) for day in days]


def test_a_disk_that_fills_by_four_gigabytes_a_day_is_full_on_the_day_that_follows():
    forecast = days_to_full(line(range(30), 100 * GB, 4 * GB))
    # 216 GB on day 29, 284 GB of room: 71 days more.
    assert forecast.days == pytest.approx(71)
    assert (forecast.full_at - START - timedelta(days=100)).total_seconds() == pytest.approx(0, abs=1)
    assert forecast.reason is None


@given(
    first=st.floats(0, 200 * GB), growth=st.floats(0.2 * GB, 20 * GB), count=st.integers(15, 60),
    shift=st.integers(-3000, 3000), seed=st.randoms(use_true_random=False),
)  # fmt: skip
def test_a_straight_line_is_followed_whenever_it_began_and_in_whatever_order_it_is_told(
    first, growth, count, shift, seed
):
    points = line(range(count), first, growth)
    assume(points[-1].value < 500 * GB)
    moved = [Point(point.at + timedelta(days=shift), point.value) for point in points]
    seed.shuffle(moved)
    forecast = days_to_full(moved)
    assert forecast.days == pytest.approx((500 * GB - points[-1].value) / growth, rel=1e-6, abs=1e-6)
    assert forecast.full_at >= max(point.at for point in moved)


@given(st.lists(st.tuples(st.floats(0, 120), st.floats(0, 500 * GB)), max_size=40))
def test_whatever_was_measured_there_is_a_day_or_a_reason_and_never_both(pairs):
    forecast = days_to_full([Point(START + timedelta(days=day), value) for day, value in pairs])
    assert (forecast.full_at is None) == (forecast.days is None) == (forecast.reason is not None)
    if forecast.days is not None:
        assert 0 <= forecast.days <= FARTHEST_DAYS


@given(value=st.floats(0, 500 * GB), loss=st.floats(0, 5 * GB))
def test_a_steady_or_shrinking_disk_is_not_growing(value, loss):
    assert days_to_full(line(range(40), value, -loss)).reason is ForecastReason.NOT_GROWING


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ([], "too_short"), ([0], "too_short"), (range(14), "too_short"), ([0, 1, 2, 20], "too_short"),
        ([0, 1, 2, 3, 14], None), (range(15), None),
    ],
)  # fmt: skip
def test_the_shortest_ground_is_five_looks_over_fourteen_days(days, reason):
    assert (FEWEST_POINTS, SHORTEST_SPAN.days) == (5, 14)
    assert days_to_full(line(days, 100 * GB, GB)).reason == reason


def test_growth_before_the_last_eight_weeks_does_not_count():
    old = line(range(30), 0, 10 * GB)
    steady = [Point(START + WINDOW + timedelta(days=40 + day), 300 * GB) for day in range(30)]
    assert days_to_full(old + steady).reason is ForecastReason.NOT_GROWING


def test_a_full_disk_that_still_grows_is_full_now_and_an_unknown_size_names_no_day():
    assert days_to_full(line(range(20), 500 * GB, GB)).days == 0
    assert days_to_full(line(range(20), 0, GB, capacity=None)).reason is ForecastReason.TOO_SHORT


def test_a_disk_that_was_made_larger_has_the_room_of_today():
    points = [Point(p.at, p.value, (500 if n < 20 else 1000) * GB) for n, p in enumerate(line(range(30), 0, GB))]
    assert days_to_full(points).days == pytest.approx(1000 - 29)

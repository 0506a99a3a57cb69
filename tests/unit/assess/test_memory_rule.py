import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.assess import SEVERITY
from tests.support.judging import judge_one
from tests.support.observations import memory, observation, ok

TOTAL = 1000


def with_memory(available, some=0.0, full=0.0):
    return observation(memory=ok(memory(available, TOTAL, some, full)))


@pytest.mark.parametrize(
    ("available", "some", "full", "status", "fact"),
    [
        (1000, 0, 0, "ok", "ok"),
        (100, 9.99, 0, "ok", "ok"),
        (99, 0, 0, "warn", "low"),
        (500, 10, 0, "warn", "stalls"),
        (500, 100, 100, "warn", "stalls"),
        (50, 50, 50, "warn", "low"),
        (49, 50, 4.99, "warn", "low"),
        (49, 50, 5, "fail", "exhausted"),
        (0, 0, 100, "fail", "exhausted"),
        (1001, 0, 0, "unknown", "malformed"),
        (-1, 0, 0, "unknown", "malformed"),
        (500, 101, 0, "unknown", "malformed"),
        (500, -0.1, 0, "unknown", "malformed"),
    ],
)
def test_memory_is_judged_by_what_is_left_and_by_waiting(available, some, full, status, fact):
    finding = judge_one(with_memory(available, some, full), "memory.pressure")
    assert (finding.status, finding.fact) == (status, f"memory.pressure.{fact}")


@pytest.mark.parametrize(
    ("available", "status", "fact"),
    [(100, "ok", "ok_no_figures"), (99, "warn", "low"), (0, "warn", "low")],
)
def test_a_kernel_without_figures_is_judged_by_what_is_left(available, status, fact):
    data = memory(available, TOTAL) | {"psi": None}
    finding = judge_one(observation(memory=ok(data)), "memory.pressure")
    assert (finding.status, finding.fact) == (status, f"memory.pressure.{fact}")
    assert set(finding.threshold) == {"warn_available_pct", "fail_available_pct"}


@pytest.mark.parametrize("psi", [{}, {"some_avg300": 0.0}, [], "0", {"some_avg300": 0.0, "full_avg300": None}])
def test_figures_of_another_shape_are_unknown(psi):
    finding = judge_one(observation(memory=ok(memory() | {"psi": psi})), "memory.pressure")
    assert finding.fact == "memory.pressure.malformed"


@given(st.tuples(st.integers(0, TOTAL), st.integers(0, TOTAL)), st.floats(0, 100), st.floats(0, 100))
def test_less_available_memory_never_improves_the_verdict(available, some, full):
    less, more = sorted(available)
    worse = judge_one(with_memory(less, some, full), "memory.pressure").status
    better = judge_one(with_memory(more, some, full), "memory.pressure").status
    assert SEVERITY[worse] <= SEVERITY[better]

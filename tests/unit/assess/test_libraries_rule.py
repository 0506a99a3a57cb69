import pytest

from tests.support.judging import judge, judge_one
from tests.support.observations import libraries, observation, ok


def told(**fields):
    return [
        (finding.status, finding.fact.removeprefix("libraries.outdated."))
        for finding in judge(observation(libraries=ok(libraries(**fields))), "libraries.outdated")
    ]


def test_no_outdated_library_is_ok():
    assert told() == [("ok", "ok")]


def test_a_program_on_a_replaced_library_is_a_warning():
    assert told(count=1, names=("sshd",)) == [("warn", "found")]


def test_processes_of_others_that_cannot_be_read_leave_it_unknown():
    assert told(unreadable=140, checked=12) == [("unknown", "unreadable")]


def test_what_was_found_stands_beside_what_could_not_be_read():
    assert told(count=1, names=("bash",), unreadable=140) == [("warn", "found"), ("unknown", "unreadable")]


def test_looking_into_no_process_is_unknown():
    assert told(checked=0) == [("unknown", "none")]


def test_a_few_names_are_told_and_the_rest_hinted():
    names = ("sshd", "cron", "sshd", "a", "b", "c", "d")
    finding = judge_one(observation(libraries=ok(libraries(count=60, names=names))), "libraries.outdated")
    assert finding.reason == "Programs still run on replaced libraries, count: 60 (sshd, cron, a, b, c, …)."


def test_a_count_without_names_is_still_a_warning():
    assert told(count=2) == [("warn", "found")]


@pytest.mark.parametrize(
    "data",
    [
        libraries(count=0, names=("sshd",)),
        libraries(count=-1),
        libraries() | {"processes": [{"name": None}], "count": 1},
        libraries() | {"processes": None},
        libraries() | {"unreadable": None},
    ],
)
def test_another_shape_is_unknown(data):
    assert judge_one(observation(libraries=ok(data)), "libraries.outdated").fact == "libraries.outdated.malformed"

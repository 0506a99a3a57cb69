import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, hide_tools, import_health, make_computer

answer = import_health("answer")
clock = import_health("clock")
tool = import_health("tool")

TRACKING = (
    "C0248F82,192.0.2.1,3,1795679900.123,0.000012345,-0.000004,0.00002,-12.3,0.001,0.02,0.012,0.0005,64.2,Normal\n"
)


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def runs(computer: Computer, name: str) -> None:
    computer.write("/proc/77/comm", f"{name}\n")


def kernel_says(monkeypatch, synchronised: bool) -> None:
    record = clock.judge_kernel(0, 0, 1000 if synchronised else 16_000_000)
    monkeypatch.setattr(clock, "_ask_kernel", lambda: record)


def test_chrony_is_asked_where_it_runs(computer):
    runs(computer, "chronyd")
    computer.says("chronyc", TRACKING)
    assert clock.observe_time(computer.request()) == {
        "synchronised": True,
        "offset_seconds": 0.000012345,
        "method": "chrony",
        "service": "chrony",
    }


def test_chrony_that_has_not_found_the_time_is_not_synchronised():
    answered = clock.read_tracking(tool.Output(0, TRACKING.replace("Normal", "Not synchronised").encode(), ""))
    assert answered["synchronised"] is False


@pytest.mark.parametrize(
    "text",
    ["", "a,b", "\0\0\0", TRACKING.replace("0.000012345", "nan"), TRACKING.replace("0.000012345", "x"), "," * 20],
)
def test_an_answer_of_chrony_of_no_known_shape_is_unreadable(text):
    with pytest.raises(answer.Unavailable) as caught:
        clock.read_tracking(tool.Output(0, text.encode(), ""))
    assert caught.value.reason == "unreadable"


@given(st.binary(max_size=200))
def test_no_bytes_of_chrony_end_in_a_traceback(text):
    try:
        clock.read_tracking(tool.Output(0, text, ""))
    except answer.Unavailable as error:
        assert error.reason == "unreadable"


def test_chrony_that_does_not_answer_is_unavailable(computer):
    runs(computer, "chronyd")
    computer.says("chronyc", "506 Cannot talk to daemon\n", rc=1)
    with pytest.raises(answer.Unavailable) as caught:
        clock.observe_time(computer.request())
    assert (caught.value.reason, caught.value.detail) == ("failed", "506 Cannot talk to daemon")


def test_chrony_without_its_client_leaves_the_kernels_word(computer, monkeypatch):
    runs(computer, "chronyd")
    hide_tools(computer, monkeypatch, "chronyc")
    kernel_says(monkeypatch, synchronised=True)
    answered = clock.observe_time(computer.request())
    assert (answered["method"], answered["service"]) == ("adjtimex", "chrony")


@pytest.mark.parametrize("has_set", [True, False])
def test_timesyncd_counts_once_it_has_set_the_clock(computer, monkeypatch, has_set):
    runs(computer, "systemd-timesyn")
    kernel_says(monkeypatch, synchronised=True)
    if has_set:
        computer.write("/run/systemd/timesync/synchronized")
    answered = clock.observe_time(computer.request())
    assert (answered["synchronised"], answered["method"]) == (has_set, "timesyncd")
    assert answered["service"] == "systemd-timesyncd"


def test_without_a_keeper_the_kernels_word_counts(computer, monkeypatch):
    kernel_says(monkeypatch, synchronised=False)
    assert clock.observe_time(computer.request()) == {
        "synchronised": False,
        "offset_seconds": None,
        "method": "adjtimex",
        "service": None,
    }


@pytest.mark.parametrize(
    ("status", "offset", "error", "synchronised", "seconds"),
    [
        (0x0001, 1500, 20_000, True, 0.0015),
        (0x2001, 1500, 20_000, True, 0.0000015),
        (0x0041, 1500, 15_999_999, True, 0.0015),
        (0x0040, 1500, 16_000_000, False, None),
        (0x2001, -2_000_000_000, 1, True, -2.0),
    ],
    ids=["microseconds", "nanoseconds", "flag kept from the kernel", "unsynchronised", "negative"],
)
def test_the_kernels_record_is_read_as_systemd_reads_it(status, offset, error, synchronised, seconds):
    answered = clock.judge_kernel(status, offset, error)
    assert (answered["synchronised"], answered["offset_seconds"]) == (synchronised, seconds)


def test_this_kernel_answers():
    answered = clock._ask_kernel()
    assert isinstance(answered["synchronised"], bool)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
units = import_health("units")

FAILED = """\
nginx.service loaded failed failed A high performance web server
\u25cf  mnt-nas.mount loaded failed failed /mnt/nas
"""
SHOW = "LoadState=loaded\nActiveState=active\n\nLoadState=not-found\nActiveState=inactive\n"


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def booted(computer: Computer, failed: str = "", state: str = "running", show: str = SHOW) -> None:
    """A computer under systemd whose systemctl gives these answers."""
    (computer.root / "run/systemd/system").mkdir(parents=True)
    for name, text in (("failed", failed), ("show", show)):
        (computer.tools / name).write_text(text)
    computer.tool(
        "systemctl",
        f'case "$1" in is-system-running) echo {state}; [ {state} = running ];;\n'
        f"list-units) cat {computer.tools}/failed;; show) cat {computer.tools}/show;; esac",
    )


def test_without_systemd_as_init_the_source_is_unavailable(computer):
    with pytest.raises(answer.Unavailable) as caught:
        units.observe_units(computer.request())
    assert caught.value.reason == "no_systemd"


def test_failed_units_and_asked_services_are_told(computer):
    booted(computer, FAILED, "degraded")
    data = units.observe_units(computer.request(services=("ssh", "postgresql.service")))
    assert data == {
        "system_state": "degraded",
        "failed": [
            {"name": "nginx.service", "description": "A high performance web server"},
            {"name": "mnt-nas.mount", "description": "/mnt/nas"},
        ],
        "services": {"ssh": "active", "postgresql.service": "not-found"},
    }


def test_nothing_failed_is_an_empty_list_and_no_service_is_asked_for(computer):
    booted(computer)
    assert units.observe_units(computer.request())["failed"] == []
    assert units.observe_units(computer.request())["services"] == {}


@pytest.mark.parametrize("name", ["--version", "a b", "a/b", "", "x" * 300, "a\nb", "$(id)", "*", "ssh\0"])
def test_a_name_that_no_unit_can_have_is_never_handed_to_systemctl(computer, name):
    booted(computer, show="LoadState=loaded\nActiveState=active\n")
    assert units.observe_units(computer.request(services=(name,)))["services"] == {name: "invalid"}


def test_an_answer_that_is_cut_short_is_asked_again_one_by_one(computer):
    booted(computer)
    computer.tool(
        "systemctl",
        'case "$1" in is-system-running) echo running;; list-units) ;;\n'
        'show) [ $# = 5 ] || exit 1; case "$5" in bad@.service) exit 1;; esac\n'
        'printf "LoadState=loaded\\nActiveState=active\\n";; esac',
    )
    data = units.observe_units(computer.request(services=("ssh", "bad@.service")))
    assert data["services"] == {"ssh": "active", "bad@.service": "not-found"}


@pytest.mark.parametrize(
    ("load", "active", "state"),
    [
        ("loaded", "active", "active"),
        ("loaded", "failed", "failed"),
        ("loaded", "inactive", "inactive"),
        ("masked", "inactive", "masked"),
        ("masked", "active", "active"),
        ("not-found", "inactive", "not-found"),
        ("bad-setting", "inactive", "bad-setting"),
    ],
)
def test_the_state_of_a_service_is_one_word(load, active, state):
    output = import_health("tool").Output(0, f"LoadState={load}\nActiveState={active}\n".encode(), "")
    assert units.read_states(output) == [state]


@pytest.mark.parametrize("state", ["offline", "garbage", ""])
def test_a_systemctl_that_reaches_no_manager_is_unavailable(computer, state):
    booted(computer, state=state or "''")
    with pytest.raises(answer.Unavailable) as caught:
        units.observe_units(computer.request())
    assert caught.value.reason == "failed"


def test_lines_of_no_known_shape_are_unreadable():
    with pytest.raises(answer.Unavailable) as caught:
        units.read_failed(["Failed to"])
    assert caught.value.reason == "unreadable"


@given(st.lists(st.text(max_size=60), max_size=5))
def test_no_line_ends_in_a_traceback(lines):
    try:
        found = units.read_failed(lines)
    except answer.Unavailable:
        return
    assert all(unit["description"].isprintable() for unit in found)

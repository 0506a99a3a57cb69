import pytest

from tests.support.judging import judge, judge_one
from tests.support.observations import administrator, listener, observation, ok

RULE = "access.administrators"
PORTS = "access.listeners"


def with_people(*rows):
    return observation(administrators=ok(list(rows)))


@pytest.mark.parametrize(
    ("row", "listed", "is_listed"),
    [
        (administrator(), (), True),
        (administrator("root", "sudo"), (), False),
        (administrator("toor"), (), False),
        (administrator("toor"), ("toor",), True),
        (administrator("adam", "sudo"), (), False),
        (administrator("adam", "sudo"), ("adam",), True),
        (administrator("adam", "sudo"), ("Adam",), False),
        (administrator("adam", "sudo"), ("%sudo",), True),
        (administrator("adam", "wheel"), ("%sudo",), False),
        (administrator("adam", "sudoers"), ("%sudo",), False),
        (administrator("adam", "sudo"), ("sudo",), False),
        (administrator("admins", "sudoers", "group"), ("%admins",), True),
        (administrator("admins", "sudoers", "group"), ("admins",), False),
        (administrator("+ops", "sudoers", "group"), ("+ops",), True),
        (administrator("ALL", "sudoers", "group"), (), False),
        (administrator("ALL", "sudoers", "group"), ("%ALL",), True),
    ],
)
def test_a_name_is_on_the_list_or_told(row, listed, is_listed):
    finding = judge_one(with_people(row), RULE, administrators=listed)
    assert (finding.status, finding.fact) == (("ok", f"{RULE}.ok") if is_listed else ("warn", f"{RULE}.unlisted"))
    assert finding.threshold_source == "contract"


def test_one_name_is_told_once_with_all_its_ways():
    rows = [administrator("mallory", way) for way in ("sudo", "sudoers", "wheel", "sudo")]
    finding = judge_one(with_people(administrator(), *rows), RULE, administrators=["root"])
    assert finding.subject == "mallory"
    assert finding.reason == (
        "mallory has full rights on this computer (through sudo, sudoers, wheel) and is not on the contract's list."
    )


def test_a_way_that_is_listed_excuses_no_other_way():
    rows = [administrator("mallory", "sudo"), administrator("mallory", "uid0")]
    finding = judge_one(with_people(*rows), RULE, administrators=["%sudo"])
    assert (finding.status, finding.values["through"]) == ("warn", "uid0")


def test_a_computer_without_any_administrator_is_not_believed():
    assert judge_one(with_people(), RULE, administrators=[]).fact == f"{RULE}.none"


@pytest.mark.parametrize(
    "row",
    [
        administrator(""),
        administrator(None),
        administrator("adam", None),
        administrator("adam", "sudo", "robot"),
        administrator({"name": "root"}),
        None,
        "root",
    ],
)
def test_a_damaged_row_is_unknown_and_never_green(row):
    findings = judge(with_people(administrator(), row), RULE, administrators=["root", "adam"])
    assert [finding.fact for finding in findings] == [f"{RULE}.malformed"]


def with_ports(*rows):
    return observation(listeners=ok(list(rows)))


@pytest.mark.parametrize(
    ("row", "listed", "is_fine"),
    [
        (listener(), ("tcp/22",), True),
        (listener(), (), False),
        (listener(), ("udp/22",), False),
        (listener(), ("tcp/222", "tcp/2"), False),
        (listener(loopback=True), (), True),
        (listener(5353, "udp"), (), False),
        (listener(40000, "udp", ephemeral=True), (), True),
        (listener(40000, "udp"), (), False),
        (listener(40000, "tcp", ephemeral=True), (), False),
        (listener(40000, "udp") | {"ephemeral": None}, (), False),
        (listener(0, "udp"), ("udp/0",), True),
        (listener(65535), ("tcp/65535",), True),
        (listener(process=None), (), False),
    ],
)
def test_a_port_is_on_the_list_or_told(row, listed, is_fine):
    finding = judge_one(with_ports(row), PORTS, listeners=listed)
    assert (finding.status, finding.fact) == (("ok", f"{PORTS}.ok") if is_fine else ("warn", f"{PORTS}.unlisted"))
    assert finding.threshold_source == "contract"


def test_an_observation_without_the_mark_for_clients_is_judged():
    row = {key: value for key, value in listener(40000, "udp").items() if key != "ephemeral"}
    assert judge_one(with_ports(row), PORTS, listeners=[]).status == "warn"


def test_one_port_is_told_once_with_its_addresses_and_programs():
    rows = [listener(8080, process="java"), listener(8080, address="::", process="java")]
    finding = judge_one(with_ports(*rows, listener()), PORTS, listeners=["tcp/22"])
    assert finding.subject == "tcp/8080"
    assert finding.reason == (
        "A program (java) waits for others on tcp/8080 (0.0.0.0, ::), which is not on the contract's list."
    )


def test_a_computer_without_an_open_port_is_fine():
    assert judge_one(with_ports(), PORTS, listeners=[]).reason == (
        "Every port that others can reach is on the contract's list, ports: 0."
    )


@pytest.mark.parametrize(
    "row",
    [
        listener(-1),
        listener(65536),
        listener("22"),
        listener(True),
        listener(protocol="sctp"),
        listener(address=None),
        listener(loopback="yes"),
        listener(loopback=None),
        listener(ephemeral=1, protocol="udp"),
        listener(process=["sshd"]),
        None,
    ],
)
def test_a_damaged_socket_is_unknown_and_never_green(row):
    findings = judge(with_ports(listener(), row), PORTS, listeners=["tcp/22"])
    assert [finding.fact for finding in findings] == [f"{PORTS}.malformed"]

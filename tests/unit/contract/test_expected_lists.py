"""What a contract expects of computers: the client's lists, and what a host adds."""

from datetime import date

import pytest

from itcare.assess import assess_missing
from itcare.core.words import FindingStatus
from itcare.publish.judge import judge_for
from tests.support.contracts import contract_of, problems_of, spoil, write
from tests.support.observations import administrator, firewall, listener, observation, ok

DAY = date(2026, 11, 20)
SRV01 = "services: [postgresql, cron]"


def resolve(folder, client="", host=""):
    """srv01 and pc01 of a contract with these keys for the client and for srv01."""
    text = spoil("services: [cron]\n", f"services: [cron]\n{client}")
    hosts = {host.name: host for host in contract_of(folder, spoil(SRV01, f"{SRV01}{host}", text)).hosts_on(DAY)}
    return hosts["srv01"], hosts["pc01"]


@pytest.mark.parametrize("key", ["administrators", "listeners"])
@pytest.mark.parametrize(
    ("client", "host", "srv01", "pc01"),
    [
        (None, None, None, None),
        ("[]", None, (), ()),
        (None, "[]", (), None),
        ("A", None, "A", "A"),
        (None, "B", "B", None),
        ("A", "B", "A+B", "A"),
        ("A", "A", "A", "A"),
        ("A", "[]", "A", "A"),
        ("null", "null", None, None),
    ],
)
def test_a_host_adds_to_the_client_and_no_list_is_none(key, client, host, srv01, pc01, tmp_path):
    first, second = ("adam", "root") if key == "administrators" else ("tcp/22", "udp/53")
    values = {"A": (first,), "B": (second,), "A+B": (first, second)}

    def written(what):
        return f"[{', '.join(values[what])}]" if what in values else what

    one, two = resolve(
        tmp_path, f"{key}: {written(client)}\n" if client else "", f", {key}: {written(host)}" if host else ""
    )
    assert getattr(one, key) == values.get(srv01, srv01)
    assert getattr(two, key) == values.get(pc01, pc01)


def test_required_protections_add_up(tmp_path):
    one, two = resolve(tmp_path, "requires: [firewall]\n", ", requires: [encryption, firewall]")
    assert (one.requires, two.requires) == (("firewall", "encryption"), ("firewall",))


WRONG = {
    "a port without a protocol": ('listeners: ["22"]', "listeners[0]", "tcp/22"),
    "a port as a number": ("listeners: [22]", "listeners[0]", "text"),
    "another protocol": ("listeners: [sctp/22]", "listeners[0]", "tcp/22"),
    "port zero": ("listeners: [tcp/0]", "listeners[0]", "tcp/22"),
    "a port out of range": ("listeners: [tcp/65536]", "listeners[0]", "tcp/22"),
    "a port with a leading zero": ("listeners: [tcp/022]", "listeners[0]", "tcp/22"),
    "a port of other digits": ('listeners: ["tcp/٢٢"]', "listeners[0]", "tcp/22"),
    "a port with a space": ('listeners: ["tcp/22 "]', "listeners[0]", "tcp/22"),
    "a port twice": ("listeners: [tcp/22, tcp/22]", "listeners", "each entry once"),
    "no list of ports": ("listeners: tcp/22", "listeners", "a list"),
    "an administrator twice": ("administrators: [adam, adam]", "administrators", "each entry once"),
    "an administrator that is an option": ("administrators: [--all]", "administrators[0]", "login"),
    "an administrator with a line break": ('administrators: ["a\\nb"]', "administrators[0]", "login"),
    "an administrator without a name": ('administrators: [""]', "administrators[0]", "login"),
    "an administrator that is true": ("administrators: [true]", "administrators[0]", "text"),
    "administrators by key": ("administrators: {adam: true}", "administrators", "a list"),
    "an unknown protection": ("requires: [antivirus]", "requires[0]", "firewall or encryption"),
    "no protection": ("requires: []", "requires", "at least one"),
    "a protection as a word": ("requires: firewall", "requires", "a list"),
}


@pytest.mark.parametrize(("text", "key", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_list_is_refused_for_client_and_host(text, key, expected, tmp_path):
    (client,) = problems_of(write(tmp_path, spoil("services: [cron]\n", f"{text}\n")))
    (host,) = problems_of(write(tmp_path, spoil(SRV01, text)))
    assert (client.key, host.key) == (key, f"hosts.srv01.{key}")
    assert expected in client.expected
    assert expected in host.expected


@pytest.mark.parametrize(
    "name", ["root", '"%wheel"', "svc-backup", "adam.k", '"EXAMPLE\\\\adam"', '"%domain admins"', '"host$"', "+ops"]
)
def test_accounts_are_listed_as_systems_call_them(name, tmp_path):
    one, _ = resolve(tmp_path, f"administrators: [{name}]\n")
    assert len(one.administrators) == 1


def test_publishing_judges_each_host_by_its_own_lists(tmp_path):
    text = spoil("services: [cron]\n", "administrators: [root]\nlisteners: []\n")
    contract = contract_of(tmp_path, spoil(SRV01, "listeners: [tcp/5432], requires: [firewall]", text))
    judge = judge_for(contract)
    seen = observation(
        administrators=ok([administrator(), administrator("eve", "sudo")]),
        listeners=ok([listener(5432)]),
        firewall=ok(firewall(False)),
    )
    hosts = {host.name: host for host in contract.hosts_on(DAY)}

    def told(name):
        return {
            (one.fact, one.subject) for one in judge.assess(seen, hosts[name]) if one.status is not FindingStatus.OK
        }

    assert told("srv01") == {("access.administrators.unlisted", "eve"), ("protection.firewall.off_required", None)}
    assert told("pc01") == {("access.administrators.unlisted", "eve"), ("access.listeners.unlisted", "tcp/5432")}
    assert ("protection.firewall.off_laptop", None) in told("nb01")
    assert judge.assess_missing("erased") == assess_missing("erased")

import os
import socket
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.health import Computer, import_health, make_computer

answer = import_health("answer")
firewall = import_health("firewall")
listeners = import_health("listeners")

ANYWHERE = str(IPv4Address(0))
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    made = make_computer(tmp_path, monkeypatch)
    made.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\n")
    made.write("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n")
    made.write("/proc/net/tcp", HEAD)
    return made


def words(address: str) -> str:
    """An address as the kernel of this computer prints it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    swap = sys.byteorder == "little"
    parts = [packed[n : n + 4] for n in range(0, len(packed), 4)]
    return "".join((part[::-1] if swap else part).hex().upper() for part in parts)


def line(address: str, port: int, state: str = "0A", uid: int = 0, inode: int = 1, remote: str = "") -> str:
    remote = remote or "0" * len(words(address)) + ":0000"
    queues = "00000000:00000000 00:00000000 00000000"
    return f"   0: {words(address)}:{port:04X} {remote} {state} {queues} {uid:5} 0 {inode} 1\n"


def rows(computer: Computer) -> list[dict]:
    told = listeners.observe_listeners(computer.request())
    return told.data if isinstance(told, answer.Told) else told


def process(computer: Computer, pid: int, name: str, *inodes: int) -> None:
    computer.write(f"/proc/{pid}/comm", f"{name}\n")
    folder = computer.root / f"proc/{pid}/fd"
    folder.mkdir()
    for number, inode in enumerate(inodes):
        (folder / str(number)).symlink_to(f"socket:[{inode}]")
    (folder / "99").symlink_to("/dev/null")


def test_a_waiting_socket_is_a_row_with_its_program_and_user(computer):
    computer.write("/proc/net/tcp", HEAD + line(ANYWHERE, 80, uid=33, inode=4711))
    process(computer, 812, "nginx", 5, 4711)
    assert rows(computer) == [
        {
            "protocol": "tcp",
            "address": ANYWHERE,
            "port": 80,
            "loopback": False,
            "ephemeral": False,
            "process": "nginx",
            "user": "www-data",
        }
    ]


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        (ANYWHERE, False),
        ("::", False),
        ("::ffff:192.0.2.1", False),
        ("192.0.2.127", False),
        ("fe80::1", False),
        ("2001:db8::7f00:1", False),
    ],
)
def test_only_addresses_of_this_computer_alone_are_loopback(computer, address, is_loopback):
    name = "tcp6" if ":" in address else "tcp"
    computer.write(f"/proc/net/{name}", HEAD + line(address, 22))
    (row,) = rows(computer)
    assert (row["address"], row["loopback"]) == (address, is_loopback)


@pytest.mark.parametrize("state", ["01", "06", "07", "02"])
def test_connections_are_no_listeners(computer, state):
    computer.write("/proc/net/tcp", HEAD + line(ANYWHERE, 22, state))
    assert rows(computer) == []


def test_udp_waits_where_it_is_not_connected(computer):
    connected = line("192.0.2.1", 40000, "07", inode=7, remote=f"{words('192.0.2.9')}:0035")
    computer.write("/proc/net/udp", HEAD + line(ANYWHERE, 53, "07") + line(ANYWHERE, 9, "01") + connected)
    assert [(row["protocol"], row["port"]) for row in rows(computer)] == [("udp", 53)]


@pytest.mark.parametrize(
    ("protocol", "port", "inode", "is_ephemeral"),
    [
        ("udp", 40000, 5, True),
        ("udp", 32768, 5, True),
        ("udp", 60999, 5, True),
        ("udp", 61000, 5, False),
        ("udp", 32767, 5, False),
        ("udp", 51820, 0, False),
        ("tcp", 40000, 5, False),
    ],
)
def test_a_port_for_answers_is_marked_only_where_a_program_holds_it(computer, protocol, port, inode, is_ephemeral):
    state = "0A" if protocol == "tcp" else "07"
    computer.write(f"/proc/net/{protocol}", HEAD + line(ANYWHERE, port, state, inode=inode))
    process(computer, 9, "chronyd", 5)
    assert [row["ephemeral"] for row in rows(computer)] == [is_ephemeral]


def test_what_others_can_reach_comes_first_and_once(computer):
    many = [line("127.0.0.1", 631), line(ANYWHERE, 22), line(ANYWHERE, 22, inode=2), line(ANYWHERE, 9)]
    computer.write("/proc/net/tcp", HEAD + "".join(many))
    assert [(row["port"], row["loopback"]) for row in rows(computer)] == [(9, False), (22, False), (631, True)]


def test_processes_that_may_not_be_looked_into_are_told(computer, monkeypatch):
    computer.write("/proc/net/tcp", HEAD + line(ANYWHERE, 22, inode=5))
    process(computer, 7, "sshd", 5)
    real = os.listdir

    def listdir(path):
        if str(path).endswith("/fd"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(listeners.os, "listdir", listdir)
    told = listeners.observe_listeners(computer.request())
    assert told.data[0]["process"] is None
    assert told.detail == "1 of the processes could not be looked into"


@pytest.mark.parametrize(
    "table",
    [
        "",
        "no head\n",
        HEAD + "   0: 0100007F:0016\n",
        HEAD + line(ANYWHERE, 22).replace("00000000:0016", "0000000:0016"),
        HEAD + line(ANYWHERE, 22).replace(":0016", ":00X6"),
    ],
)
def test_a_table_of_another_shape_is_unreadable(computer, table):
    computer.write("/proc/net/tcp", table)
    with pytest.raises(answer.Unavailable) as caught:
        rows(computer)
    assert caught.value.reason == "unreadable"


@given(st.binary(max_size=200))
def test_no_bytes_in_place_of_a_table_end_in_a_traceback(text):
    try:
        listeners.read_table(HEAD.encode() + text, "tcp")
    except answer.Unavailable as error:
        assert error.reason == "unreadable"


def test_a_kernel_without_tcp_is_unavailable(computer):
    (computer.root / "proc/net/tcp").unlink()
    with pytest.raises(answer.Unavailable) as caught:
        rows(computer)
    assert caught.value.reason == "failed"


def test_real_sockets_of_this_computer_are_found():
    with socket.socket() as near, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        near.bind(("127.0.0.1", 0))
        near.listen()
        far.bind(("127.0.0.1", 0))
        told = listeners.observe_listeners(answer.Request(deadline=1e12, now=0.0, since=0.0))
        data = told.data if isinstance(told, answer.Told) else told
        found = {(row["protocol"], row["port"]): row for row in data}
        ports = [("tcp", near.getsockname()[1]), ("udp", far.getsockname()[1])]
    own = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
    assert [(found[port]["loopback"], found[port]["process"]) for port in ports] == [(True, own)] * 2


NFT = """table inet filter {
\tset admins {
\t\ttype ipv4_addr
\t\tflags interval
\t}

\tchain input {
\t\ttype filter hook input priority filter; policy POLICY;
\t\tct state established,related accept
\t\tiif "lo" accept
RULES\t}

\tchain forward {
\t\ttype filter hook forward priority filter; policy drop;
\t}
}
"""


def nft(policy: str = "accept", *rules: str, family: str = "inet", more: str = "") -> str:
    text = NFT.replace("POLICY", policy).replace("RULES", "".join(f"\t\t{rule}\n" for rule in rules))
    return text.replace("table inet", f"table {family}") + more


def with_chain(name: str, rule: str, text: str) -> str:
    return text.replace("\tchain forward", f"\tchain {name} {{\n\t\t{rule}\n\t}}\n\n\tchain forward")


ZONES = """table inet firewalld {
\tchain in_ZONES {
\t\tiifname "e" goto x
\t\treject with icmpx admin-prohibited
\t}
}
"""
BAN = """table inet f2b-table {
\tset addr-set-sshd {
\t\ttype ipv4_addr
\t}

\tchain f2b-chain {
\t\ttype filter hook input priority filter - 1; policy accept;
\t\ttcp dport 22 ip saddr @addr-set-sshd reject with icmp port-unreachable
\t}
}
"""


@pytest.fixture
def as_root(monkeypatch):
    monkeypatch.setattr(firewall.os, "geteuid", lambda: 0)


def with_tools(monkeypatch, *names: str) -> None:
    monkeypatch.setattr(firewall, "find_tool", lambda name: name if name in names else None)


def look(computer: Computer) -> dict:
    told = firewall.observe_firewall(computer.request())
    return told.data if isinstance(told, answer.Told) else told


@pytest.mark.parametrize(
    ("text", "active"),
    [
        (nft("drop"), True),
        (nft("accept"), False),
        (nft("accept", "drop"), True),
        (nft("accept", "counter drop"), True),
        (nft("accept", "counter packets 5 bytes 300 drop"), True),
        (nft("accept", 'log prefix "dropped: " drop'), True),
        (nft("accept", "reject with icmpx admin-prohibited"), True),
        (nft("accept", 'reject comment "the rest"'), True),
        (nft("accept", "tcp dport 23 drop"), False),
        (nft("accept", "ip saddr 192.0.2.0/24 reject"), False),
        (nft("drop", "accept"), False),
        (nft("drop", "counter accept"), False),
        (nft("drop", "tcp dport 22 accept"), True),
        (nft("accept", "accept", "drop"), False),
        (nft("accept", "return", "drop"), False),
        (with_chain("rest", "drop", nft("accept", "jump rest")), True),
        (with_chain("rest", "drop", nft("accept", "goto rest")), True),
        (with_chain("rest", "accept", nft("drop", "jump rest")), False),
        (
            nft("accept", "tcp dport 1 jump rest").replace(
                "chain forward", "chain rest {\n\t\tdrop\n\t}\n\n\tchain forward"
            ),
            False,
        ),
        (
            with_chain("loop", "jump loop", nft("accept", "jump loop")),
            False,
        ),
        (nft("drop", family="ip6"), False),
        (nft("drop", family="ip"), True),
        (nft("drop", family="bridge"), False),
        (BAN, False),
        (BAN + nft("drop"), True),
        ("", False),
        ("garbage {{{", False),
    ],
)
def test_a_packet_filter_is_active_when_it_turns_the_rest_away(computer, as_root, monkeypatch, text, active):
    with_tools(monkeypatch, "nft")
    computer.says("nft", text)
    assert look(computer)["active"] is active


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (nft("drop"), "nftables"),
        (nft("drop", more=ZONES), "firewalld"),
        (nft("drop", "counter packets 0 bytes 0 jump ufw-before-input", family="ip"), "ufw"),
    ],
)
def test_the_front_end_is_known_by_its_chains(computer, as_root, monkeypatch, text, kind):
    with_tools(monkeypatch, "nft")
    computer.says("nft", text)
    assert look(computer)["kind"] == kind


def test_rules_are_counted_in_all_chains(computer, as_root, monkeypatch):
    with_tools(monkeypatch, "nft")
    computer.says("nft", nft("drop", "tcp dport 22 accept", more=ZONES))
    assert look(computer) == {"active": True, "kind": "firewalld", "rules": 5}


SAVED = """# Generated by iptables-save
*filter
:INPUT POLICY [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-input - [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
RULESCOMMIT
"""


@pytest.mark.parametrize(
    ("policy", "rules", "active"),
    [
        ("DROP", "", True),
        ("ACCEPT", "", False),
        ("ACCEPT", "-A INPUT -j REJECT --reject-with icmp-host-prohibited\n", True),
        ("ACCEPT", "-A INPUT -j LOG --log-prefix x\n-A INPUT -j DROP\n", True),
        ("ACCEPT", "-A INPUT -p tcp -m tcp --dport 23 -j DROP\n", False),
        ("DROP", "-A INPUT -j ACCEPT\n", False),
        ("ACCEPT", "-A INPUT -j ufw-input\n-A ufw-input -j DROP\n", True),
        ("ACCEPT", "-A INPUT -i eth0 -j ufw-input\n-A ufw-input -j DROP\n", False),
    ],
)
def test_the_older_tools_tell_the_same(computer, as_root, monkeypatch, policy, rules, active):
    with_tools(monkeypatch, "iptables-save")
    computer.says("iptables-save", SAVED.replace("POLICY", policy).replace("RULES", rules))
    told = look(computer)
    assert (told["active"], told["rules"]) == (active, 1 + rules.count("-A "))


def test_legacy_tables_are_read_beside_nft(computer, as_root, monkeypatch):
    with_tools(monkeypatch, "nft", "iptables-save", "ip6tables-save")
    computer.says("nft", "")
    computer.says("iptables-save", SAVED.replace("POLICY", "DROP").replace("RULES", "").replace("ufw-", "own-"))
    computer.says("ip6tables-save", SAVED.replace("POLICY", "ACCEPT").replace("RULES", "").replace("ufw-", "own-"))
    assert look(computer)["active"] is False
    computer.write("/proc/net/ip_tables_names", "filter\n")
    told = look(computer)
    assert (told["active"], told["kind"]) == (True, "iptables")


def test_open_ipv6_beside_a_closed_ipv4_is_told(computer, as_root, monkeypatch):
    with_tools(monkeypatch, "nft")
    computer.says("nft", nft("drop", family="ip"))
    assert isinstance(firewall.observe_firewall(computer.request()), dict)
    computer.write("/proc/net/if_inet6", "fe80000000000000 02 40 20 80 eth0\n")
    assert firewall.observe_firewall(computer.request()).detail == "incoming IPv6 is not filtered"


def test_an_old_nft_is_asked_without_the_option_it_lacks(computer, as_root, monkeypatch):
    with_tools(monkeypatch, "nft")
    (computer.tools / "rules").write_text(nft("drop"))
    computer.tool(
        "nft", f'[ "$2" = --terse ] && {{ echo "unrecognized option" >&2; exit 1; }}; cat {computer.tools}/rules'
    )
    assert look(computer)["active"] is True


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'Operation not permitted (you must be root)' >&2; exit 1", "no_permission"),
        ("echo 'netlink: Error' >&2; exit 1", "failed"),
        ("sleep 30", "timeout"),
    ],
)
def test_a_filter_that_cannot_be_listed_is_unavailable(computer, as_root, monkeypatch, script, why):
    with_tools(monkeypatch, "nft")
    computer.tool("nft", script)
    with pytest.raises(answer.Unavailable) as caught:
        firewall.observe_firewall(computer.request(seconds=0.5))
    assert caught.value.reason == why


def test_an_ordinary_user_is_told_why(computer, monkeypatch):
    monkeypatch.setattr(firewall.os, "geteuid", lambda: 1000)
    with pytest.raises(answer.Unavailable) as caught:
        firewall.observe_firewall(computer.request())
    assert caught.value.reason == "no_permission"


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        ("ufw", "echo 'Status: active'", {"active": True, "kind": "ufw", "rules": None}),
        ("ufw", "echo 'Status: inactive'", {"active": False, "kind": "ufw", "rules": None}),
        ("firewall-cmd", "echo running", {"active": True, "kind": "firewalld", "rules": None}),
        ("firewall-cmd", "exit 252", {"active": False, "kind": "firewalld", "rules": None}),
    ],
)
def test_a_front_end_is_asked_for_want_of_the_kernels_word(computer, as_root, monkeypatch, name, script, told):
    with_tools(monkeypatch, name)
    computer.tool(name, script)
    assert look(computer) == told


def test_without_any_tool_nobody_can_tell(computer, as_root, monkeypatch):
    with_tools(monkeypatch)
    with pytest.raises(answer.Unavailable) as caught:
        firewall.observe_firewall(computer.request())
    assert caught.value.reason == "not_installed"


@given(st.text(alphabet="table chinp{}\t\n;drjocve-A:", max_size=200))
def test_no_text_in_place_of_rules_ends_in_a_traceback(text):
    ruleset = firewall.Ruleset()
    firewall.read_nftables(text, ruleset)
    firewall.read_saved(text, "ip", ruleset)
    assert ruleset.closed_families() <= {"ip", "ip6"}

# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Whether the kernel turns away what nobody asked for: the packet filter's rules for incoming traffic.

Front ends (ufw, firewalld) are asked only for want of the kernel's own word: a service that runs filters nothing
by itself, and each of them is a Python program that takes longer than all the rest.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Told,
    Unavailable,
    read_file,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.tool import Output, find_tool, run_tool

_TABLE = re.compile(r"table (\S+) (\S+) \{")
_CHAIN = re.compile(r"\tchain (\S+) \{")
_INPUT_HOOK = "type filter hook input "
# A verdict on everything: it stands alone, or behind statements that match nothing.
_VERDICT = re.compile(
    r'(?:counter(?: packets \d+ bytes \d+)? )?(?:log(?: [a-z]+ (?:"[^"]*"|\S+))* )?'
    r'(drop|reject|accept|return|jump|goto)(?: with .*| ([^\s"]+))?(?: comment ".*")?\Z'
)
_SAVED_CHAIN = re.compile(r":(\S+) (\S+)")
_SAVED_RULE = re.compile(r"-A (\S+) ")
_SAVED_JUMP = re.compile(r"-A \S+ -[jg] (\S+)")
_SAVED_VERDICTS = {"DROP": "drop", "REJECT": "drop", "ACCEPT": "accept", "RETURN": "return"}
_REFUSING = frozenset({"DROP", "REJECT"})
_FRONT_ENDS = (("firewalld", re.compile(r"firewalld|IN_public|INPUT_ZONES")), ("ufw", re.compile(r"\bufw6?-")))
_DEEPEST = 30


@dataclass
class _Chain:
    """One chain: its rules, and for one that the kernel enters by itself whether it turns away what is left."""

    rules: list[str] = field(default_factory=list)
    is_entered: bool = False
    drops_rest: bool = False


@dataclass
class Ruleset:
    """All chains by address family, table and name; `rules` is the number of rules in all of them."""

    chains: dict[tuple[str, str, str], _Chain] = field(default_factory=dict)

    @property
    def rules(self) -> int:
        """The number of rules."""
        return sum(len(chain.rules) for chain in self.chains.values())

    def closed_families(self) -> set[str]:
        """`ip`, `ip6`: for which incoming packets that no rule lets in are turned away."""
        closed: set[str] = set()
        for (family, table, name), chain in self.chains.items():
            if not chain.is_entered:
                continue
            verdict = self._judge((family, table, name))
            if verdict == "drop" or (verdict is None and chain.drops_rest):
                closed |= {"ip", "ip6"} if family == "inet" else {family}
        return closed & {"ip", "ip6"}

    def _judge(self, key: tuple[str, str, str], depth: int = 0) -> str | None:
        """drop or accept when the chain says so of every packet that its special rules leave over, else None."""
        chain = self.chains.get(key)
        if chain is None or depth > _DEEPEST:
            return None
        for rule in chain.rules:
            match = _VERDICT.match(rule)
            if match is None:
                continue
            if match[1] in ("drop", "reject"):
                return "drop"
            if match[1] in ("accept", "return"):
                return "accept" if match[1] == "accept" else None
            inner = self._judge((*key[:2], match[2] or ""), depth + 1)
            if inner is not None or match[1] == "goto":
                return inner
        return None


def observe_firewall(request: Request) -> object:
    """active: what no rule lets in is turned away, at least for IPv4; a filter of single addresses is not active.

    Raises Unavailable: no_permission for an ordinary user, not_installed where no tool can list the rules.
    """
    if os.geteuid() != 0:
        raise Unavailable("no_permission", "only root may list the rules of the packet filter")
    ruleset, text = Ruleset(), ""
    kinds = []
    if find_tool("nft"):
        text = _list_nftables(request)
        read_nftables(text, ruleset)
        kinds.append("nftables")
    has_nft_rules = bool(ruleset.chains)
    if not kinds or _has_legacy_tables(request):
        for family, tool in (("ip", "iptables-save"), ("ip6", "ip6tables-save")):
            if find_tool(tool):
                saved = _save_table(request, tool)
                read_saved(saved, family, ruleset)
                text += saved
                kinds.append("iptables")
    if not kinds:
        return _ask_front_end(request)
    closed = ruleset.closed_families()
    kind = next((name for name, mark in _FRONT_ENDS if mark.search(text)), kinds[0 if has_nft_rules else -1])
    data = {"active": "ip" in closed, "kind": kind, "rules": ruleset.rules}
    if "ip" in closed and "ip6" not in closed and _has_ipv6(request):
        return Told(data, "incoming IPv6 is not filtered")
    return data


def _list_nftables(request: Request) -> str:
    """`nft list ruleset` without the members of sets, which may be hundreds of thousands."""
    output = run_tool(["nft", "--stateless", "--terse", "list", "ruleset"], request.deadline)
    if output.rc != 0 and "option" in output.err:  # before 0.9.2 there is no --terse
        output = run_tool(["nft", "--stateless", "list", "ruleset"], request.deadline)
    return _text_of(output, "nft")


def _save_table(request: Request, tool: str) -> str:
    return _text_of(run_tool([tool, "-t", "filter"], request.deadline), tool)


def _text_of(output: Output, tool: str) -> str:
    if output.cut:
        raise Unavailable("unreadable", f"{tool} lists more rules than can be read")
    if output.rc != 0:
        reason = "no_permission" if "not permitted" in output.err or "denied" in output.err else "failed"
        raise Unavailable(reason, output.err or f"{tool} ended with status {output.rc}")
    return output.out.decode("utf-8", "replace")


def _has_legacy_tables(request: Request) -> bool:
    """Whether rules of the older kernel interface are loaded, which nft does not show."""
    for name in ("ip_tables_names", "ip6_tables_names"):
        try:
            if read_file(request.path("proc/net", name), 4096).strip():
                return True
        except OSError:
            continue
    return False


def _has_ipv6(request: Request) -> bool:
    try:
        lines = read_file(request.path("proc/net/if_inet6"), 65536).splitlines()
    except OSError:
        return False
    return any(not line.endswith(b" lo") for line in lines)


def read_nftables(text: str, ruleset: Ruleset) -> None:
    """Add the chains of `nft list ruleset`, whose indentation is fixed: tables at 0, chains at 1, rules at 2 tabs."""
    family = table = ""
    chain: _Chain | None = None
    for line in text.splitlines():
        head = _TABLE.match(line)
        inner = _CHAIN.match(line)
        if head:
            family, table = head[1], head[2]
        elif inner:
            chain = ruleset.chains.setdefault((family, table, inner[1]), _Chain())
        elif line == "\t}":
            chain = None
        elif chain is not None and line.startswith("\t\t") and not line.startswith("\t\t\t"):
            _read_nft_line(line.strip(), chain)


def _read_nft_line(line: str, chain: _Chain) -> None:
    if line.startswith("type "):
        chain.is_entered = line.startswith(_INPUT_HOOK)
        chain.drops_rest = chain.is_entered and "policy drop;" in line
    elif line and not line.startswith(("comment ", "elements ", "}")):
        chain.rules.append(line)


def read_saved(text: str, family: str, ruleset: Ruleset) -> None:
    """Add the filter table of `iptables-save`, its rules in nft's words as far as they matter here."""
    for line in text.splitlines():
        chain_line, rule_line = _SAVED_CHAIN.match(line), _SAVED_RULE.match(line)
        if chain_line:
            entered = chain_line[1] == "INPUT"
            chain = ruleset.chains.setdefault((family, "filter", chain_line[1]), _Chain())
            chain.is_entered, chain.drops_rest = entered, entered and chain_line[2] in _REFUSING
        elif rule_line:
            chain = ruleset.chains.setdefault((family, "filter", rule_line[1]), _Chain())
            chain.rules.append(_in_nft_words(line))


def _in_nft_words(line: str) -> str:
    match = _SAVED_JUMP.match(line)
    return line if match is None else _SAVED_VERDICTS.get(match[1], f"jump {match[1]}")


def _ask_front_end(request: Request) -> dict:
    """What ufw or firewalld say of themselves; without either nobody can tell."""
    if find_tool("ufw"):
        words = _text_of(run_tool(["ufw", "status"], request.deadline), "ufw").split()
        if words[:1] == ["Status:"] and len(words) > 1:
            return {"active": words[1] == "active", "kind": "ufw", "rules": None}
        raise Unavailable("unreadable", "ufw status is of no known shape")
    if find_tool("firewall-cmd"):
        output = run_tool(["firewall-cmd", "--state"], request.deadline)
        return {"active": output.rc == 0, "kind": "firewalld", "rules": None}
    raise Unavailable("not_installed", "neither nft, iptables-save, ufw nor firewall-cmd is installed")

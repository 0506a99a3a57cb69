# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Who may do everything according to sudoers(5): rules that allow all commands as root.

Only what grants is read. A rule that takes something away again (`!ALL`) is not weighed against it, a rule for
another computer counts, and so the answer names rather one too many than one too few.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import Unavailable, clean_text

_ALIASES = ("User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias")
_TAGS = (
    "NOEXEC|EXEC|NOFOLLOW|FOLLOW|NOLOG_INPUT|LOG_INPUT|NOLOG_OUTPUT|LOG_OUTPUT|NOMAIL|MAIL|NOINTERCEPT|INTERCEPT"
    "|NOPASSWD|PASSWD|NOSETENV|SETENV"
)
_TOKEN = re.compile(
    rf"\s*(?:(?P<tag>{_TAGS})\s*:|(?P<digest>sha\d+:\S+)"
    r'|(?P<word>[%+]?:?(?:"[^"]*"|(?:\\.|[^\s,=:()!"\\])+))|(?P<mark>[,=:()!])|(?P<other>\S))'
)
_ROOT = frozenset({"ALL", "root", "#0"})
# With one of these everybody is asked for root's own password, so a rule gives nothing to who does not know it.
_ASKS_FOR_ROOT = frozenset({"targetpw", "rootpw", "runaspw"})
_DEEPEST_ALIAS = 20


@dataclass
class Rules:
    """What the files say: aliases by kind and name, the grants, and whether root's own password is asked for."""

    aliases: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    grants: list[_Grant] = field(default_factory=list)
    asks_for_root: bool = False


@dataclass(frozen=True)
class _Grant:
    users: list[str]
    runas: list[str] | None  # None: no list, which means root
    commands: list[str]
    without_password: bool


def logical_lines(text: str) -> list[str]:
    """The lines without comments and with their continuations; `#include` and a uid such as `#0` are no comments."""
    lines = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        kept = line.strip()
        if not re.match(r"#(include(dir)?\s|-?\d)", kept):
            kept = re.sub(r"(?<!\\)#(?!\d).*", "", kept).strip()
        if kept:
            lines.append(kept)
    return lines


def read_include(line: str) -> tuple[str, bool] | None:
    """The path that a line includes, and whether it is a directory; None for another line."""
    match = re.match(r'[#@]include(dir)?\s+("[^"]+"|(?:\\.|\S)+)', line)
    if match is None:
        return None
    return re.sub(r"\\(.)", r"\1", match[2].strip('"')), match[1] is not None


def read_rule(line: str, rules: Rules) -> None:
    """Add what one logical line says. Raises Unavailable("unreadable") for one that is no sudoers."""
    first = line.split(None, 1)[0]
    if first.startswith("Defaults"):
        _read_defaults(line, rules)
    elif first in _ALIASES:
        kind = first.replace("Cmd_", "Cmnd_")
        for part in re.split(r"(?<!\\):(?=\s*[A-Z][A-Z0-9_]*\s*=)", line[len(first) :]):
            name, _equals, members = part.partition("=")
            words = [_positive_word(member) for member in _split(_tokens(members), ",")]
            rules.aliases[kind, name.strip()] = [word for word in words if word is not None]
    else:
        _read_grants(line, rules)


def _read_defaults(line: str, rules: Rules) -> None:
    head, _space, settings = line.partition(" ")
    if head != "Defaults":
        return  # for one user, host or command only
    for setting in re.split(r"[,\s]+", settings):
        if setting.lstrip("!") in _ASKS_FOR_ROOT:
            rules.asks_for_root = not setting.startswith("!")


def _tokens(text: str) -> list[tuple[str, str]]:
    """Pairs of kind and text; `other` is punctuation within arguments, which do not matter here."""
    found = ((str(match.lastgroup), match[str(match.lastgroup)]) for match in _TOKEN.finditer(text))
    return [(kind, _plain(word) if kind == "word" else word) for kind, word in found]


def _positive_word(tokens: list[tuple[str, str]]) -> str | None:
    """The first word, None when an odd number of `!` stands before it."""
    negations = 0
    for kind, text in tokens:
        if kind == "word":
            return None if negations % 2 else text
        negations += (kind, text) == ("mark", "!")
    return None


def _plain(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word.replace('"', ""))


def _read_grants(line: str, rules: Rules) -> None:
    tokens = _tokens(line)
    end = _end_of_users(tokens)
    named = [_positive_word(member) for member in _split(tokens[:end], ",")]
    users = [name for name in named if name is not None]
    for part in _split(tokens[end:], ":"):
        if ("mark", "=") not in part:
            raise Unavailable("unreadable", f"sudoers has a line of no known shape: {clean_text(line, 60)}")
        _read_commands(part[part.index(("mark", "=")) + 1 :], users, rules)


def _end_of_users(tokens: list[tuple[str, str]]) -> int:
    """The position after the first word that no comma follows."""
    for position, (kind, _text) in enumerate(tokens):
        if kind == "word" and tokens[position + 1 : position + 2] != [("mark", ",")]:
            return position + 1
    return len(tokens)


def _split(tokens: list[tuple[str, str]], mark: str) -> list[list[tuple[str, str]]]:
    """The tokens between marks of that kind which stand outside parentheses."""
    parts: list[list[tuple[str, str]]] = [[]]
    depth = 0
    for token in tokens:
        if token[0] == "mark":
            depth += {"(": 1, ")": -1}.get(token[1], 0)
        if token == ("mark", mark) and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _read_commands(tokens: list[tuple[str, str]], users: list[str], rules: Rules) -> None:
    """The command specifications of one host list; who they run as and their tags hold on for those that follow."""
    runas: list[str] | None = None
    without_password = False
    for spec in _split(tokens, ","):
        body = _without_options(spec)
        if body and body[0] == ("mark", "("):
            end = body.index(("mark", ")")) if ("mark", ")") in body else len(body) - 1
            runas, body = _read_runas(body[1:end]), _without_options(body[end + 1 :])
        for kind, text in body:
            if kind == "tag" and text in ("PASSWD", "NOPASSWD"):
                without_password = text == "NOPASSWD"
        command = _positive_word(body)
        if command is not None:
            rules.grants.append(_Grant(users, runas, [command], without_password))


def _without_options(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The tokens after options such as ROLE=..., CWD=... and NOTAFTER=..."""
    while len(tokens) > 2 and tokens[1] == ("mark", "="):
        tokens = tokens[3:]
    return tokens


def _read_runas(tokens: list[tuple[str, str]]) -> list[str]:
    """The users of `(users : groups)`; with groups alone one stays oneself."""
    return [text for kind, text in _split(tokens, ":")[0] if kind == "word"]


def list_grantees(rules: Rules) -> list[str]:
    """Users as they are written: `name`, `%group`, `%#gid`, `#uid`, `+netgroup` or `ALL`; aliases resolved."""
    found: dict[str, None] = {}
    for grant in rules.grants:
        if rules.asks_for_root and not grant.without_password:
            continue
        runs_as_root = grant.runas is None or _ROOT & set(_resolve("Runas_Alias", grant.runas, rules))
        if runs_as_root and "ALL" in _resolve("Cmnd_Alias", grant.commands, rules):
            found.update(dict.fromkeys(_resolve("User_Alias", grant.users, rules)))
    return list(found)


def _resolve(kind: str, words: list[str], rules: Rules, depth: int = 0) -> list[str]:
    resolved: list[str] = []
    for word in words:
        members = rules.aliases.get((kind, word))
        if members is None or depth > _DEEPEST_ALIAS:
            resolved.append(word)
        else:
            resolved += _resolve(kind, members, rules, depth + 1)
    return resolved

# Copyright: The itcare authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: its shape may change in any release.
"""Sockets on which programs of this computer wait for others, read from /proc/net."""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from dataclasses import dataclass

from ansible_collections.itcare.maintenance.plugins.module_utils._health.answer import (
    Request,
    Told,
    Unavailable,
    read_file,
    read_first_line,
    why_not_read,
)
from ansible_collections.itcare.maintenance.plugins.module_utils._health.system import read_users

_TABLES = (("tcp", "tcp"), ("tcp", "tcp6"), ("udp", "udp"), ("udp", "udp6"))
_TABLE_BYTES = 64_000_000
# include/net/tcp_states.h: TCP_LISTEN; an unconnected UDP socket is in state TCP_CLOSE.
_WAITING = {"tcp": b"0A", "udp": b"07"}
_SOCKET = re.compile(r"socket:\[(\d+)\]\Z")
_MOST_ROWS = 400
_MAPPED = b"\0" * 10 + b"\xff\xff"  # an IPv4 address within IPv6


@dataclass(frozen=True)
class Listener:
    """One waiting socket; `address` in network byte order, 4 or 16 bytes."""

    protocol: str
    address: bytes
    port: int
    uid: int
    inode: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer itself can reach it."""
        if len(self.address) == 16 and self.address.startswith(_MAPPED):
            return self.address[12] == 127
        return self.address[0] == 127 if len(self.address) == 4 else self.address == b"\0" * 15 + b"\1"


def observe_listeners(request: Request) -> object:
    """One row per protocol, address, port and program.

    `process` is None for sockets of the kernel, and of other users where they cannot be looked into.
    """
    found: list[Listener] = []
    for protocol, name in _TABLES:
        try:
            table = read_file(request.path("proc/net", name), _TABLE_BYTES)
        except FileNotFoundError as error:
            if name == "tcp":
                raise why_not_read(error) from error
            continue  # a kernel without IPv6 or without UDP
        except OSError as error:
            raise why_not_read(error) from error
        if len(table) == _TABLE_BYTES:
            raise Unavailable("unreadable", f"/proc/net/{name} is larger than can be read")
        found += read_table(table, protocol)
    owners, unseen = _find_owners(request, {listener.inode for listener in found})
    users, ephemeral = read_users(request), _ephemeral_ports(request)
    rows = {_key(row): row for row in (_row(one, owners, users, ephemeral) for one in found)}
    kept = [rows[key] for key in sorted(rows, key=lambda key: (rows[key]["loopback"], key))]
    remarks = [f"{unseen} of the processes could not be looked into"] if unseen else []
    if len(kept) > _MOST_ROWS:
        remarks.append(f"{len(kept) - _MOST_ROWS} more are left out")
    return Told(kept[:_MOST_ROWS], "; ".join(remarks)) if remarks else kept


def read_table(table: bytes, protocol: str) -> list[Listener]:
    """The waiting sockets of one table of proc(5) net. Raises Unavailable("unreadable") for another shape."""
    lines = table.splitlines()
    if not lines or b"local_address" not in lines[0]:
        raise Unavailable("unreadable", f"the table of {protocol} sockets has no known head")
    found = []
    for line in lines[1:]:
        fields = line.split(None, 10)
        try:
            if fields[3] != _WAITING[protocol] or not _is_unconnected(fields[2]):
                continue
            address, port = fields[1].split(b":")
            found.append(Listener(protocol, _read_address(address), int(port, 16), int(fields[7]), int(fields[9])))
        except (IndexError, ValueError, struct.error) as error:
            raise Unavailable("unreadable", f"a line of the {protocol} sockets is of no known shape") from error
    return found


def _is_unconnected(remote: bytes) -> bool:
    return set(remote) <= set(b"0:")


def _read_address(text: bytes) -> bytes:
    """The kernel prints each 32-bit word in the byte order of the computer."""
    if len(text) not in (8, 32):
        raise ValueError("neither an IPv4 nor an IPv6 address")
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    return struct.pack(f"={len(words)}I", *words)


def _find_owners(request: Request, inodes: set[int]) -> tuple[dict[int, str], int]:
    """inode -> program for as many as can be seen, and the number of processes that could not be."""
    owners: dict[int, str] = {}
    unseen = 0
    try:
        pids = sorted((int(name) for name in os.listdir(request.path("proc")) if name.isdecimal()), reverse=True)
    except OSError:
        return owners, 0
    wanted = inodes - {0}
    for pid in pids:
        if not wanted - owners.keys() or time.monotonic() >= request.deadline:
            break
        folder = request.path("proc", str(pid))
        try:
            held = _sockets_of(os.path.join(folder, "fd"))
        except PermissionError:
            unseen += 1
            continue
        except OSError:
            continue  # it ended meanwhile
        for inode in held & wanted:
            owners[inode] = read_first_line(os.path.join(folder, "comm")) or "unknown"
    return owners, unseen


def _sockets_of(folder: str) -> set[int]:
    held = set()
    for name in os.listdir(folder):
        try:
            match = _SOCKET.match(os.readlink(os.path.join(folder, name)))
        except FileNotFoundError:
            continue  # closed meanwhile
        if match:
            held.add(int(match[1]))
    return held


def _ephemeral_ports(request: Request) -> range:
    """The ports that the kernel gives to clients, ip-sysctl ip_local_port_range."""
    words = (read_first_line(request.path("proc/sys/net/ipv4/ip_local_port_range")) or "").split()
    if len(words) == 2 and all(word.isdecimal() and len(word) < 6 for word in words):
        return range(int(words[0]), int(words[1]) + 1)
    return range(0)


def _row(listener: Listener, owners: dict[int, str], users: dict[int, str], ephemeral: range) -> dict:
    process = owners.get(listener.inode)
    family = socket.AF_INET if len(listener.address) == 4 else socket.AF_INET6
    return {
        "protocol": listener.protocol,
        "address": socket.inet_ntop(family, listener.address),
        "port": listener.port,
        "loopback": listener.is_loopback,
        # A program that asks others by UDP waits for their answers on such a port, another each time.
        "ephemeral": listener.protocol == "udp" and process is not None and listener.port in ephemeral,
        "process": process,
        "user": users.get(listener.uid, str(listener.uid)),
    }


def _key(row: dict) -> tuple:
    return row["protocol"], row["port"], row["address"], row["process"] or "", row["user"]

"""Write a spool of two tasks, closed or told why not: the process that the fault sweep torments.

Usage: python spool_once.py COLLECTIONS SPOOL. Prints `ACK n` when n lines are written, `CLOSED` after
the synchronisation, and ends with 74 when a line cannot be written, as the callback does. It is the
callback's own writer, without the playbook around it.
"""

import os
import sys
from typing import Any

AFTER = "ITCARE_WRITES_AFTER_A_FAULT"


def lines() -> list[tuple[str, dict[str, object]]]:
    digest, task = "ab" * 32, {"host": "pc01", "module": "ansible.builtin.ping", "file": "x.yml", "line": 1}
    started = [
        ("task_start", {**task, "task": name, "position": place, "name": name, "args": {}, "check": False})
        for place, name in enumerate(("one", "two"))
    ]
    ended = [
        ("task_end", {"host": "pc01", "task": name, "outcome": "changed", "ignored": False, "truncated": False,
                      "result": {"stdout": "x" * 3000}})
        for name in ("one", "two")
    ]  # fmt: skip
    header = {
        "spool": 1, "run": None, "collection": "0.1.0", "ansible_core": "2.21.5", "check": False, "user": "itcare",
        "playbook": {"path": "x.yml", "sha256": digest},
    }  # fmt: skip
    play = {"play": "p", "name": "p", "hosts": ["pc01"]}
    closing = {"lines": 7, "hosts": {"pc01": {"started": 2, "ended": 2}}}
    return [("header", header), ("play", play), started[0], ended[0], started[1], ended[1], ("end", closing)]


def write_all(writer: Any) -> bool:
    """Whether every line was written; the first that is not ends it, unless the defence is off."""
    whole = True
    for event, fields in lines():
        try:
            writer.write(event, fields)
        except Exception as error:  # noqa: BLE001 - as the callback: whatever it is, the run has to end
            os.write(2, f"{event}: {error}\n".encode())
            if AFTER not in os.environ:
                return False
            writer._is_broken, whole = False, False  # the defence, off: write on behind half a line
        else:
            os.write(1, b"ACK %d\n" % writer.lines)
    return whole


def main() -> int:
    sys.path.append(sys.argv[1])
    from ansible_collections.itcare.maintenance.plugins.plugin_utils._spool.writer import open_spool

    try:
        writer, _ = open_spool(sys.argv[2], None)
        if not write_all(writer):
            return 74
        writer.close()
        os.write(1, b"CLOSED\n")
    except Exception as error:  # noqa: BLE001 - as the callback
        os.write(2, f"{error}\n".encode())
        return 74
    return 0


if __name__ == "__main__":
    sys.exit(main())

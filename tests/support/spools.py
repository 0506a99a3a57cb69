"""Write spools by hand, so that a reader can be tested without a run."""

import json
from dataclasses import dataclass, field
from pathlib import Path

RUN = {"id": "0123456789abcdef0123456789abcdef", "nonce": "00112233445566778899aabbccddeeff", "fence": 7}
DIGEST = "ab" * 32

DEEP = b'{"n":1,"event":"play","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
INNER = '{"n":1,"event":"play","at":"2026-08-03T10:00:00.000000Z","mono":1.0,"play":"p","name":%s,"hosts":[]}'

# The second line of a spool, hostile or broken, and the word for what is wrong with it.
BAD_LINES = {
    "no object": (b"[1, 2]", "not_an_object"),
    "a bare number": (b"1", "not_an_object"),
    "no JSON": (b"{n:1}", "not_json"),
    "two lines in one": (b'{"n":1,"event":"pl{"n":2}ay"}', "not_json"),
    "an empty line": (b"", "not_json"),
    "a key twice": (b'{"n":1,"n":1,"event":"play"}', "duplicate_key"),
    "a key twice inside": ((INNER % '{"a":1,"a":2}').encode(), "duplicate_key"),
    "NaN": ((INNER % "NaN").encode(), "unclean_value"),
    "infinity by exponent": ((INNER % "1e999").encode(), "unclean_value"),
    "a number of 400 digits": ((INNER % ("1" + "0" * 400)).encode(), "unclean_value"),
    "a number of 5000 digits": ((INNER % ("1" + "0" * 5000)).encode(), "not_json"),
    "depth 100000": (DEEP, "not_json"),
    "depth 100": ((INNER % ("[" * 100 + "]" * 100)).encode(), "unclean_value"),
    "half a surrogate pair": ((INNER % r'"\ud800"').encode(), "unclean_value"),
    "NUL": ((INNER % r'"a\u0000b"').encode(), "unclean_value"),
    "a raw NUL": (b"\x00" * 10, "not_json"),
    "bytes beyond ASCII": ((INNER % '"é"').encode(), "not_ascii"),
    "bytes that are no text": (b'{"n":1,"event":"\xff\xfe"}', "not_ascii"),
    "a name that is no text": ((INNER % "7").encode(), "malformed"),
    "a foreign event": (b'{"n":1,"event":"runner_on_ok"}', "foreign_event"),
    "an event that is no text": (b'{"n":1,"event":["play"]}', "malformed"),
    "a counter that jumps": (b'{"n":2,"event":"play"}', "counter_gap"),
    "a counter that is true": (b'{"n":true,"event":"play"}', "malformed"),
    "a second header": (b'{"n":1,"event":"header"}', "second_header"),
    "a line of three megabytes": (b'{"n":1,"x":"' + b"x" * 3_000_000 + b'"}', "line_too_long"),
}


@dataclass
class SpoolText:
    """Lines of a spool, numbered and counted as the callback does it."""

    lines: list[dict[str, object]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, event: str, **fields: object) -> "SpoolText":
        number = len(self.lines)
        at = f"2026-08-03T10:{number // 60:02}:{number % 60:02}.000000Z"
        self.lines.append({"n": number, "event": event, "at": at, "mono": 100.0 + number, **fields})
        return self

    def header(self, run: dict[str, object] | None = RUN, **changes: object) -> "SpoolText":
        fields = {
            "spool": 1,
            "run": run,
            "collection": "0.1.0",
            "ansible_core": "2.21.5",
            "playbook": {"path": "playbooks/health.yml", "sha256": DIGEST},
            "check": False,
            "user": "itcare",
        }
        return self.add("header", **{**fields, **changes})

    def file(self, path: str = "plugins/modules/health_info.py", kind: str = "module") -> "SpoolText":
        return self.add("file", kind=kind, name="itcare.maintenance", path=path, sha256=DIGEST, bytes=17)

    def play(self, *hosts: str) -> "SpoolText":
        return self.add("play", play="play-1", name="health", hosts=list(hosts))

    def start(self, host: str, task: str, **changes: object) -> "SpoolText":
        count = self.counts.setdefault(host, {"started": 0, "ended": 0})
        fields: dict[str, object] = {
            "host": host,
            "task": task,
            "position": count["started"],
            "name": f"name of {task}",
            "module": "itcare.maintenance.health_info",
            "file": "roles/health/tasks/main.yml",
            "line": 3,
            "args": {"services": ["ssh"]},
            "check": False,
        }
        count["started"] += 1
        return self.add("task_start", **{**fields, **changes})

    def end(self, host: str, task: str, outcome: str = "ok", **changes: object) -> "SpoolText":
        fields: dict[str, object] = {
            "host": host,
            "task": task,
            "outcome": outcome,
            "ignored": False,
            "truncated": False,
            "result": {"changed": outcome == "changed"},
        }
        self.counts[host]["ended"] += 1
        return self.add("task_end", **{**fields, **changes})

    def close(self) -> "SpoolText":
        return self.add("end", lines=len(self.lines) + 1, hosts=self.counts)

    def encoded(self) -> bytes:
        return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in self.lines)

    def write(self, folder: Path) -> Path:
        path = folder / "spool.jsonl"
        path.write_bytes(self.encoded())
        return path


def sample_spool() -> SpoolText:
    """A complete spool of two hosts and two tasks."""
    text = SpoolText().header().file().play("pc01", "pc02")
    for task in ("t1", "t2"):
        for host in ("pc01", "pc02"):
            text.start(host, task)
        for host in ("pc01", "pc02"):
            text.end(host, task, "ok" if task == "t1" else "changed")
    return text.close()

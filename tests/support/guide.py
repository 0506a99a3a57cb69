"""A guide as a test reads it: what its reader types, writes and sees.

Fenced blocks are taken in order. ```sh is typed, line by line; ```text shows what the block before it printed;
```yaml is written into a file. Comments that no reader sees say what cannot be seen in the text:

    <!-- write: PATH -->      the next block becomes this file; `append:` adds to it
    <!-- exit: 3 -->          exit code of the last line of the next sh block (else 0)
    <!-- answer: y -->        what is typed when the command asks
    <!-- serve -->            the next command goes on until it is interrupted
    <!-- host: on -->         the computer of the guide is switched `on` or `off`
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"<!-- (\w+)(?:: (.*?))? -->")
_ANY = "…"  # a line of only this stands for any number of lines
_VARYING = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<instant>"),
    (r"\b\d\d:\d\d:\d\d\b", "<time>"),
    (r"SHA256:[A-Za-z0-9+/]{43}", "<fingerprint>"),
    (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", "<key>"),
    (r"\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b", "<digest>"),
    (r"token=[\w-]{43}", "<token>"),
    (r"\b\d+\.\d s\b", "<seconds>"),
    (r"\b\d+ kB\b", "<size>"),
    (r"127\.0\.0\.1:85\d\d", "<address>"),
    (r"AAAA[A-Za-z0-9+/]{64}", "<public key>"),
    (r"\b(clock) (NOT synchronised|synchronised)", r"\1 <state>"),
    (r"whether its clock was synchronised is unknown", "its clock <state>"),
    (r"operator .+, on .+, its clock <state>", "operator <operator>"),
    (r"\((<digest>|no commit)\)", "(<commit>)"),
    (r"\b(itcare|collection) \d+\.\d+\.\d+", r"\1 <version>"),
    (r"\b(files used|bodies): \d+", r"\1: <count>"),
    (r"client/1/[0-9a-f]{32}", "client/1/<log>"),
    (r"\s+", " "),
)


@dataclass(frozen=True)
class Step:
    """One fenced block with its marks; `line` is where it stands in the guide."""

    kind: str
    text: str
    line: int
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> list[str]:
        """What is typed: one command a line, a line that ends with a backslash goes on in the next."""
        return re.sub(r"\\\n\s*", "", self.text).splitlines()


def read_steps(guide: str) -> Iterator[Step]:
    """Every block of the guide in order, with the marks that stand before it."""
    end = 0
    for match in _FENCE.finditer(guide):
        marks = {name: value or "" for name, value in _MARK.findall(guide[end : match.start()])}
        yield Step(match[1], match[2], guide.count("\n", 0, match.start()) + 1, marks)
        end = match.end()


def settle(text: str) -> list[str]:
    """Lines without what differs from day to day: instants, digests, keys, widths of columns."""
    lines = []
    for line in text.splitlines():
        for pattern, name in _VARYING:
            line = re.sub(pattern, name, line)
        if line.strip():
            lines.append(line.strip())
    return lines


def differs(shown: str, printed: str) -> str | None:
    """The first line of a shown output that was not printed there, or None when all is as shown."""
    wanted, found = settle(shown), settle(printed)
    place, free = 0, False
    for line in wanted:
        if line == _ANY:
            free = True
            continue
        if free:
            place = next((n for n in range(place, len(found)) if found[n] == line), len(found))
        if place >= len(found) or found[place] != line:
            return line
        place, free = place + 1, False
    return None if free or place == len(found) else f"(end of output), then came: {found[place]}"


@dataclass
class Shell:
    """One reader's shell: folder and exported variables stay from line to line."""

    folder: Path
    environ: Mapping[str, str]

    def start(self, line: str) -> "subprocess.Popen[str]":
        """Begin one line; its messages and results come on one pipe, as on a terminal."""
        kept, place = self.folder / "variables", self.folder / "place"
        before = f'cd {self.environ["HOME"]}; [ ! -e {kept} ] || . {kept}; [ ! -e {place} ] || cd "$(cat {place})"\n'
        after = f"\ncode=$?; export -p >{kept}; pwd >{place}; exit $code\n"
        return subprocess.Popen(
            ["bash", "-c", before + line + after], env=dict(self.environ), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, line: str, answer: str | None) -> tuple[int, str]:
        """Exit code and output of one line. An answer is shown where it was asked for, as a terminal does."""
        process = self.start(line)
        output, _ = process.communicate(f"{answer}\n" if answer else "", timeout=240)
        return process.returncode, output.replace("[y/N]: ", f"[y/N]: {answer}\n") if answer else output

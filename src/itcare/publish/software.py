"""The software of one host at its newest look, and what changed between any two. Pure.

A source (dpkg, rpm, snap, …) that could not be asked says nothing: its packages stay as they were last
seen, and the next look that could ask it is compared with that one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from itcare.core.words import SoftwareChange, SourceState
from itcare.publish.measures import SOFTWARE_COUNT
from itcare.publish.records import Records
from itcare.publish.results import Result
from itcare.publish.rows import MeasureRow, SoftwareChangeRow, SoftwareLookRow, SoftwareRow
from itcare.publish.shape import instant, mapping, sequence, text, word

SOFTWARE_MODULE = "itcare.maintenance.software_info"
SOFTWARE_SCHEMA = "itcare/software/v1"
RESULT_KEY = "software"
_LISTS_AT_HAND = 2  # what is compared, one source after the other
ATTACHMENT = "packages"

MAXIMUM_PACKAGES = 20_000
"""Packages of one host that are published; a full Debian desktop has about 3,000."""

type _Key = tuple[str, str, str]  # scope, name, architecture
type _Listed = Mapping[str, object]
"""A package as the host tells it, with a name and a source."""


@dataclass
class _Baseline:
    """What the last look that could ask a source found there.

    `origin`: digest of the body with the list, which is an attachment (`attached`) or the answer itself.
    `packages`: the list, where it was read already; `count`: how many they are.
    """

    run: int
    origin: str
    attached: bool
    count: int
    packages: tuple[_Listed, ...] | None = None


class SoftwareTrack:
    """The software of one host; fed its looks from the oldest to the newest."""

    def __init__(self, history: Records, host: str) -> None:
        self._history = history
        self._host = host
        self._baselines: dict[str, _Baseline] = {}
        self._at_hand: dict[str, tuple[_Listed, ...]] = {}
        self.changes: list[SoftwareChangeRow] = []
        self.counts: list[MeasureRow] = []
        self.has_other_lists = False
        """Whether any list is another than at the start; else its rows are those of before."""

    def remember(self) -> dict[str, object]:
        """What is needed to go on from here (`recall`): not the lists, which lie in the ledger's bodies."""
        return {name: [one.run, one.origin, one.attached, one.count] for name, one in self._baselines.items()}

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `remember` gave."""
        self._baselines = {name: _Baseline(*values) for name, values in kept.items()}

    def take(self, result: Result, at: datetime) -> None:
        """One answer of the module; an answer whose list was erased or has no list tells nothing."""
        digest = result.task.attachments.get(ATTACHMENT)
        origin, attached = digest or result.task.result, digest is not None
        states = {str(name): mapping(it).get("state") for name, it in mapping(result.value.get("sources")).items()}
        asked = [name for name, state in states.items() if _was_asked(state)]
        if origin is None or not self._take_lists(asked, origin, attached, result.record.run, at):
            return
        if asked and len(asked) == len(states):  # a count without one of the sources would look like a removal
            count = float(sum(self._baselines[name].count for name in asked))
            self.counts.append(MeasureRow(self._host, SOFTWARE_COUNT, None, at, count, None, result.record.run))

    def rows(self) -> Iterator[SoftwareRow]:
        """The newest list of every source, at most `MAXIMUM_PACKAGES` in all."""
        room = MAXIMUM_PACKAGES
        for source, baseline in sorted(self._baselines.items()):
            for one in (self._list(source, baseline) or ())[:room]:
                scope, name, architecture = _key_of(one)
                yield SoftwareRow(
                    self._host, name, text(one.get("version")) or "", text(one.get("publisher")), architecture or None,
                    scope, instant(one.get("installed_at")), source,
                )  # fmt: skip
            room = max(0, room - baseline.count)

    def looks(self) -> Iterator[SoftwareLookRow]:
        """The newest look at every source."""
        for source, baseline in sorted(self._baselines.items()):
            yield SoftwareLookRow(self._host, source, baseline.run)

    def _take_lists(self, asked: Iterable[str], origin: str, attached: bool, run: int, at: datetime) -> bool:
        """Take in one look's list of every source that was asked; False where it cannot be read."""
        for source in asked:
            before = self._baselines.get(source)
            if before is not None and before.origin == origin:  # the very same list, which need not be read
                before.run = run
                continue
            packages = self._read(origin, attached)
            if packages is None:
                return False
            listed = tuple(one for one in packages if one["source"] == source)
            if before is not None and (old := self._list(source, before)) is not None:
                self._compare(before.run, old, listed, source, run, at)
            self._baselines[source] = _Baseline(run, origin, attached, len(listed), listed)
            self.has_other_lists = True
        return True

    def _list(self, source: str, baseline: _Baseline) -> tuple[_Listed, ...] | None:
        if baseline.packages is None:
            packages = self._read(baseline.origin, baseline.attached)
            if packages is None:
                return None
            baseline.packages = tuple(one for one in packages if one["source"] == source)
        return baseline.packages

    def _read(self, origin: str, attached: bool) -> tuple[_Listed, ...] | None:
        if origin not in self._at_hand:
            body = self._history.read_once(origin) if attached else self._history.read(origin)
            listed = body if attached else mapping(mapping(body).get(RESULT_KEY)).get("packages")
            if not isinstance(listed, list):
                return None
            while len(self._at_hand) >= _LISTS_AT_HAND:
                del self._at_hand[next(iter(self._at_hand))]
            self._at_hand[origin] = tuple(_read_packages(listed))
        return self._at_hand[origin]

    def _compare(
        self, run_before: int, before: Iterable[_Listed], after: Iterable[_Listed], source: str, run: int, at: datetime
    ) -> None:
        old, new = _versions(before), _versions(after)
        for key in sorted(old.keys() | new.keys()):
            for kind, gone, come in _changes_of(old.get(key, frozenset()), new.get(key, frozenset())):
                scope, name, architecture = key
                self.changes.append(
                    SoftwareChangeRow(
                        self._host, at, run_before, run, kind, name, scope, source, architecture or None, gone, come
                    )
                )


def _changes_of(old: frozenset[str], new: frozenset[str]) -> Iterator[tuple[SoftwareChange, str | None, str | None]]:
    """Of a package that may be there in several versions at once, as kernels are: only one for one is an update."""
    if len(old) == len(new) == 1 and old != new:
        yield SoftwareChange.UPDATED, min(old), min(new)
        return
    for version in sorted(old - new):
        yield SoftwareChange.REMOVED, version, None
    for version in sorted(new - old):
        yield SoftwareChange.INSTALLED, None, version


def _versions(packages: Iterable[_Listed]) -> Mapping[_Key, frozenset[str]]:
    found: dict[_Key, set[str]] = {}
    for package in packages:
        found.setdefault(_key_of(package), set()).add(text(package.get("version")) or "")
    return {key: frozenset(versions) for key, versions in found.items()}


def _key_of(package: _Listed) -> _Key:
    """What stays the same when it is updated, within its source."""
    name, scope = package["name"], text(package.get("scope")) or "machine"
    return scope, str(name), text(package.get("architecture")) or ""


def _was_asked(state: object) -> bool:
    return word(SourceState, state) in (SourceState.OK, SourceState.ABSENT)


def _read_packages(listed: object) -> Iterator[_Listed]:
    """Packages that have a name and a source; the list is a host's word."""
    for item in sequence(listed):
        package = mapping(item)
        if text(package.get("name")) and text(package.get("source")):
            yield package

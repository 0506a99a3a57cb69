"""Since when a finding stands: the judgements on all recorded looks, joined where they say the same. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from itcare.assess.finding import SEVERITY
from itcare.core.clock import read_instant, write_instant
from itcare.core.words import FindingStatus
from itcare.publish.host_rows import OLDEST_LOOK, Finding, Told
from itcare.publish.rows import FindingIntervalRow

_BAD = (FindingStatus.FAIL, FindingStatus.WARN)

type _Key = tuple[str, str | None]


@dataclass
class _Open:
    """An interval that the newest look did not contradict."""

    status: FindingStatus
    first_seen: datetime
    first_run: int
    last_seen: datetime
    last_run: int


class IntervalTrack:
    """The intervals of one host; fed its looks from the oldest to the newest."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._open: dict[_Key, _Open] = {}
        self._closed: list[tuple[_Key, _Open, int]] = []
        self._newest: tuple[datetime, int, bool] | None = None

    def remember(self) -> dict[str, object]:
        """What is needed to go on from here (`recall`); intervals that ended are left behind."""
        newest = None if self._newest is None else [write_instant(self._newest[0]), *self._newest[1:]]
        return {
            "open": [
                [rule, subject, one.status.value, write_instant(one.first_seen), one.first_run,
                 write_instant(one.last_seen), one.last_run]
                for (rule, subject), one in self._open.items()
            ],
            "newest": newest,
        }  # fmt: skip

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `remember` gave."""
        for rule, subject, status, first_seen, first_run, last_seen, last_run in kept["open"]:
            self._open[rule, subject] = _Open(
                FindingStatus(status), read_instant(first_seen), first_run, read_instant(last_seen), last_run
            )
        if kept["newest"]:
            at, run, whole = kept["newest"]
            self._newest = read_instant(at), run, whole

    def take(self, at: datetime, run: int, findings: Iterable[Told]) -> None:
        """A whole look: what it no longer says has ended, but for rules that could not judge at all."""
        told = self._worst(findings)
        blind = {
            rule for (rule, subject), status in told.items() if subject is None and status is FindingStatus.UNKNOWN
        }
        for key in [key for key in self._open if key not in told and key[0] not in blind]:
            self._close(key, run)
        self._note(at, run, told)
        self._newest = at, run, True

    def take_flaw(self, at: datetime, run: int, missing: Finding) -> None:
        """A look that failed: it says that nothing is known, and ends nothing that was seen before."""
        self._note(at, run, self._worst([(missing.rule, missing.subject, missing.status)]))
        self._newest = at, run, False

    def rows(self, now: datetime) -> Iterator[FindingIntervalRow]:
        """Every interval, those that ended first. See docs/snapshot-v3.md for what is `current`."""
        yield from self.ended()
        for (rule, subject), one in self._open.items():
            yield self._row(rule, subject, one, current=self._is_current(one, now))

    def ended(self) -> Iterator[FindingIntervalRow]:
        """The intervals that ended since `recall`, or at all."""
        for (rule, subject), one, run in self._closed:
            yield self._row(rule, subject, one, current=False, ended_by=run)

    def _is_current(self, one: _Open, now: datetime) -> bool:
        """Old bad news stands until a look says otherwise; other news only while it is the newest and recent."""
        if one.status in _BAD:
            return True
        if self._newest is None or one.last_run != self._newest[1]:
            return False
        return not self._newest[2] or now - self._newest[0] <= OLDEST_LOOK

    def _note(self, at: datetime, run: int, told: dict[_Key, FindingStatus]) -> None:
        for key, status in told.items():
            known = self._open.get(key)
            if known is not None and known.status is status:
                known.last_seen, known.last_run = at, run
            else:
                if known is not None:
                    self._close(key, run)
                self._open[key] = _Open(status, at, run, at, run)

    def _close(self, key: _Key, run: int) -> None:
        self._closed.append((key, self._open.pop(key), run))

    def _worst(self, findings: Iterable[Told]) -> dict[_Key, FindingStatus]:
        told: dict[_Key, FindingStatus] = {}
        for rule, subject, status in findings:
            key = rule, subject
            if key not in told or SEVERITY[status] < SEVERITY[told[key]]:
                told[key] = status
        return told

    def _row(
        self, rule: str, subject: str | None, one: _Open, *, current: bool, ended_by: int | None = None
    ) -> FindingIntervalRow:
        return FindingIntervalRow(
            self._host, rule, subject, one.status, one.first_seen, one.last_seen, one.first_run, one.last_run, current,
            ended_by,
        )  # fmt: skip

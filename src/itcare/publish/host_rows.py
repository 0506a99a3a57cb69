"""Rows of hosts, of what their newest observation says, and of the judgement on it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from itcare.contract.models import ResolvedHost
from itcare.core.words import FindingStatus, HostOutcome, SourceState
from itcare.publish.records import Flaw, HostRecord, Observation, Records
from itcare.publish.rows import FactRow, FindingRow, HostRow
from itcare.publish.shape import mapping, text, word

OLDEST_LOOK = timedelta(days=14)
"""After this an observation is no longer taken for how the host is; Avast Business, too, calls a
computer unseen after 14 days."""

MAXIMUM_SOURCES = 100
"""Sources of one observation that are shown; the module has about ten, a hostile host may claim more."""


class Finding(Protocol):
    """A judgement as `itcare.assess` makes it."""

    @property
    def rule(self) -> str: ...
    @property
    def rule_version(self) -> int: ...
    @property
    def status(self) -> FindingStatus: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def fact(self) -> str: ...
    @property
    def values(self) -> Mapping[str, object]: ...
    @property
    def reason(self) -> str: ...
    @property
    def threshold(self) -> Mapping[str, object]: ...
    @property
    def threshold_source(self) -> str: ...
    @property
    def source(self) -> str: ...


type Told = tuple[str, str | None, FindingStatus]
"""Rule, subject and status of a finding."""


@dataclass(frozen=True)
class Judge:
    """How observations are judged: `assess` for a whole one, `assess_missing` with the reason for none."""

    policy_version: str
    assess: Callable[[Mapping[str, object], ResolvedHost], Iterable[Finding]]
    assess_missing: Callable[[str], Finding]
    assess_statuses: Callable[[Mapping[str, object], ResolvedHost], Iterable[Told]] | None = None

    def tell(self, health: Mapping[str, object], host: ResolvedHost) -> Iterable[Told]:
        """Rule, subject and status of what `assess` finds, which may cost less to find."""
        if self.assess_statuses is not None:
            return self.assess_statuses(health, host)
        return [(finding.rule, finding.subject, finding.status) for finding in self.assess(health, host)]


@dataclass(frozen=True)
class KnownHost:
    """A host to publish; `resolved` is None for one that the contract does not name today."""

    name: str
    site: str | None
    role: str | None
    resolved: ResolvedHost | None


def make_host_row(history: Records, host: KnownHost) -> HostRow:
    """The row of one host: what the newest attempt gave, and when it was last seen."""
    attempts = history.attempts(host.name)
    last = attempts[-1] if attempts else None
    seen = last_observation(history, attempts)
    return HostRow(
        name=host.name,
        site=host.site,
        role=host.role,
        os=text(mapping(seen.health.get("system")).get("pretty_name")) if seen else None,
        current=host.resolved is not None,
        last_run=last.run if last else None,
        last_outcome=last.outcome if last else None,
        last_reason=last.reason if last else None,
        last_attempt_at=next((record.opened_at for record in reversed(attempts) if record.opened_at), None),
        last_observed_at=seen.observed_at if seen else None,
        needs_verify=last is not None and last.needs_verify,
    )


def make_finding_rows(
    history: Records, hosts: Iterable[KnownHost], judge: Judge, now: datetime, first_id: int = 1
) -> tuple[FindingRow, ...]:
    """The judgement on the newest look at each current host, numbered from `first_id` on.

    Where that look failed, or lies more than `OLDEST_LOOK` back, an `unknown` stands in its place; of
    what was seen before it only the bad stays: old good news is no news, old bad news still is.
    """
    pairs = [
        (host.name, judged)
        for host in hosts
        if host.resolved
        for judged in _judge_host(history, host.name, host.resolved, judge, now)
    ]
    return tuple(_make_finding(number, name, judged) for number, (name, judged) in enumerate(pairs, start=first_id))


def make_fact_rows(history: Records, hosts: Iterable[KnownHost]) -> tuple[FactRow, ...]:
    """The sources of the newest usable observation of each host, as the host told them."""
    rows: list[FactRow] = []
    for host in hosts:
        seen = last_observation(history, history.attempts(host.name))
        if seen:
            rows += _make_facts(seen)
    return tuple(rows)


def last_observation(history: Records, attempts: tuple[HostRecord, ...]) -> Observation | None:
    """The newest whole observation among the records."""
    for record in reversed(attempts):
        seen = history.observe(record)
        if isinstance(seen, Observation):
            return seen
    return None


@dataclass(frozen=True)
class _Judged:
    finding: Finding
    record: HostRecord | None
    seen: Observation | None


def _judge_host(history: Records, name: str, resolved: ResolvedHost, judge: Judge, now: datetime) -> Iterator[_Judged]:
    attempts = history.attempts(name)
    look = history.last_look(name)
    seen = look if isinstance(look, Observation) else last_observation(history, attempts)
    judged = [_Judged(finding, seen.record, seen) for finding in judge.assess(seen.health, resolved)] if seen else []
    if isinstance(look, Observation) and _is_recent(look, now):
        yield from judged
        return
    reason = look.reason if isinstance(look, Flaw) else _tell_absence(attempts)
    at_fault = look.record if isinstance(look, Flaw) else (attempts[-1] if attempts else None)
    yield _Judged(judge.assess_missing(reason), at_fault, None)
    yield from (one for one in judged if one.finding.status in (FindingStatus.FAIL, FindingStatus.WARN))


def _is_recent(seen: Observation, now: datetime) -> bool:
    return seen.observed_at is not None and now - seen.observed_at <= OLDEST_LOOK


def _tell_absence(attempts: tuple[HostRecord, ...]) -> str:
    """A word that `assess_missing` knows: whether the host was tried and not reached, or never seen."""
    return "not_reached" if attempts and attempts[-1].outcome is HostOutcome.NOT_REACHED else "missing"


def _make_finding(number: int, host: str, judged: _Judged) -> FindingRow:
    finding, record, seen = judged.finding, judged.record, judged.seen
    return FindingRow(
        id=number,
        host=host,
        rule=finding.rule,
        rule_version=finding.rule_version,
        status=finding.status,
        subject=finding.subject,
        fact=finding.fact,
        values=finding.values,
        reason=finding.reason,
        threshold=finding.threshold,
        threshold_source=finding.threshold_source,
        source=finding.source,
        run=record.run if record else None,
        entry=record.entry if record else None,
        task_position=seen.task.position if seen else None,
        observed_at=seen.observed_at if seen else None,
    )


def _make_facts(seen: Observation) -> Iterator[FactRow]:
    sources = mapping(seen.health.get("sources"))
    for name in sorted(map(str, sources))[:MAXIMUM_SOURCES]:
        source = mapping(sources[name])
        state = word(SourceState, source.get("state"))
        yield FactRow(
            host=seen.record.host,
            source=name,
            state=state or SourceState.UNAVAILABLE,
            reason=text(source.get("reason")) if state else "malformed",
            detail=text(source.get("detail")),
            data=source.get("data") if state is SourceState.OK else None,
            run=seen.record.run,
            observed_at=seen.observed_at,
        )

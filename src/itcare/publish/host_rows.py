"""Rows of hosts, of what their newest observation says, and of the judgement on it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from itcare.contract.models import ResolvedHost
from itcare.core.words import FindingStatus, HostOutcome, SourceState
from itcare.publish.records import Flaw, History, HostRecord, Observation
from itcare.publish.rows import FactRow, FindingRow, HostRow
from itcare.publish.shape import mapping, text, word

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


@dataclass(frozen=True)
class Judge:
    """How observations are judged: `assess` for a whole one, `assess_missing` with the reason for none."""

    policy_version: str
    assess: Callable[[Mapping[str, object], ResolvedHost], Iterable[Finding]]
    assess_missing: Callable[[str], Finding]


@dataclass(frozen=True)
class KnownHost:
    """A host to publish; `resolved` is None for one that the contract does not name today."""

    name: str
    site: str | None
    role: str | None
    resolved: ResolvedHost | None


def make_host_row(history: History, host: KnownHost) -> HostRow:
    """The row of one host: what the newest attempt gave, and when it was last seen."""
    attempts = history.attempts(host.name)
    last = attempts[-1] if attempts else None
    seen = _last_observation(history, attempts)
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
    )


def make_finding_rows(history: History, hosts: Iterable[KnownHost], judge: Judge) -> tuple[FindingRow, ...]:
    """The judgement on the newest look at each current host; one `unknown` where there was none to judge."""
    pairs = ((host, row) for host in hosts if host.resolved for row in _judge_host(history, host, host.resolved, judge))
    return tuple(_make_finding(number, host.name, *row) for number, (host, row) in enumerate(pairs, start=1))


def make_fact_rows(history: History, hosts: Iterable[KnownHost]) -> tuple[FactRow, ...]:
    """The sources of the newest usable observation of each host, as the host told them."""
    rows: list[FactRow] = []
    for host in hosts:
        seen = _last_observation(history, history.attempts(host.name))
        if seen:
            rows += _make_facts(seen)
    return tuple(rows)


def _last_observation(history: History, attempts: tuple[HostRecord, ...]) -> Observation | None:
    for record in reversed(attempts):
        seen = history.observe(record)
        if isinstance(seen, Observation):
            return seen
    return None


def _judge_host(
    history: History, host: KnownHost, resolved: ResolvedHost, judge: Judge
) -> Iterator[tuple[Finding, HostRecord | None, Observation | None]]:
    match history.last_look(host.name):
        case Observation() as seen:
            for finding in judge.assess(seen.health, resolved):
                yield finding, seen.record, seen
        case Flaw() as flaw:
            yield judge.assess_missing(flaw.reason), flaw.record, None
        case None:
            attempts = history.attempts(host.name)
            last = attempts[-1] if attempts else None
            yield judge.assess_missing(_tell_absence(last)), last, None


def _tell_absence(last: HostRecord | None) -> str:
    if last is None:
        return "never looked at"
    if last.outcome is HostOutcome.NOT_REACHED:
        return f"not reached: {last.reason}" if last.reason else "not reached"
    return f"never observed; its newest run gave {last.outcome}"


def _make_finding(
    number: int, host: str, finding: Finding, record: HostRecord | None, seen: Observation | None
) -> FindingRow:
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

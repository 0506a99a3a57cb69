"""From one observation to its findings: pure, without a clock, the same whenever it is asked.

Whatever a host sends, the answer is findings: what cannot be read is `unknown`, never `ok`, never an exception.
"""

from collections.abc import Iterator, Mapping, Sequence

from itcare.assess.finding import SEVERITY, Finding, Value
from itcare.assess.messages import SHARED
from itcare.assess.policy import CONTRACT, Policy
from itcare.assess.reading import Malformed, Record, describe, neutral_text
from itcare.assess.rules import RULES
from itcare.assess.rules.verdict import Case, Rule, Verdict, malformed
from itcare.core.words import FindingStatus, SourceState

HEALTH_SCHEMA = "itcare/health/v1"
OBSERVATION = "observation"  # the rule id of findings on an observation as a whole
MOST_FINDINGS = 200  # per rule
_CUT = "_cut"  # what the spool leaves in place of a value too large for it
_STATES = frozenset(SourceState)


def assess(
    observation: object,
    policy: Policy,
    *,
    services: Sequence[str] = (),
    administrators: Sequence[str] | None = None,
    listeners: Sequence[str] | None = None,
    requires: Sequence[str] = (),
    role: str | None = None,
) -> list[Finding]:
    """Judge one health observation (`itcare/health/v1`) of a computer in a role: server, workstation or laptop.

    `services`, `administrators` (a name, or `%group` for all its members), `listeners` (`tcp/22`) and `requires`
    (`firewall`, `encryption`): what the contract lists for it; None is no list, an empty one allows nothing.

    Findings come worst first (fail, warn, unknown, ok), then in the order of the rules and of the
    observation. There is always at least one. A source that is absent yields none; one that could not
    be asked or read yields `unknown` for each of its rules. Ages are counted from `observed_at`.
    """
    prepared = _prepare(observation, services, administrators, listeners, requires, role)
    if isinstance(prepared, Finding):
        return [prepared]
    sources, case = prepared
    findings = [_dress(verdict, rule, policy) for rule in RULES for verdict in _judge(rule, sources, case, policy)] or [
        _on_whole("empty")
    ]
    return sorted(findings, key=lambda finding: SEVERITY[finding.status])


def assess_statuses(
    observation: object,
    policy: Policy,
    *,
    services: Sequence[str] = (),
    administrators: Sequence[str] | None = None,
    listeners: Sequence[str] | None = None,
    requires: Sequence[str] = (),
    role: str | None = None,
) -> list[tuple[str, str | None, FindingStatus]]:
    """Rule, subject and status of every finding that `assess` makes, in any order: a fraction of its work."""
    prepared = _prepare(observation, services, administrators, listeners, requires, role)
    if isinstance(prepared, Finding):
        return [(prepared.rule, prepared.subject, prepared.status)]
    sources, case = prepared
    told = [
        (rule.id, verdict.subject, verdict.status) for rule in RULES for verdict in _judge(rule, sources, case, policy)
    ]
    return told or [(OBSERVATION, None, FindingStatus.UNKNOWN)]


def _prepare(
    observation: object,
    services: Sequence[str],
    administrators: Sequence[str] | None,
    listeners: Sequence[str] | None,
    requires: Sequence[str],
    role: str | None,
) -> tuple[Record, Case] | Finding:
    """What rules judge, and by what; or the one finding on an observation that none can judge."""
    if not isinstance(observation, Mapping):
        return _on_whole("malformed", _as_values(Malformed(OBSERVATION, describe(observation), "an object")))
    if _CUT in observation:
        return _on_whole("truncated")
    schema = observation.get("schema")
    if schema != HEALTH_SCHEMA:
        found = neutral_text(schema) if isinstance(schema, str) and schema else describe(schema)
        return _on_whole("unsupported", {"found": found, "expected": HEALTH_SCHEMA})
    whole = Record(OBSERVATION, observation)
    try:
        observed_at, sources = whole.instant("observed_at"), whole.record("sources")
    except Malformed as error:
        # Without its time an observation is no evidence, however plausible the rest.
        return _on_whole("malformed", _as_values(error))
    case = Case(
        limits={},
        observed_at=observed_at,
        services=tuple(services),
        administrators=None if administrators is None else tuple(administrators),
        listeners=None if listeners is None else tuple(listeners),
        requires=frozenset(requires),
        role=role,
    )
    return sources, case


def assess_missing(reason: str) -> Finding:
    """The finding where no observation can be judged.

    `reason`: `truncated` for one that was cut short on its way; else a word of
    `messages.PHRASES["reason_word"]` such as `missing`, `not_reached` or `failed`, or other short text.
    """
    if reason == "truncated":
        return _on_whole("truncated")
    return _on_whole("missing", {"reason_word": neutral_text(reason) or None})


def _as_values(error: Malformed) -> dict[str, Value]:
    return malformed(error).values


def _on_whole(name: str, values: dict[str, Value] | None = None) -> Finding:
    fact = f"{OBSERVATION}.{name}"
    return Finding(OBSERVATION, 1, FindingStatus.UNKNOWN, None, fact, values or {}, {}, "", OBSERVATION)


def _judge(rule: Rule, sources: Record, case: Case, policy: Policy) -> Sequence[Verdict]:
    if not rule.applies(case):
        return ()
    case = Case(
        policy.thresholds[rule.id], case.observed_at, case.services, case.administrators, case.listeners,
        case.requires, case.role,
    )  # fmt: skip
    verdicts = [*_collect(rule, sources, case)]
    return verdicts if len(verdicts) < 2 else _keep_worst(verdicts)  # one needs no order


def _collect(rule: Rule, sources: Record, case: Case) -> Iterator[Verdict]:
    """The verdicts of one rule; those reached before the data became unreadable stand."""
    try:
        yield from _ask(rule, sources, case)
    except Malformed as error:
        yield malformed(error)


def _ask(rule: Rule, sources: Record, case: Case) -> Iterator[Verdict]:
    if rule.source not in sources.fields:
        yield Verdict(FindingStatus.UNKNOWN, "not_observed", None, {})
        return
    source = sources.record(rule.source)
    state = SourceState(source.word("state", _STATES))
    if state is SourceState.OK:
        yield from rule.judge(source.fields.get("data"), case)
    elif state is SourceState.ABSENT:
        yield from rule.judge_absence(case)
    else:
        why: dict[str, Value] = {
            "reason_word": source.optional_text("reason"),
            "detail_note": source.optional_text("detail"),
        }
        yield Verdict(FindingStatus.UNKNOWN, "unavailable", None, why)


def _keep_worst(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """At most `MOST_FINDINGS`, and where there were more, one `unknown` that says so."""
    ranked = sorted(verdicts, key=lambda verdict: SEVERITY[verdict.status])
    if len(ranked) <= MOST_FINDINGS:
        return ranked
    count: dict[str, Value] = {"count": len(ranked), "shown": MOST_FINDINGS}
    return [*ranked[:MOST_FINDINGS], Verdict(FindingStatus.UNKNOWN, "truncated", None, count)]


def _dress(verdict: Verdict, rule: Rule, policy: Policy) -> Finding:
    values = verdict.values | ({"topic_word": rule.id} if verdict.name in SHARED else {})
    limits = policy.thresholds[rule.id]
    source = CONTRACT if verdict.from_contract else policy.source_of(rule.id, verdict.applied)
    is_judged = verdict.status is not FindingStatus.UNKNOWN
    return Finding(
        rule=rule.id,
        rule_version=rule.version,
        status=verdict.status,
        subject=verdict.subject,
        fact=f"{rule.id}.{verdict.name}",
        values=values,
        threshold={key: limits[key] for key in verdict.applied},
        threshold_source=source if is_judged else "",
        source=rule.source,
    )

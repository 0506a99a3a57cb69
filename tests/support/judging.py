"""Shorthands for tests of rules: judge, and look at one finding."""

from collections.abc import Mapping, Sequence

from itcare.assess import Finding, assess, policy_for

DEFAULTS = policy_for({})


def judge(
    observation: object,
    rule: str,
    *,
    services: Sequence[str] = (),
    thresholds: Mapping[str, float] | None = None,
    **expected: object,
) -> list[Finding]:
    """The findings of one rule; `expected` is what the contract lists: administrators, listeners, requires, role."""
    policy = policy_for({rule: thresholds}) if thresholds else DEFAULTS
    return [finding for finding in assess(observation, policy, services=services, **expected) if finding.rule == rule]


def judge_one(
    observation: object,
    rule: str,
    *,
    services: Sequence[str] = (),
    thresholds: Mapping[str, float] | None = None,
    **expected: object,
) -> Finding:
    """The only finding of one rule; fails where there are none or more."""
    (finding,) = judge(observation, rule, services=services, thresholds=thresholds, **expected)
    return finding

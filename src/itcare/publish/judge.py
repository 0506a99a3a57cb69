"""The judgement of `itcare.assess` under one contract, as publishing applies it."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from itcare.assess import Finding, assess, assess_missing, assess_statuses, policy_for
from itcare.contract.models import Contract, ResolvedHost
from itcare.publish.host_rows import Judge, Told


def judge_for(contract: Contract) -> Judge:
    """Judges by the default thresholds with the contract's in their place.

    Raises BadInputError when the contract sets a threshold that no rule has.
    """
    policy = policy_for(contract.thresholds)

    def judge(health: Mapping[str, object], host: ResolvedHost) -> Sequence[Finding]:
        return assess(health, policy, **_context(host))

    def tell(health: Mapping[str, object], host: ResolvedHost) -> Sequence[Told]:
        return assess_statuses(health, policy, **_context(host))

    return Judge(policy.version, judge, assess_missing, tell)


class _Context(TypedDict):
    """What the contract lists for a host, as `assess` takes it."""

    services: Sequence[str]
    administrators: Sequence[str] | None
    listeners: Sequence[str] | None
    requires: Sequence[str]
    role: str | None


def _context(host: ResolvedHost) -> _Context:
    return {
        "services": host.services,
        "administrators": host.administrators,
        "listeners": host.listeners,
        "requires": host.requires,
        "role": host.role,
    }

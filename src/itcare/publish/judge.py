"""The judgement of `itcare.assess` under one contract, as publishing applies it."""

from collections.abc import Mapping, Sequence

from itcare.assess import Finding, assess, assess_missing, policy_for
from itcare.contract.models import Contract, ResolvedHost
from itcare.publish.host_rows import Judge


def judge_for(contract: Contract) -> Judge:
    """Judges by the default thresholds with the contract's in their place.

    Raises BadInputError when the contract sets a threshold that no rule has.
    """
    policy = policy_for(contract.thresholds)

    def judge(health: Mapping[str, object], host: ResolvedHost) -> Sequence[Finding]:
        return assess(
            health,
            policy,
            services=host.services,
            administrators=host.administrators,
            listeners=host.listeners,
            requires=host.requires,
            role=host.role,
        )

    return Judge(policy.version, judge, assess_missing)

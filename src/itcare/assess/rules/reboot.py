"""`reboot.pending`: how long an update has been waiting for a restart."""

from collections.abc import Iterator
from datetime import timedelta

from itcare.assess.finding import Value
from itcare.assess.reading import Record
from itcare.assess.rules.verdict import Case, Rule, Verdict
from itcare.assess.units import SECONDS_PER_DAY
from itcare.core.clock import write_instant
from itcare.core.words import FindingStatus


def judge_reboot(data: object, case: Case) -> Iterator[Verdict]:
    """The age runs from the flag or the newer kernel to the observation, not to today."""
    reboot = Record.of(data, "reboot")
    kernel: dict[str, Value] = {"running_kernel": reboot.text("running_kernel")}
    if not reboot.flag("pending"):
        yield Verdict(FindingStatus.OK, "none", None, kernel)
        return
    since = reboot.optional_instant("since")
    if since is None:
        yield Verdict(FindingStatus.UNKNOWN, "no_start", None, kernel)
    elif since > case.observed_at:
        start: dict[str, Value] = {"since_at": write_instant(since)}
        yield Verdict(FindingStatus.UNKNOWN, "start_in_future", None, kernel | start)
    else:
        yield _judge_age(case.observed_at - since, case, kernel | {"since_at": write_instant(since)})


def _judge_age(age: timedelta, case: Case, values: dict[str, Value]) -> Verdict:
    limits, applied = case.limits, tuple(case.limits)

    def tell(status: FindingStatus, name: str, limit_days: float) -> Verdict:
        told = {**values, "age_seconds": age.total_seconds(), "limit_age_seconds": limit_days * SECONDS_PER_DAY}
        return Verdict(status, name, None, told, applied)

    for status, key in ((FindingStatus.FAIL, "fail_days"), (FindingStatus.WARN, "warn_days")):
        if age >= timedelta(days=limits[key]):
            return tell(status, "overdue", limits[key])
    return tell(FindingStatus.OK, "recent", limits["warn_days"])


RULES = (Rule("reboot.pending", 1, "reboot", judge_reboot),)

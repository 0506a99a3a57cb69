"""A finding: what one rule says about one thing on one computer."""

from collections.abc import Mapping
from dataclasses import dataclass

from itcare.assess.messages import render
from itcare.assess.reading import Value
from itcare.core.words import FindingStatus

__all__ = ["SEVERITY", "Finding", "Value"]

# Worst first. A known failure outranks "not known"; "not known" outranks a clean result, never the reverse.
SEVERITY: Mapping[FindingStatus, int] = {
    FindingStatus.FAIL: 0,
    FindingStatus.WARN: 1,
    FindingStatus.UNKNOWN: 2,
    FindingStatus.OK: 3,
}


@dataclass(frozen=True)
class Finding:
    """Judgement of one rule on one subject of one observation.

    `subject`: mount, disk, unit ... as the host spells it, None when the rule judges the whole computer.
    `fact`: stable message id, a key of `messages.MESSAGES`; `values` fill its template, in base units
    (bytes, seconds, percent).
    `threshold`: the limits that were compared, empty where none was; `threshold_source`: whose choice they are.
    `source`: the name in the observation's `sources` that was judged.

    Text that came from the host is freed of control and direction marks and cut to a bounded length. It is
    not escaped: Markdown, HTML and SQL remain the business of whoever prints or stores it.
    """

    rule: str
    rule_version: int
    status: FindingStatus
    subject: str | None
    fact: str
    values: dict[str, Value]
    threshold: dict[str, float]
    threshold_source: str
    source: str

    @property
    def reason(self) -> str:
        """The message in English; written when it is asked for, since judging the past again needs no sentences."""
        return render(self.fact, self.values)

    def to_dict(self) -> dict[str, object]:
        """The finding as JSON types, keys in the order of the fields."""
        return {
            "rule": self.rule,
            "rule_version": self.rule_version,
            "status": self.status.value,
            "subject": self.subject,
            "fact": self.fact,
            "values": dict(self.values),
            "reason": self.reason,
            "threshold": dict(self.threshold),
            "threshold_source": self.threshold_source,
            "source": self.source,
        }

"""What a rule is: a judge of the data of one source, and the verdicts it returns."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from itcare.assess.finding import Value
from itcare.assess.reading import Malformed, Record
from itcare.core.words import FindingStatus


@dataclass(slots=True)  # not frozen, which triples the cost of making one for every rule; nobody changes it
class Case:
    """What a judge may know besides the data.

    `limits`: the rule's thresholds in force, in the units of `policy.THRESHOLDS`.
    `observed_at`: the observation's own time, the only one from which ages are counted.
    `services`, `administrators`, `listeners`, `requires`: what the contract lists for this computer; None where
    it has no such list. `role`: server, workstation or laptop, None where it is not known.
    """

    limits: Mapping[str, float]
    observed_at: datetime
    services: tuple[str, ...] = ()
    administrators: tuple[str, ...] | None = None
    listeners: tuple[str, ...] | None = None
    requires: frozenset[str] = frozenset()
    role: str | None = None


@dataclass(slots=True)
class Verdict:
    """A finding before the engine dresses it.

    `name`: the last part of the message id. `applied`: the keys of the limits that were compared.
    `from_contract`: the contract alone asked for this, no threshold of the policy.
    """

    status: FindingStatus
    name: str
    subject: str | None
    values: dict[str, Value]
    applied: tuple[str, ...] = ()
    from_contract: bool = False


type Judge = Callable[[object, Case], Iterator[Verdict]]


@dataclass(frozen=True)
class Rule:
    """One rule: its stable id, its version (raised when it judges otherwise), its source and its judge.

    A judge raises Malformed, before or between verdicts, for data it cannot read. `judge_absence` is asked
    where the host says that the thing is not there; commonly there is then nothing to judge. `applies` tells
    whether there is anything to judge by; where not, the rule says nothing and the source stays a fact.
    """

    id: str
    version: int
    source: str
    judge: Judge
    judge_absence: Callable[[Case], Iterator[Verdict]] = lambda case: iter(())
    applies: Callable[[Case], bool] = lambda case: True


def malformed(error: Malformed) -> Verdict:
    """The verdict on something unreadable: unknown, with place, found and expected."""
    values: dict[str, Value] = {"place": error.place, "found": error.found, "expected": error.expected}
    return Verdict(FindingStatus.UNKNOWN, "malformed", None, values)


def judge_rows(rows: Iterable[object], place: str, judge: Callable[[Record], Verdict | None]) -> Iterator[Verdict]:
    """Judge every row by itself, so that one unreadable row hides none of the others."""
    for index, row in enumerate(rows):
        try:
            verdict = judge(Record.of(row, f"{place}[{index}]"))
        except Malformed as error:
            verdict = malformed(error)
        if verdict is not None:
            yield verdict

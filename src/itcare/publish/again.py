"""Judgements kept with each publication, and the same looks judged again under today's thresholds. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from itcare.assess.finding import SEVERITY
from itcare.core.words import FindingStatus
from itcare.publish.host_rows import Judge, KnownHost, last_observation
from itcare.publish.records import History, Observation, Records
from itcare.publish.shape import mapping, sequence, text, whole, word

type _Place = tuple[str, int]
type _Verdicts = dict[tuple[str, str | None], FindingStatus]


@dataclass(frozen=True)
class Difference:
    """A judgement that is another today; `was` or `now_is` None: that rule said nothing of this subject."""

    host: str
    rule: str
    subject: str | None
    run: int
    was: FindingStatus | None
    now_is: FindingStatus | None


@dataclass(frozen=True)
class Comparison:
    """What judging again gave. `looks`: how many were compared. `gone`: looks that can be judged no more.

    `policy_then`: version of the thresholds of the newest publication with judgements.
    """

    differences: tuple[Difference, ...]
    looks: int
    gone: int
    policy_then: str | None


def list_judgements(history: Records, hosts: Iterable[KnownHost], judge: Judge) -> list[dict[str, object]]:
    """What is kept of a publication: every judgement on the newest whole look at each host of the contract."""
    listed: list[dict[str, object]] = []
    for host in hosts:
        seen = last_observation(history, history.attempts(host.name)) if host.resolved else None
        if seen is not None and host.resolved is not None:
            for (rule, subject), status in _verdicts(judge, host, seen).items():
                listed.append(
                    {
                        "host": host.name,
                        "rule": rule,
                        "subject": subject,
                        "status": status.value,
                        "run": seen.record.run,
                    }
                )
    return listed


def judge_again(history: History, hosts: Iterable[KnownHost], judge: Judge) -> Comparison:
    """Judge every look that some publication judged, and compare with the newest of those judgements.

    Hosts that the contract does not name today have no thresholds to be judged by and are left out.
    """
    kept, policy = _kept_judgements(history)
    known = {host.name: host for host in hosts if host.resolved}
    runs = {run.number: run for run in history.runs}
    differences: list[Difference] = []
    looks = gone = 0
    for (name, number), was in sorted(kept.items()):
        if name not in known:
            continue
        record = runs[number].hosts.get(name) if number in runs else None
        seen = history.observe(record) if record is not None else "missing"
        if not isinstance(seen, Observation):
            gone += 1
            continue
        looks += 1
        differences += _compare(name, number, was, _verdicts(judge, known[name], seen))
    return Comparison(tuple(differences), looks, gone, policy)


def _compare(host: str, run: int, was: _Verdicts, now_is: _Verdicts) -> Iterator[Difference]:
    for rule, subject in sorted(was.keys() | now_is.keys(), key=lambda key: (key[0], key[1] or "")):
        before, after = was.get((rule, subject)), now_is.get((rule, subject))
        if before is not after:
            yield Difference(host, rule, subject, run, before, after)


def _kept_judgements(history: History) -> tuple[Mapping[_Place, _Verdicts], str | None]:
    """By host and run what the newest publication that told of it said; what cannot be read is passed over."""
    kept: dict[_Place, _Verdicts] = {}
    policy: str | None = None
    for publication in history.publications:
        listed = history.read_once(publication.findings) if publication.findings else None
        if not isinstance(listed, list):
            continue
        policy = publication.policy
        told: dict[_Place, _Verdicts] = {}
        for item in sequence(listed):
            row = mapping(item)
            host, rule, run = text(row.get("host")), text(row.get("rule")), whole(row.get("run"))
            status = word(FindingStatus, row.get("status"))
            if host and rule and run and status:
                told.setdefault((host, run), {})[rule, text(row.get("subject"))] = status
        kept |= told
    return kept, policy


def _verdicts(judge: Judge, host: KnownHost, seen: Observation) -> _Verdicts:
    """The worst status by rule and subject."""
    told: _Verdicts = {}
    for finding in judge.assess(seen.health, host.resolved) if host.resolved else ():
        key = finding.rule, text(finding.subject)
        if key not in told or SEVERITY[finding.status] < SEVERITY[told[key]]:
            told[key] = finding.status
    return told

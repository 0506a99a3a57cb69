"""The dashboard's table of sentences against the package's judgement, and how values are written."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.assess import messages as judged
from itcare.assess import policy
from itcare.core.words import FindingStatus
from itcare.publish.rows import FindingRow
from tests.support import dashboard  # noqa: F401 - puts the dashboard's modules on the path

import briefs  # isort: skip
import findings  # isort: skip
import messages as shown  # isort: skip
import quantities  # isort: skip
import words  # isort: skip

UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "lang", lambda: "en")


def _row(fact: str, values: object, **more: object) -> FindingRow:
    given_values: dict[str, object] = {
        "id": 1, "host": "pc01", "rule": fact.rpartition(".")[0], "rule_version": 1, "status": FindingStatus.WARN,
        "subject": None, "fact": fact, "values": values, "reason": "stored sentence", "threshold": {},
        "threshold_source": None, "source": None, "run": 1, "entry": 1, "task_position": 1,
        "observed_at": datetime(2026, 3, 1, tzinfo=UTC),
    }  # fmt: skip
    return FindingRow(**(given_values | more))  # type: ignore[arg-type] # values of the right types, see above


def test_the_sentences_equal_those_of_the_judgement() -> None:
    assert {fact: shown.MESSAGES.get(fact) for fact in judged.MESSAGES} == dict(judged.MESSAGES)
    assert set(shown.OWN) <= set(judged.MESSAGES)  # none is left over
    assert dict(judged.SHARED) == shown.SHARED
    assert dict(judged.TOPICS) == shown.TOPICS
    assert dict(judged.PHRASES["reason_word"]) == shown.REASONS
    assert judged.NOT_REPORTED == shown.NOT_REPORTED


def test_every_rule_has_its_column() -> None:
    assert set(briefs._AREA_OF_RULE) == set(judged.TOPICS)
    assert set(briefs._AREA_OF_RULE.values()) == set(briefs.AREAS)


def test_every_threshold_and_every_choice_has_words() -> None:
    assert {(entry.rule, entry.key) for entry in policy.THRESHOLDS} == set(findings._LIMITS)
    sources = {entry.source for entry in policy.THRESHOLDS} | set(policy.CHOICES.values()) | {policy.CONTRACT}
    assert sources <= set(findings._CHOICES)


def test_a_threshold_partly_of_the_contract_is_told_in_parts() -> None:
    changed = policy.policy_for({"reboot.pending": {"warn_days": 2}})
    source = changed.source_of("reboot.pending", ("warn_days", "fail_days"))
    told = findings.choice_of(_row("reboot.pending.overdue", {}, threshold_source=source))
    assert told == "the contract (warn_days), the rest: itcare's own choice"


@pytest.mark.parametrize("fact", sorted(shown.MESSAGES))
def test_every_sentence_is_filled_whole(fact: str) -> None:
    values: dict[str, object] = {}
    for name in re.findall(r"\{([a-z_]+)\}", shown.MESSAGES[fact]):
        numbers = ("_bytes", "_percent", "_seconds", "_sectors", "_inodes", "_celsius")
        values[name] = (
            12.0 if name.endswith(numbers) else "2026-03-01T00:00:00.000000Z" if name.endswith("_at") else "x"
        )
    told = findings.sentence(_row(fact, values), UTC_ZONE)
    assert "{" not in told
    assert told != "stored sentence"


def test_a_message_of_a_newer_itcare_shows_its_stored_sentence() -> None:
    assert findings.sentence(_row("disk.melted.away", {}), UTC_ZONE) == "stored sentence"
    assert findings.sentence(_row("disk.free.low", {"mount": "/"}), UTC_ZONE) == "stored sentence"
    assert findings.sentence(_row("disk.free.low", ["not", "a", "mapping"]), UTC_ZONE) == "stored sentence"


def test_braces_in_a_value_are_not_looked_at_again() -> None:
    values = {"unit": "{description_note}{unit.__class__}", "description_note": None}
    told = findings.sentence(_row("services.failed.unit", values), UTC_ZONE)
    assert told == "The unit {description_note}{unit.__class__} has failed."


@given(st.floats(0, 100, allow_nan=False), st.sampled_from([5.0, 10.0, 15.0, 90.0]))
def test_rounding_never_reaches_a_limit_that_was_not_reached(value: float, limit: float) -> None:
    told = quantities.beside(value, [0, 100, limit], 0)
    if value not in (0, 100, limit) and abs(value - limit) > 1e-3 and 1e-3 < value < 100 - 1e-3:
        assert float(told.replace(",", "")) not in (0, 100, limit)


@pytest.mark.parametrize("fact", sorted(briefs._SHORT))
def test_a_narrow_cell_is_no_bare_ok(fact: str) -> None:
    assert fact in shown.MESSAGES
    name = briefs._SHORT[fact][1]
    told = briefs.short(_row(fact, {name: 12.0} if name else {}))
    assert told.strip().lower() not in ("", "ok", "see the computer")

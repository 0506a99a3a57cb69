"""docs/rules.md and the code say the same, in both directions."""

import re
from pathlib import Path

import pytest

from itcare.assess import MESSAGES, POLICY_VERSION, places
from itcare.assess.engine import MOST_FINDINGS
from itcare.assess.messages import SHARED
from itcare.assess.policy import CHOICES, THRESHOLDS
from itcare.assess.rules import RULES
from tests.support.every_message import bring_about_every_message

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `?([^`\n]+)`?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
TOLD = bring_about_every_message()


def rows(section, first):
    """The cells of every table row whose first cell is a code word, of the table headed `first`."""
    table = re.search(rf"^\| {first} \|.*?(?=\n\n|\Z)", SECTIONS[section], re.MULTILINE | re.DOTALL)
    lines = table[0].splitlines()[2:] if table else []
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def documented_messages():
    found = {}
    for section in SECTIONS:
        for name, statuses, values in rows(section, "Message"):
            fact = name.strip("`")
            for each in [fact.replace("RULE", rule.id) for rule in RULES] if fact.startswith("RULE.") else [fact]:
                found[each] = set(statuses.split(", ")), set(re.findall(r"`([a-z_]+)`", values))
    return {fact: told for fact, told in found.items() if fact in MESSAGES or not fact.endswith(".truncated")}


def test_every_rule_has_a_section_and_every_section_a_rule():
    assert set(SECTIONS) == {rule.id for rule in RULES} | {"Messages of every rule", "observation"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_version_source_and_choice_are_documented(rule):
    head = f"Version {rule.version} · source `{rule.source}` · rule: {CHOICES[rule.id]}\n"
    assert head in SECTIONS[rule.id]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_thresholds_are_documented_with_value_unit_alarm_and_source(rule):
    expected = [
        [f"`{entry.key}`", f"{entry.value:g}", entry.unit, entry.alarm, entry.source]
        for entry in THRESHOLDS
        if entry.rule == rule.id
    ]
    assert rows(rule.id, "Threshold") == expected


def test_the_page_names_the_policy_and_the_bound():
    assert f"Policy {POLICY_VERSION};" in PAGE
    assert f"At most {MOST_FINDINGS} findings per rule" in PAGE


def test_every_message_is_documented_and_nothing_else():
    assert set(documented_messages()) == set(MESSAGES)


def test_every_message_of_the_catalogue_can_come_about():
    assert set(TOLD) == set(MESSAGES)


@pytest.mark.parametrize("fact", MESSAGES)
def test_statuses_and_values_are_documented_as_they_come(fact):
    statuses, values = documented_messages()[fact]
    assert {finding.status.value for finding in TOLD[fact]} == statuses
    for finding in TOLD[fact]:
        assert set(finding.values) == values
        assert set(finding.values) >= places(MESSAGES[fact])


def test_messages_of_every_rule_are_the_shared_ones():
    assert [row[0] for row in rows("Messages of every rule", "Message")] == [f"`RULE.{name}`" for name in SHARED]

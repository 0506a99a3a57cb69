"""Whatever a host sends, judging answers, and never with more than the host could have shown."""

import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from itcare.assess import MESSAGES, assess, places
from itcare.assess.rules import RULES
from tests.support.judging import DEFAULTS
from tests.support.observations import EXPECTED, SOURCES, observation

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["ok", "absent", "unavailable", "{0}", "{mount}", "\ud800", "\x1b]0;", "2026-11-26T08:00:00Z"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
SOURCE = st.fixed_dictionaries(
    {}, optional={"state": JSON | st.sampled_from(["ok", "absent", "unavailable"]), "reason": JSON, "data": JSON}
)


def is_told_ok(source):
    return isinstance(source, dict) and source.get("state") == "ok"


def check(seen, services=()):
    findings = assess(seen, DEFAULTS, services=services, **EXPECTED)
    assert findings
    assert findings == assess(copy.deepcopy(seen), DEFAULTS, services=services, **EXPECTED)
    for finding in findings:
        assert set(finding.values) >= places(MESSAGES[finding.fact])
        json.dumps(finding.to_dict(), allow_nan=False, ensure_ascii=False).encode("utf-8")
        if finding.status != "unknown":
            assert is_told_ok(seen["sources"][finding.source])
    return findings


@given(JSON)
def test_arbitrary_json_is_answered_and_never_green(seen):
    assert {finding.status for finding in check(seen)} == {"unknown"}


@given(st.dictionaries(st.sampled_from(SOURCES), SOURCE), st.lists(st.text(max_size=8), max_size=3))
def test_arbitrary_sources_are_never_green_unless_they_say_ok(sources, services):
    check(observation() | {"sources": sources}, services)


def paths(value, path=()):
    """Every place in a JSON value."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from paths(member, (*path, key))


PLACES = [path for path in paths(observation()) if path]


@settings(max_examples=400)
@given(st.sampled_from(PLACES), JSON)
def test_one_damaged_place_never_breaks_judging(path, replacement):
    seen = observation()
    holder = seen
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = replacement
    check(seen, ["ssh"])


@given(st.sampled_from(PLACES))
def test_one_missing_place_never_makes_a_computer_greener(path):
    seen = observation()
    holder = seen
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    judged = {finding.rule for finding in check(seen)}
    listed = len(path) == 4 and path[2] == "data" and isinstance(path[3], int)  # a row less is a disk less
    assert listed or judged == {rule.id for rule in RULES} or judged == {"observation"}

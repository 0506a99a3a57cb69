import string

import pytest

from itcare.assess import ENGLISH, MESSAGES, POLISH, places, render
from itcare.assess.messages import NOT_REPORTED, PHRASES, TOPICS
from itcare.assess.rules import RULES
from tests.support.judging import judge_one
from tests.support.observations import GB, file_system, observation, ok, units

EVIL = "{unit.__class__} {0} %s ${HOME} {{ lookup('pipe', 'id') }} {"


@pytest.mark.parametrize("fact", MESSAGES)
def test_every_template_has_only_plain_named_places(fact):
    fields = list(string.Formatter().parse(MESSAGES[fact]))
    assert {name for _, name, _, _ in fields if name is not None} == places(MESSAGES[fact])
    assert all(not spec and not conversion for _, _, spec, conversion in fields)
    assert MESSAGES[fact].endswith(".")


def test_every_rule_has_a_topic():
    assert set(TOPICS) == {rule.id for rule in RULES}


def test_braces_of_the_host_stay_braces():
    row = {"name": EVIL, "description": "{unit}"}
    finding = judge_one(observation(units=ok(units([row]))), "services.failed")
    assert finding.reason == f"The unit {EVIL} ({{unit}}) has failed."


def test_marks_that_could_forge_or_hide_text_are_replaced():
    mount = "/a\x1b[2Jb\u202ec\u200bd\ud800e\x00f\u2028g\nh"
    finding = judge_one(observation(filesystems=ok([file_system(mount)])), "disk.free")
    assert finding.subject == finding.values["mount"] == "/a\ufffd[2Jb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg h"
    assert finding.reason.startswith(f"{finding.subject} has 500.0 GB")
    finding.reason.encode("utf-8")


def test_a_long_name_is_cut():
    finding = judge_one(observation(filesystems=ok([file_system("/" + "x" * 5000)])), "disk.free")
    assert len(finding.subject) == 200
    assert finding.subject.endswith("x…")


def test_a_value_given_raw_is_made_harmless_all_the_same():
    values = {"unit": "a\x07b", "description_note": "c\u202ed"}
    assert render("services.failed.unit", values) == "The unit a\ufffdb (c\ufffdd) has failed."


def test_a_translation_gets_whole_templates_and_phrases_and_its_own_numbers():
    polish = {
        MESSAGES["disk.free.low"]: "{mount}: wolne {available_bytes} z {total_bytes} ({free_percent}), limit "
        "{limit_percent}.",
        MESSAGES["log.errors.unavailable"]: "Nie sprawdzono: {topic_word} – {reason_word}{detail_note}.",
        TOPICS["log.errors"]: "dziennik systemu",
        PHRASES["reason_word"]["no_permission"]: "brak uprawnień",
    }
    finding = judge_one(observation(filesystems=ok([file_system(available=137 * GB)])), "disk.free")
    told = render(finding.fact, finding.values, translate=polish.__getitem__, style=POLISH)
    assert told == "/: wolne 137,0 GB z 980,0 GB (14 %), limit 15 %."
    values = {"topic_word": "log.errors", "reason_word": "no_permission", "detail_note": None}
    assert (
        render("log.errors.unavailable", values, translate=polish.__getitem__)
        == "Nie sprawdzono: dziennik systemu – brak uprawnień."
    )


def test_a_translation_cannot_reach_into_a_value():
    values = {"mount": "/"}
    sly = "{mount.__class__} {mount[0]} {mount!r} {mount:>10}"
    assert render("disk.free.none", values, translate=lambda text: sly) == sly


def test_what_was_not_reported_is_said_so_in_the_reader_s_language():
    values = {"device": "/dev/sda", "model_note": None, "reallocated": 1, "pending": None, "uncorrectable": None}
    told = render("disk.smart.failing", values, translate=lambda text: "brak" if text == NOT_REPORTED else text)
    assert told.endswith("reallocated: 1, pending: brak, uncorrectable: brak.")


def test_an_unknown_message_or_a_missing_value_is_a_key_error():
    with pytest.raises(KeyError):
        render("disk.free.unheard_of", {})
    with pytest.raises(KeyError):
        render("disk.free.low", {"mount": "/"}, style=ENGLISH)

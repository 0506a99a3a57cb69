import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.collection import import_plugin_util

reduction = import_plugin_util("_spool.reduction")
arguments = import_plugin_util("_spool.arguments")
outcome = import_plugin_util("_spool.outcome")

OWN = "itcare.maintenance.health_info"
FOREIGN = "ansible.builtin.command"


def reduce(result, module=OWN, hide=False):
    text, was_cut = reduction.reduce_result(result, module, hide)
    return json.loads(text), was_cut


def test_a_long_text_keeps_its_head_its_size_and_its_digest():
    text = "ąx" * 10_000
    result, was_cut = reduce({"msg": text})

    assert was_cut
    assert result["msg"]["_cut"] == {
        "bytes": len(text.encode()),
        "sha256": sha256(text.encode()).hexdigest(),
        "head": text[:4096],
    }


def test_a_text_at_the_limit_is_kept():
    assert reduce({"msg": "x" * 16384}) == ({"msg": "x" * 16384}, False)
    assert reduce({"msg": "x" * 16385})[1]


def test_a_result_above_256_kB_becomes_its_digest():
    result, was_cut = reduce({"lists": ["x" * 1000] * 300})

    assert was_cut
    assert set(result) == {"_cut"}
    assert result["_cut"]["bytes"] > 256 * 1024


def test_a_result_at_the_limit_is_kept_whole():
    overhead = len('{"a":[]}')
    texts = ["x" * 997] * 262  # each with quotes and comma: 1000 bytes
    filler = "y" * (256 * 1024 - overhead - 262 * 1000 - 2)
    whole, was_cut = reduce({"a": [*texts, filler]})
    assert (whole, was_cut) == ({"a": [*texts, filler]}, False)
    assert reduce({"a": [*texts, filler + "y"]})[1]


def packed(characters, **more):
    return {"software": {"count": 1, "packed": {"sha256": "x", "data": "A" * characters}, **more}}


@pytest.mark.parametrize("characters", [100, 16384, 16385, 400_000, 640 * 1024])
def test_a_list_that_our_module_packed_is_kept_whole(characters):
    assert reduce(packed(characters)) == (packed(characters), False)


def test_a_packed_list_above_its_own_cap_is_cut_and_told():
    result, was_cut = reduce(packed(640 * 1024 + 1))
    assert was_cut
    assert result["software"]["packed"]["data"]["_cut"]["bytes"] == 640 * 1024 + 1


def test_a_packed_list_makes_room_for_itself_and_little_else():
    assert not reduce(packed(640 * 1024, notes=["x" * 1000] * 50))[1]
    result, was_cut = reduce(packed(640 * 1024, notes=["x" * 1000] * 62))
    assert (set(result), was_cut) == ({"_cut"}, True)


@pytest.mark.parametrize(
    ("result", "module"),
    [
        (packed(20_000), FOREIGN),
        ({"msg": packed(20_000)["software"]}, FOREIGN),
        ({"packed": {"data": "A" * 20_000}}, OWN),
        ({"software": packed(20_000)}, OWN),
        ({"results": [packed(20_000)]}, OWN),
        ({"software": {"packed": {"other": "A" * 20_000}}}, OWN),
        ({"software": {"packed": ["A" * 20_000]}}, OWN),
        ({"software": {"packed": "A" * 20_000}}, OWN),
    ],
)
def test_nothing_else_passes_for_a_packed_list(result, module):
    assert "A" * 16385 not in json.dumps(reduce(result, module)[0])


UNSAFE = {
    "not a number": (float("nan"), "number"),
    "infinity": (float("inf"), "number"),
    "an integer that a float cannot hold": (2**53 + 1, "integer"),
    "400 digits": (-(10**400), "integer"),
    "5000 digits": (10**5000, "integer"),
    "a list of 200000": (list(range(200_000)), "parts"),
    "a set": ({1, 2}, "type"),
    "bytes": (b"bytes", "type"),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_json_cannot_carry_safely_is_cut_and_told(name):
    value, reason = UNSAFE[name]
    assert reduce({"msg": value}) == ({"msg": {"_cut": {"reason": reason}}}, True)


def test_depth_ends_at_32():
    value = []
    for _ in range(500):
        value = [value]
    result, was_cut = reduce({"msg": value})
    assert was_cut
    assert json.dumps(result).count("[") == 31


def test_nul_and_half_surrogate_pairs_are_replaced_but_a_whole_pair_is_kept():
    assert reduce({"msg": "a\x00b\ud800c😀"}) == ({"msg": "a\ufffdb\ufffdc😀"}, False)


def test_a_long_key_is_shortened_and_told():
    result, was_cut = reduce({"k" * 100_000: 1})
    assert was_cut
    assert all(len(key) < 200 for key in result)


def test_results_of_our_modules_are_kept_whole_but_for_what_quotes_arguments_and_files():
    result = {
        "health": {"schema": "x", "_ansible_inside": 1},
        "changed": False,
        "invocation": {"module_args": {"secret": "s"}},
        "diff": {"after": "s"},
        "exception": "s",
        "_ansible_parsed": True,
        "results": [{"health": 1, "invocation": 2, "diff": 3}, "text"],
    }
    assert reduce(result)[0] == {
        "health": {"schema": "x", "_ansible_inside": 1},
        "changed": False,
        "results": [{"health": 1}, "text"],
    }


def test_results_of_other_modules_keep_a_few_keys_and_the_digest_of_the_rest():
    result = {"changed": True, "rc": 0, "stdout": "out", "stdout_lines": ["out"], "cmd": ["a"], "diff": {"after": "s"}}
    kept, was_cut = reduce(result, FOREIGN)

    assert not was_cut
    assert kept == {
        "changed": True,
        "rc": 0,
        "stdout": "out",
        "omitted": {"cmd": {"bytes": 5, "sha256": sha256(b'["a"]').hexdigest()}},
    }


def test_a_flood_of_other_keys_is_cut_and_told():
    kept, was_cut = reduce({f"k{i}": i for i in range(1000)}, FOREIGN)
    assert was_cut
    assert len(kept["omitted"]) == 64


@pytest.mark.parametrize("module", [OWN, FOREIGN])
@pytest.mark.parametrize("hide", [True, False])
def test_a_censored_result_keeps_its_outcome_and_nothing_that_quotes(module, hide):
    result = {"changed": True, "warnings": ["secret"], "exception": "secret", "msg": "secret", "attempts": 2}
    if not hide:
        result["censored"] = "the output has been hidden"
    assert reduce(result, module, hide)[0] == {"censored": True, "changed": True, "attempts": 2}


def test_a_censored_item_of_a_loop_keeps_nothing_that_quotes():
    items = [{"censored": "hidden", "changed": False, "exception": "secret", "warnings": ["secret"]}]
    assert reduce({"results": items})[0] == {"results": [{"censored": True, "changed": False}]}


NASTY = ["a\x00b", "\ud800", "\udfff\ud800", "😀", "\n\u2028", "{{ x }}", "\x1b[K", "\u202e", "_ansible_x", "k" * 300]
json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(NASTY)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*NASTY, 1, None]), inner)),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["msg", "stdout", "results", "x", "censored"]), json_like), st.booleans())
def test_any_result_becomes_strict_ascii_json(result, is_own):
    text, _was_cut = reduction.reduce_result(result, OWN if is_own else FOREIGN, False)

    assert text.isascii()
    assert "\n" not in text
    value = json.loads(text, parse_constant=pytest.fail)
    json.dumps(value, ensure_ascii=False).encode()  # no half surrogate pair is left


def test_arguments_are_stored_by_an_allow_list_only():
    given_arguments = {"name": "ssh", "state": "started", "arguments": "secret", "enabled": True}
    assert arguments.select_arguments("ansible.builtin.service", given_arguments) == {
        "name": "ssh",
        "state": "started",
        "enabled": True,
    }
    assert arguments.select_arguments("ansible.builtin.command", {"_raw_params": "secret"}) == {}
    assert arguments.select_arguments("community.general.thing", {"name": "secret"}) == {}
    assert arguments.select_arguments(OWN, {"services": ["ssh"], "password": "secret"}) == {"services": ["ssh"]}


def test_arguments_of_a_strange_type_are_left_out():
    class Encrypted:
        def __str__(self):
            raise AssertionError("decrypted")

    selected = arguments.select_arguments(OWN, {"services": Encrypted(), "sources": [Encrypted(), "a"], "since": None})
    assert selected == {"sources": ["a"]}


OUTCOMES = [
    ("ok", {"changed": False}, 0, 0, "ok"),
    ("ok", {"changed": True}, 0, 0, "changed"),
    ("ok", {"changed": "yes"}, 0, 0, "ok"),
    ("failed", {"changed": True}, 0, 0, "failed"),
    ("skipped", {"changed": False}, 0, 0, "skipped"),
    ("unreachable", {"changed": False}, 0, 0, "unreachable"),
    ("failed", {"timedout": {"period": 1, "frame": ""}}, 1, 1, "timed_out"),
    ("ok", {"timedout": {"period": 1}}, 0, 0, "timed_out"),
    ("ok", {"timedout": "no"}, 0, 0, "ok"),
    ("ok", {"results": [{"changed": True}, {"timedout": {"period": 1}}]}, 1, 3, "timed_out"),
    ("failed", {"results": [{"failed": True}, {"unreachable": True}]}, 0, 0, "unreachable"),
    ("failed", {"results": [{"unreachable": True}, {"timedout": {"period": 1}}]}, 1, 1, "timed_out"),
    ("failed", {"async_result": {"finished": 0}}, 0, 9, "timed_out"),
    ("failed", {"censored": "hidden"}, 5, 5.01, "timed_out"),
    ("failed", {"censored": "hidden"}, 5, 4.9, "failed"),
    ("failed", {"censored": "hidden"}, 0, 4.9, "failed"),
    ("failed", {"censored": "hidden"}, "{{ limit }}", 0, "timed_out"),
    ("ok", {"censored": "hidden"}, 5, 9, "ok"),
    ("ok", {"censored": "hidden", "results": [{"censored": "hidden", "exception": "x"}]}, 5, 9, "timed_out"),
    ("failed", {"msg": "x"}, 5, 9, "failed"),
]


@pytest.mark.parametrize(("kind", "result", "timeout", "elapsed", "expected"), OUTCOMES)
def test_the_outcome_in_doubt_is_the_one_that_asks_for_a_second_look(kind, result, timeout, elapsed, expected):
    assert outcome.read_outcome(kind, result, timeout, elapsed) == expected


@given(
    st.dictionaries(st.text(max_size=9), json_like, max_size=4), st.sampled_from(["failed", "skipped", "unreachable"])
)
def test_no_result_turns_a_failure_into_ok(result, kind):
    assert outcome.read_outcome(kind, result, 0, 0.0) not in ("ok", "changed")

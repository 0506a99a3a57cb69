import base64
import gzip
import json
import tracemalloc
import zlib
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itcare.drive import attachments
from itcare.drive.attachments import detach

MODULE = "itcare.maintenance.software_info"


def row(name: str = "bash", **changes: Any) -> dict[str, Any]:
    package: dict[str, Any] = {
        "name": name, "version": "5.2", "publisher": None, "architecture": "amd64", "scope": "machine",
        "installed_at": None, "source": "dpkg",
    }  # fmt: skip
    return {**package, **changes}


def canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def pack(content: bytes, **changes: Any) -> dict[str, Any]:
    packed: dict[str, Any] = {
        "encoding": "gzip+base64", "bytes": len(content), "sha256": sha256(content).hexdigest(),
        "data": base64.b64encode(gzip.compress(content)).decode(),
    }  # fmt: skip
    return {**packed, **changes}


def result(**software: Any) -> dict[str, Any]:
    return {"changed": False, "software": {"schema": "itcare/software/v1", **software}}


ROWS = [row("bash"), row("żółw", publisher="Ktoś"), row("zsh", scope="user:anna", source="pip_user")]
CONTENT = canonical(ROWS)


@pytest.mark.parametrize(
    "given_result", [result(packages=ROWS), result(packages=None, packed=pack(CONTENT))], ids=["plain", "packed"]
)
def test_a_list_becomes_an_attachment_and_leaves_its_count(given_result: dict[str, Any]) -> None:
    detached = detach(MODULE, given_result)
    assert detached.problem is None
    assert detached.attachments == {"packages": ROWS}
    assert detached.result == {
        "changed": False,
        "software": {"schema": "itcare/software/v1", "packages": {"attached": True, "count": 3}},
    }


def test_a_list_in_another_order_is_the_same_list() -> None:
    assert detach(MODULE, result(packages=ROWS[::-1])).attachments == {"packages": ROWS}


def test_an_empty_list_is_a_list() -> None:
    assert detach(MODULE, result(packages=[])).attachments == {"packages": []}


@pytest.mark.parametrize(
    ("module", "given_result"),
    [
        (MODULE, None),
        (MODULE, {"failed": True, "msg": "x"}),
        (MODULE, {"software": "text"}),
        (MODULE, {"_cut": {"bytes": 1, "sha256": "x"}}),
        ("itcare.maintenance.health_info", result(packages=ROWS)),
        ("community.general.software_info", result(packages=ROWS)),
    ],
)
def test_what_has_no_list_of_ours_stays_as_it_is(module: str, given_result: dict[str, Any] | None) -> None:
    detached = detach(module, given_result)
    assert (detached.result, detached.attachments, detached.problem) == (given_result, {}, None)


def bomb(size: int, text: bytes = b"[") -> dict[str, Any]:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    blob = b"".join([*(compressor.compress(text * 1_000_000) for _ in range(size)), compressor.flush()])
    return pack(b"", data=base64.b64encode(blob).decode(), bytes=size * len(text) * 1_000_000)


DAMAGED: dict[str, tuple[dict[str, Any], str]] = {
    "cut by the spool": (pack(CONTENT, data={"_cut": {"bytes": 1, "sha256": "x", "head": "H4"}}), "cut"),
    "another encoding": (pack(CONTENT, encoding="zip"), "malformed"),
    "no digest": (pack(CONTENT, sha256=None), "malformed"),
    "a number for data": (pack(CONTENT, data=7), "malformed"),
    "no base64": (pack(CONTENT, data="{{ lookup('pipe', 'id') }}"), "not_base64"),
    "letters beyond ASCII": (pack(CONTENT, data="żółw"), "not_base64"),
    "no gzip": (pack(CONTENT, data=base64.b64encode(CONTENT).decode()), "not_gzip"),
    "half a gzip": (pack(CONTENT, data=base64.b64encode(gzip.compress(CONTENT)[:-9]).decode()), "not_gzip"),
    "two of them": (pack(CONTENT, data=base64.b64encode(gzip.compress(CONTENT) * 2).decode()), "not_gzip"),
    "nothing": (pack(CONTENT, data=""), "not_gzip"),
    "another digest": (pack(CONTENT, sha256="0" * 64), "digest_differs"),
    "another size": (pack(CONTENT, bytes=1), "digest_differs"),
    "spaces": (pack(json.dumps(ROWS).encode()), "not_canonical"),
    "a key twice": (pack(CONTENT.replace(b'"name":', b'"name":"x","name":', 1)), "not_canonical"),
    "no JSON": (pack(b"{"), "malformed"),
    "no UTF-8": (pack(b'["\xff"]'), "malformed"),
    "half a surrogate pair": (pack(b'["\\ud800"]'), "malformed"),
    "endless nesting": (pack(b"[" * 100_000 + b"]" * 100_000), "malformed"),
    "a number of 5000 digits": (pack(b"[" + b"9" * 5000 + b"]"), "malformed"),
    "no list": (pack(canonical({"a": 1})), "malformed"),
    "another shape": (pack(canonical([{**row(), "extra": "x"}])), "malformed"),
    "a missing name": (pack(canonical([row(name=None)])), "malformed"),  # type: ignore[arg-type]  # on purpose
    "a list in a name": (pack(canonical([row(version=["1"])])), "malformed"),
    "parts by the million": (pack(b"[" + b"{}," * 1_500_000 + b"{}]"), "too_large"),
    "a bomb": (bomb(70), "too_large"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_list_is_a_problem_and_its_data_is_only_measured(name: str) -> None:
    packed, problem = DAMAGED[name]
    detached = detach(MODULE, result(packages=None, packed=packed, count=3))
    assert (detached.problem, detached.attachments) == (problem, {})
    kept: Any = detached.result
    assert kept["software"]["count"] == 3
    assert kept["software"]["packages"] is None
    if isinstance(packed["data"], str):
        digest = sha256(packed["data"].encode()).hexdigest()
        assert kept["software"]["packed"]["data"] == {"_cut": {"bytes": len(packed["data"].encode()), "sha256": digest}}


@pytest.mark.parametrize("packed", ["text", [], 7, {}])
def test_a_packed_list_that_is_no_object_is_malformed(packed: object) -> None:
    assert detach(MODULE, result(packages=None, packed=packed)).problem == "malformed"


def test_two_lists_at_once_are_none() -> None:
    assert detach(MODULE, result(packages=[], packed=pack(CONTENT))).problem == "malformed"
    assert detach(MODULE, result(packages=None)).problem == "malformed"
    assert detach(MODULE, result(packages=[{"name": "x"}])).problem == "malformed"


def test_a_bomb_takes_no_more_memory_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "LARGEST_BYTES", 1_000_000)
    packed = bomb(200)
    tracemalloc.start()
    try:
        assert detach(MODULE, result(packages=None, packed=packed)).problem == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from([pack(CONTENT)["data"], "packed"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["encoding", "data", "sha256", "bytes", "packages", "packed"]), inner)
    ),
    max_leaves=9,
)


@settings(deadline=None)
@given(anything, anything)
def test_whatever_a_computer_says_nothing_is_raised(plain: object, packed: object) -> None:
    detached = detach(MODULE, result(packages=plain, packed=packed))
    assert (detached.problem is None) == (len(detached.attachments) == 1)

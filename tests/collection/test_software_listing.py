import base64
import gzip
import json
import os
from hashlib import sha256

import pytest
import rfc8785

from tests.support.health import Computer, make_computer
from tests.support.software import SOURCES, assert_well_formed, import_software, write_fake_dpkg

listing = import_software("listing")
package = import_software("package")
AT = "2026-11-26T08:00:00.000000Z"


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    return make_computer(tmp_path, monkeypatch)


def make_rows(count: int, source: str, text: str = "") -> list[dict]:
    return [
        {**package.make_package(f"{source}-{n}{text}", "1.0", publisher="Ktoś <k@example.org>"), "source": source}
        for n in range(count)
    ]


def describe(count: int) -> dict:
    return {"state": "ok", "reason": None, "detail": None, "seconds": 0.1, "count": count, "unasked": []}


def compose(**lists: list[dict]) -> dict:
    return listing.compose(AT, {name: describe(len(rows)) for name, rows in lists.items()}, lists)


def unpack(packed: dict) -> list[dict]:
    content = gzip.decompress(base64.b64decode(packed["data"], validate=True))
    assert (len(content), sha256(content).hexdigest()) == (packed["bytes"], packed["sha256"])
    assert rfc8785.dumps(json.loads(content)) == content
    return json.loads(content)


def test_a_computer_with_no_package_manager_has_none_and_fails_in_nothing(computer, monkeypatch):
    monkeypatch.setenv("PATH", "")
    software = listing.observe(SOURCES, source_timeout=20, root=str(computer.root))
    assert_well_formed(software, SOURCES)
    asked = [name for name in SOURCES if os.geteuid() == 0 or name not in ("pipx", "pip_user", "npm_global")]
    assert {software["sources"][name]["state"] for name in asked} == {"absent"}
    assert software["packages"] == []


def test_sources_fail_alone(computer):
    computer.tool("dpkg-query", "exec sleep 60")
    computer.write("/var/lib/rpm/Packages", "database")
    computer.tool("rpm", 'echo "error: rpmdb: damaged" >&2; exit 1')
    computer.write("/lib/apk/db/installed", "P:musl\nV:1\nA:x\n")
    software = listing.observe(["dpkg", "rpm", "apk"], source_timeout=2, root=str(computer.root))
    assert_well_formed(software, ["dpkg", "rpm", "apk"])
    assert {name: (one["state"], one["reason"]) for name, one in software["sources"].items()} == {
        "dpkg": ("unavailable", "timeout"), "rpm": ("unavailable", "damaged"), "apk": ("ok", None),
    }  # fmt: skip
    assert [row["name"] for row in software["packages"]] == ["musl"]


def test_the_same_package_for_two_interpreters_is_one(computer):
    for version in ("3.9", "3.11"):
        place = f"/home/anna/.local/lib/python{version}/site-packages/a-1.dist-info/METADATA"
        computer.write(place, "Name: a\nVersion: 1\n")
    computer.write("/etc/passwd", f"anna:x:{os.geteuid()}:{os.getegid()}::/home/anna:/bin/sh\n")
    software = listing.observe(["pip_user"], source_timeout=20, root=str(computer.root))
    assert [(row["scope"], row["name"]) for row in software["packages"]] == [("user:anna", "a")]


def test_what_was_not_asked_is_named_in_the_source_s_own_line(computer, monkeypatch):
    gap = {"scope": "user:anna", "reason": "timeout", "detail": None}
    monkeypatch.setitem(listing.SOURCES, "pipx", lambda question: {"packages": [], "unasked": [gap]})
    source = listing.observe(["pipx"], source_timeout=20, root=str(computer.root))["sources"]["pipx"]
    assert (source["state"], source["count"], source["unasked"]) == ("ok", 0, [gap])
    assert source["detail"] == "not asked: user:anna (timeout)"


def test_a_small_list_stays_plain():
    assert "packed" not in compose(dpkg=make_rows(1000, "dpkg"))


def test_a_large_list_is_packed_and_the_same_list_packs_to_the_same_text():
    rows = make_rows(5000, "dpkg")
    one, other = compose(dpkg=rows), compose(dpkg=list(reversed(rows)))
    assert one["packages"] is None
    assert one["packed"] == other["packed"]
    assert one["packed"]["encoding"] == "gzip+base64"
    assert one["count"] == len(unpack(one["packed"])) == 5000


def test_letters_that_json_escapes_count_as_the_spool_writes_them():
    rows = make_rows(900, "dpkg", "ż" * 80)
    software = compose(dpkg=rows)
    assert len(json.dumps(software, ensure_ascii=True)) < 256 * 1024
    assert len(json.dumps(rows, ensure_ascii=False)) < listing.LARGEST_PLAIN_BYTES
    assert "packed" in software


def test_the_source_that_is_too_much_goes_and_the_others_stay(monkeypatch):
    monkeypatch.setattr(listing, "LARGEST_PACKED_CHARACTERS", 2000)
    software = compose(dpkg=make_rows(6000, "dpkg"), snap=make_rows(3, "snap"))
    assert (software["sources"]["dpkg"]["state"], software["sources"]["dpkg"]["reason"]) == ("unavailable", "too_large")
    assert software["sources"]["dpkg"]["count"] is None
    assert [row["source"] for row in software["packages"]] == ["snap"] * 3


def test_twenty_thousand_packages_fit(computer, monkeypatch):
    write_fake_dpkg(computer.tools, 20_000)
    software = listing.observe(["dpkg"], source_timeout=60, root=str(computer.root))
    assert software["sources"]["dpkg"]["count"] == 20_000, software["sources"]
    assert len(software["packed"]["data"]) <= 600 * 1024
    assert len({row["name"] for row in unpack(software["packed"])}) == 20_000

"""The door: who is listed, and that nothing typed by a person leads anywhere else."""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.access import SIDECAR_MAXIMUM_BYTES, ClientScope, find_scope, list_scopes


@pytest.fixture
def published(tmp_path):
    return tmp_path / "published"


def put(published, folder, content=None, *, code="ACME", legal_name="Acme Sp. z o.o."):
    path = published / folder
    path.mkdir(parents=True)
    if content is None:
        content = json.dumps({"code": code, "legal_name": legal_name})
    (path / "client.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_it_lists_clients_by_code_with_the_folder_named_by_their_number(published):
    put(published, "17", code="NORD", legal_name="Nordlicht GmbH")
    put(published, "4", code="ACME", legal_name="Zakład „Żółw” Sp.\N{NO-BREAK SPACE}z\N{NO-BREAK SPACE}o.o.")
    assert [(scope.client_id, scope.code) for scope in list_scopes(published)] == [(4, "ACME"), (17, "NORD")]
    assert find_scope(list_scopes(published), "NORD") == ClientScope(17, "NORD", "Nordlicht GmbH", published / "17")


def test_nothing_published_yet_is_nobody(tmp_path):
    assert list_scopes(tmp_path / "nothing") == ()


def test_a_foreign_code_and_a_missing_code_answer_the_same(published):
    put(published, "1", code="ACME")
    put(published, "2", code="NORD")
    mine = tuple(scope for scope in list_scopes(published) if scope.code == "ACME")
    assert find_scope(mine, "NORD") is find_scope(mine, "NOBODY") is find_scope(mine, "../2") is None


@given(st.text() | st.sampled_from(["2", "../2", "acme", "ACME ", "ＡＣＭＥ", "ACME\x00", "\ud800", "%"]))
def test_only_the_very_code_finds_a_scope(text):
    scopes = (ClientScope(1, "ACME", "Acme", Path("published/1")),)
    assert (find_scope(scopes, text) is not None) == (text == "ACME")


@pytest.mark.parametrize("name", ["0", "01", "1234567890", "1a", " 1", "-1", "1.", "..", "１", "ACME", ".part-1"])
def test_a_folder_that_is_no_number_is_not_a_client(published, name):
    if name != "..":
        put(published, name)
    assert list_scopes(published) == ()


HOSTILE = {
    "no JSON": "code: ACME",
    "no object": '["ACME", "Acme"]',
    "no code": '{"legal_name": "Acme"}',
    "no name": '{"code": "ACME"}',
    "a number as code": '{"code": 17, "legal_name": "Acme"}',
    "a path as code": '{"code": "../2", "legal_name": "Acme"}',
    "a look-alike letter": '{"code": "АCME", "legal_name": "Acme"}',
    "a device name": '{"code": "NUL", "legal_name": "Acme"}',
    "a code given twice": '{"code": "ACME", "code": "NORD", "legal_name": "Acme"}',
    "an empty name": '{"code": "ACME", "legal_name": ""}',
    "a long name": json.dumps({"code": "ACME", "legal_name": "x" * 301}),
    "a name with a line break": '{"code": "ACME", "legal_name": "Acme\\nNord"}',
    "a name with a direction mark": '{"code": "ACME", "legal_name": "Acme \\u202edroN"}',
    "a name with NUL": '{"code": "ACME", "legal_name": "Acme\\u0000"}',
    "a name with half a character": '{"code": "ACME", "legal_name": "Acme \\ud800"}',
    "no UTF-8": b'{"code": "ACME", "legal_name": "Acm\xe9"}',
    "too large": json.dumps({"code": "ACME", "legal_name": "Acme", "x": "y" * SIDECAR_MAXIMUM_BYTES}),
    "a deep nest": "[" * SIDECAR_MAXIMUM_BYTES,
    "nothing": "",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_sidecar_that_cannot_be_trusted_is_left_out_and_the_others_stay(published, content, caplog):
    put(published, "1", content)
    put(published, "2", code="NORD")
    assert [scope.code for scope in list_scopes(published)] == ["NORD"]
    assert "folder 1 is left out" in caplog.text


def test_two_folders_that_claim_one_code_are_both_left_out(published, caplog):
    for folder in ("1", "2"):
        put(published, folder, code="ACME")
    put(published, "3", code="NORD")
    assert [scope.code for scope in list_scopes(published)] == ["NORD"]
    assert "2 folders claim the client code ACME" in caplog.text


def test_a_link_in_place_of_a_folder_or_a_sidecar_is_not_followed(published, tmp_path):
    outside = put(tmp_path, "outside", code="EVIL")
    published.mkdir()
    (published / "1").symlink_to(outside)
    (published / "2").mkdir()
    (published / "2" / "client.json").symlink_to(outside / "client.json")
    assert list_scopes(published) == ()


def test_a_fifo_in_place_of_a_sidecar_does_not_hang_the_portal(published):
    (published / "1").mkdir(parents=True)
    os.mkfifo(published / "1" / "client.json")
    assert list_scopes(published) == ()


def test_listing_never_opens_a_snapshot(published, monkeypatch):
    folder = put(published, "1")
    (folder / "current.sqlite").write_bytes(b"not a database")
    opened = []
    real = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *rest, **options: opened.append(str(path)) or real(path, *rest, **options)
    )
    monkeypatch.setattr(sqlite3, "connect", None)
    assert len(list_scopes(published)) == 1
    assert opened == [str(folder), "client.json"]

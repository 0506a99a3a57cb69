"""A contract file is read as one thing only, and everything wrong with it is told at once."""

import hashlib
import os
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from itcare.assess.policy import known_thresholds, policy_for, rule_id
from itcare.contract.loader import check_thresholds, load_client, load_contract, load_contracts, survey_contracts
from itcare.contract.problems import ContractError, render_problems
from itcare.core.errors import BadInputError, ExitCode, NotFoundError
from tests.support.contracts import ACME, contract_of, problems_of, spoil, write


def test_it_accepts_the_contract_that_the_wrong_ones_are_made_of(tmp_path):
    loaded = load_contract(write(tmp_path))
    assert loaded.contract.client.code == "ACME"
    assert loaded.sha256 == hashlib.sha256(ACME.encode()).hexdigest()


def test_it_tells_all_problems_of_a_file_together_in_its_order(tmp_path):
    text = spoil("locale: pl", "locale: no")
    text = spoil("  dpa: DPA/ACME/2026\n", "", text)
    text = spoil("site: branch, role: laptop", "site: moon, role: laptop", text)
    text = spoil("{daily: all}", "{weekly: wed}", text)
    text = spoil("port: 2222", "port: 0", text)
    keys = [p.key for p in problems_of(write(tmp_path, text))]
    assert keys == [
        "client.dpa",
        "client.locale",
        "hosts.pc01.port",
        "hosts.nb01.site",
        'duties."visit.daily".cadence',
    ]


def test_each_place_is_told_once(tmp_path):
    text = spoil("hosts:\n", "hosts:\n  pc01: {site: hq}\n")
    problems = problems_of(write(tmp_path, text))
    assert len({(p.line, p.column, p.key) for p in problems}) == len(problems)


def test_the_column_points_at_the_value(tmp_path):
    (problem,) = problems_of(write(tmp_path, spoil("port: 2222", "port: 0")))
    line = spoil("port: 2222", "port: 0").splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("0}")


@pytest.mark.parametrize(
    "data", [ACME.encode("utf-16"), ACME.encode("iso-8859-2"), ACME.encode() + b"\xff", ACME.encode() + b"\xed\xa0\x80"]
)
def test_it_refuses_what_is_not_utf_8(data, tmp_path):
    path = tmp_path / "acme.yml"
    path.write_bytes(data)
    (problem,) = problems_of(path)
    assert "not UTF-8" in problem.found
    assert problem.expected == "a file saved as UTF-8"


def test_a_byte_order_mark_of_an_editor_does_no_harm(tmp_path):
    path = tmp_path / "acme.yml"
    path.write_bytes(b"\xef\xbb\xbf" + ACME.encode())
    assert load_contract(path).contract.client.code == "ACME"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "[]\n", "just text\n", "null\n"])
def test_a_file_that_holds_no_contract_is_told_so(text, tmp_path):
    (problem,) = problems_of(write(tmp_path, text))
    assert "contract" in problem.expected
    assert problem.line in (1, 2)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(NotFoundError):
        load_contract(tmp_path / "none.yml")
    with pytest.raises(BadInputError, match="no regular file"):
        load_contract(tmp_path)


def test_a_pipe_in_the_place_of_a_contract_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "acme.yml")
    with pytest.raises(BadInputError, match="no regular file"):
        load_contract(tmp_path / "acme.yml")
    assert survey_contracts(tmp_path).contracts == {}


def test_the_error_counts_as_bad_input_and_says_what_to_do(tmp_path):
    path = write(tmp_path, spoil("locale: pl", "locale: de"))
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert "itcare contract check" in caught.value.remedy
    assert str(path) in str(caught.value)


def test_problems_are_rendered_with_place_found_and_expected(tmp_path):
    path = write(tmp_path, spoil("locale: pl", "locale: de"))
    text = render_problems(problems_of(path))
    assert text.splitlines() == [
        f"{path}:12:11  client.locale",
        '    found     "de"',
        "    expected  pl or en",
        "",
        "1 problem.",
    ]
    assert render_problems([]) == "No problems.\n"


def test_the_contract_cannot_be_changed(tmp_path):
    contract = contract_of(tmp_path)
    with pytest.raises(ValidationError):
        contract.client.code = "OTHER"
    with pytest.raises(TypeError):
        contract.hosts["pc99"] = contract.hosts["pc01"]
    assert contract.model_dump(mode="json", by_alias=True)["schema"] == "itcare/contract/v1"


def test_hosts_on_a_day_carry_the_defaults_of_their_site(tmp_path):
    hosts = {host.name: host for host in contract_of(tmp_path).hosts_on(date(2026, 11, 20))}
    assert list(hosts) == ["here", "nb01", "pc01", "pc02", "srv01"]
    assert (hosts["pc01"].connection, hosts["pc01"].port, hosts["pc01"].user) == ("ssh", 2222, "itcare")
    assert (hosts["pc02"].port, hosts["pc02"].become, hosts["pc02"].credential) == (22, True, "agent")
    assert (hosts["nb01"].become, hosts["nb01"].credential) == (False, "key:branch")
    assert (hosts["here"].address, hosts["here"].port, hosts["here"].credential) == (None, None, None)
    assert hosts["srv01"].services == ("cron", "postgresql")


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2025, 12, 31), []),
        (date(2026, 1, 1), ["here", "pc01", "pc02", "srv01"]),
        (date(2026, 11, 15), ["here", "pc01", "pc02", "srv01"]),
        (date(2026, 11, 16), ["here", "nb01", "pc01", "pc02", "srv01"]),
        (date(2026, 11, 21), ["here", "nb01", "pc01", "srv01"]),
        (date(2027, 12, 31), ["here", "nb01", "pc01", "srv01"]),
        (date(2028, 1, 1), []),
    ],
)
def test_hosts_are_in_scope_on_their_days_inside_the_contract(day, names, tmp_path):
    assert [host.name for host in contract_of(tmp_path).hosts_on(day)] == names


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ("all", ["here", "nb01", "pc01", "pc02", "srv01"]),
        ("{site: hq}", ["pc01", "pc02", "srv01"]),
        ("{role: [server, laptop]}", ["nb01", "srv01"]),
        ("{host: [pc01]}", ["pc01"]),
    ],
)
def test_a_duty_covers_the_selected_hosts(select, names, tmp_path):
    contract = contract_of(tmp_path, spoil("select: all", f"select: {select}"))
    assert contract.subjects("visit.daily", date(2026, 11, 20)) == names


def test_a_duty_is_found_by_name_or_not_at_all(tmp_path):
    contract = contract_of(tmp_path)
    assert contract.duty("visit.daily").cadence.daily == "all"
    with pytest.raises(NotFoundError, match=r"visit\.daily"):
        contract.duty("visit.hourly")


def test_a_contract_without_an_end_goes_on(tmp_path):
    contract = contract_of(tmp_path, spoil("  last_day: 2027-12-31\n", ""))
    assert contract.is_in_force(date(2199, 1, 1))


def test_thresholds_that_no_rule_reads_are_refused_by_the_caller(tmp_path):
    loaded = load_contract(
        write(tmp_path, spoil("disk_free: {warn_pct: 20}", "disk_free: {warn_pct: 20, wrn: 1}\n  dsk: {x: 1.5}"))
    )
    assert check_thresholds(loaded, {"disk_free": {"warn_pct", "wrn"}, "dsk": {"x"}}) == ()
    assert check_thresholds(loaded, {"disk.free": {"warn_pct", "wrn"}, "dsk": {"x"}}, _dotted) == ()
    unknown_key, unknown_rule = check_thresholds(loaded, {"disk_free": {"warn_pct"}})
    assert (unknown_key.line, unknown_key.key) == (34, "thresholds.disk_free.wrn")
    assert unknown_key.expected == "a threshold of disk_free: warn_pct"
    assert (unknown_rule.line, unknown_rule.found) == (35, 'the rule "dsk"')


def _dotted(spelling):
    return spelling.replace("disk_free", "disk.free")


def test_a_rule_in_both_spellings_is_refused_at_the_alias(tmp_path):
    text = spoil("disk_free: {warn_pct: 20}", "disk.free: {fail_pct: 5}\n  disk_free: {warn_pct: 20}")
    (problem,) = check_thresholds(
        load_contract(write(tmp_path, text)), {"disk.free": {"warn_pct", "fail_pct"}}, _dotted
    )
    assert (problem.line, problem.key, problem.found) == (35, "thresholds.disk_free", 'the rule "disk_free"')
    assert "disk.free alone" in problem.expected


@pytest.mark.parametrize(
    ("thresholds", "is_fine"),
    [
        ("disk_free: {warn_pct: 20}", True),
        ("disk.free: {warn_pct: 20}", True),
        ("disk.free: {warn_pct: 20}\n  disk_inodes: {warn_pct: 20}", True),
        ("disk.free: {warn_pct: 20}\n  disk_free: {warn_pct: 20}", False),
        ("disk_free: {warn_pct: 20}\n  disk.free: {fail_pct: 5}", False),
        ("disk_fre: {warn_pct: 20}", False),
        ("disk_free: {wrn_pct: 20}", False),
        ("access_listeners: {warn: 1}", False),
    ],
)
def test_the_check_and_the_policy_agree_on_names(thresholds, is_fine, tmp_path):
    loaded = load_contract(write(tmp_path, spoil("disk_free: {warn_pct: 20}", thresholds)))
    assert (check_thresholds(loaded, known_thresholds(), rule_id) == ()) is is_fine
    try:
        policy_for(loaded.contract.thresholds)
    except BadInputError:
        assert not is_fine
    else:
        assert is_fine


def test_a_threshold_keeps_the_number_as_it_was_written(tmp_path):
    limits = contract_of(tmp_path, spoil("{warn_pct: 20}", "{warn_pct: 20, fail_pct: 2.5}")).thresholds["disk_free"]
    assert str(limits["warn_pct"]) == "20"
    assert str(limits["fail_pct"]) == "2.5"


def test_a_folder_gives_its_contracts_by_code_and_leaves_other_files_alone(tmp_path):
    write(tmp_path)
    write(tmp_path, spoil("code: ACME", "code: NORD"), "nord.yaml")
    write(tmp_path, "all:\n  vars: &x {secret: !vault abc}\n  hosts: {pc01: *x}\n", "plain.yml")
    write(tmp_path, "- hosts: all\n", "playbook.yml")
    write(tmp_path, "schema: other/v1\n", "other.yml")
    write(tmp_path, "", "empty.yml")
    write(tmp_path, "no contract", "notes.txt")
    (tmp_path / "folder.yml").mkdir()
    assert list(load_contracts(tmp_path)) == ["ACME", "NORD"]


@pytest.mark.parametrize(
    "text",
    [spoil("locale: pl", "locale: [pl"), spoil("locale: pl", "locale: &a pl"), "{schema: itcare/contract/v1, x: [}"],
    ids=["broken", "anchor", "flow"],
)
def test_a_broken_file_that_was_meant_as_a_contract_is_not_passed_over(text, tmp_path):
    write(tmp_path, text, "broken.yml")
    with pytest.raises(ContractError, match=r"broken\.yml"):
        load_contracts(tmp_path)


def test_a_contract_saved_in_another_encoding_is_not_passed_over(tmp_path):
    (tmp_path / "acme.yml").write_bytes(ACME.encode("utf-16"))
    with pytest.raises(ContractError, match="UTF-8"):
        load_contracts(tmp_path)


def test_two_files_with_one_client_are_both_named(tmp_path):
    write(tmp_path)
    write(tmp_path, ACME, "copy.yml")
    with pytest.raises(ContractError) as caught:
        load_contracts(tmp_path)
    first, second = caught.value.problems
    assert {Path(first.file).name, Path(second.file).name} == {"acme.yml", "copy.yml"}
    assert "copy.yml" in first.expected
    assert first.line == 9
    assert survey_contracts(tmp_path).contracts == {}


def test_a_broken_contract_does_not_stop_the_other_clients(tmp_path):
    write(tmp_path)
    write(tmp_path, spoil("code: ACME", "code: nord"), "nord.yml")
    assert load_client(tmp_path, "ACME").contract.client.code == "ACME"
    with pytest.raises(ContractError, match=r"nord\.yml"):
        load_client(tmp_path, "NORD")


def test_an_unknown_client_is_not_found(tmp_path):
    write(tmp_path)
    with pytest.raises(NotFoundError, match="Clients there: ACME"):
        load_client(tmp_path, "NORD")
    with pytest.raises(NotFoundError):
        load_contracts(tmp_path / "none")

"""A contract file is read as one thing only, and everything wrong with it is told at once."""

import hashlib
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from itcare.assess.policy import known_thresholds, policy_for, rule_id
from itcare.contract.loader import check_thresholds, load_client, load_contract, load_contracts, survey_contracts
from itcare.contract.problems import ContractError, render_problems
from itcare.core.errors import BadInputError, ExitCode, NotFoundError
from tests.support.contracts import ACME, contract_of, problems_of, spoil, write

# name: (what stands in ACME, what is put there, line, key, found, expected)
WRONG = {
    "an unknown schema version": (
        "schema: itcare/contract/v1", "schema: itcare/contract/v7", 1, "schema", "v7", "itcare/contract/v1",
    ),
    "no data processing contract": ("  dpa: DPA/ACME/2026\n", "", 8, "client.dpa", "nothing", "nothing is run"),
    "an empty data processing contract": ("dpa: DPA/ACME/2026", "dpa:", 14, "client.dpa", "nothing", "text"),
    "a NIP without quotes": (
        'nip: "0000000000"', "nip: 0000000000", 11, "client.nip", "0000000000 without quotes", "quotes",
    ),
    "a NIP read as a number": ('nip: "0000000000"', "nip: 1234567890", 11, "client.nip", "1234567890", "text"),
    "a NIP of nine digits": ('nip: "0000000000"', 'nip: "000000000"', 11, "client.nip", "000000000", "ten digits"),
    "a NIP of other digits": ('nip: "0000000000"', 'nip: "٠٠٠٠٠٠٠٠٠٠"', 11, "client.nip", "٠", "ten digits"),
    "a locale read as false": ("locale: pl", "locale: no", 12, "client.locale", "no without quotes", "quotes"),
    "a locale without pages": ("locale: pl", "locale: de", 12, "client.locale", '"de"', "pl or en"),
    "a time zone that is none": ("Europe/Warsaw", "Europe/Warszawa", 13, "client.tz", "Warszawa", "IANA"),
    "the time zone of this computer": ("Europe/Warsaw", "localtime", 13, "client.tz", "localtime", "IANA"),
    "a time zone that is a path": ("Europe/Warsaw", "../zoneinfo/UTC", 13, "client.tz", "../zoneinfo", "IANA"),
    "a client code in lower case": ("code: ACME", "code: acme", 9, "client.code", '"acme"', "A-Z"),
    "a version in quotes": ("version: 4", 'version: "4"', 4, "contract.version", '"4"', "whole number"),
    "a version that is true": ("version: 4", "version: true", 4, "contract.version", "true", "whole number"),
    "a version of zero": ("version: 4", "version: 0", 4, "contract.version", "0", "from 1 up"),
    "a day in quotes": ("2025-12-15", '"2025-12-15"', 5, "contract.signed_on", '"2025-12-15"', "without quotes"),
    "a day that does not exist": ("2025-12-15", "2025-02-29", 5, "contract.signed_on", "2025-02-29", "calendar"),
    "a day with a time": (
        "2025-12-15", "2025-12-15 10:00:00", 5, "contract.signed_on", "2025-12-15 10:00:00 without quotes", "date",
    ),
    "a slip in the century": ("2025-12-15", "0205-12-15", 5, "contract.signed_on", "0205-12-15", "2000 and 2199"),
    "a last day before the first": (
        "last_day: 2027-12-31", "last_day: 2025-12-31", 7, "contract.last_day", "2025-12-31", "2026-01-01",
    ),
    "a host that ends before it begins": (
        "last_day: 2026-11-20", "last_day: 2025-11-20", 29, "hosts.pc02.last_day", "2025-11-20", "first_day",
    ),
    "a host that begins after the contract": (
        "first_day: 2026-11-16", "first_day: 2106-11-16", 30, "hosts.nb01.first_day", "2106-11-16", "2027-12-31",
    ),
    "a host of no site": ("{site: branch, role: laptop", "{site: brunch, role: laptop", 30, "hosts.nb01.site",
                          '"brunch"', "branch, hq"),
    "a host without a role": ("{site: branch, role: laptop", "{site: branch", 30, "hosts.nb01.role",
                              "nothing", "server, workstation or laptop"),
    "an ssh host without an address": (
        'address: "2001:db8::1", ', "", 30, "hosts.nb01.address", "nothing", "connection is ssh",
    ),
    "an address that ssh takes for an option": (
        'address: "2001:db8::1"', "address: -oProxyCommand=x", 30, "hosts.nb01.address", "-oProxy", "DNS name",
    ),
    "an address that Ansible takes for a template": (
        'address: "2001:db8::1"', 'address: "{{ 1 }}"', 30, "hosts.nb01.address", "{{ 1 }}", "DNS name",
    ),
    "an address out of range": (
        'address: "2001:db8::1"', "address: 192.0.2.256", 30, "hosts.nb01.address", "192.0.2.256", "IP address",
    ),
    "a local host with an address": (
        "connection: local}", "connection: local, address: pc}", 31, "hosts.here.address", "address", "no such key",
    ),
    "a port out of range": ("port: 2222", "port: 70000", 28, "hosts.pc01.port", "70000", "65535"),
    "a port in quotes": ("port: 2222", 'port: "2222"', 28, "hosts.pc01.port", '"2222"', "whole number"),
    "become as a word": ("become: true", "become: sudo", 22, "sites.hq.become", "sudo", "true or false"),
    "become as a number": ("become: true", "become: 1", 22, "sites.hq.become", "1", "true or false"),
    "become as YAML 1.1 has it": ("become: true", "become: on", 22, "sites.hq.become", "on without", "true or false"),
    "a site behind a tunnel": ("reach: vpn", "reach: tunnel", 25, "sites.branch.reach", "tunnel", "onsite, vpn"),
    "a slip in a key": ("  deputy: ", "  deputi: ", 17, "team.deputi", "deputi", "deputy (did you mean"),
    "a key of a later version": (
        "services: [cron]\n", "backup: {rpo_hours: 24}\n", 32, "backup", "backup", "not supported by this version",
    ),
    "another cadence": (
        "cadence: {daily: all}", "cadence: {weekly: wed}", 39, 'duties."visit.daily".cadence', "weekly: wed",
        "daily: all; other cadences are not supported by this version of itcare (0.",
    ),
    "a cadence with a time": (
        "{daily: all}", '{daily: all, at: "22:00"}', 39, 'duties."visit.daily".cadence', "at: 22:00", "daily: all;",
    ),
    "an unquoted time": (
        "{daily: all}", "{daily: all, at: 12:00}", 39, 'duties."visit.daily".cadence.at', "12:00 without quotes",
        "quotes",
    ),
    "another subject": (
        "per: [host]", "per: [visit, host]", 37, 'duties."visit.daily".per', "[visit, host]", "[host]; other subjects",
    ),
    "a duty of an event": (
        "    per: [host]\n", "    event: order\n", 37, 'duties."visit.daily".event', "event", "not supported",
    ),
    "a selected site that is none": (
        "select: all", "select: {site: hx}", 38, 'duties."visit.daily".select.site', '"hx"', "branch, hq",
    ),
    "a selected host that is none": (
        "select: all", "select: {host: [pc01, pc99]}", 38, 'duties."visit.daily".select.host[1]', "pc99", "nb01, pc01",
    ),
    "a selected role that is none": (
        "select: all", "select: {role: [printer]}", 38, 'duties."visit.daily".select.role[0]', "printer", "laptop",
    ),
    "an empty selection": ("select: all", "select: {}", 38, 'duties."visit.daily".select', "empty", "exactly one of"),
    "two selections": (
        "select: all", "select: {site: hq, role: [server]}", 38, 'duties."visit.daily".select', "site: hq", "exactly",
    ),
    "a selection of everything else": (
        "select: all", "select: none", 38, 'duties."visit.daily".select', '"none"', "all, or exactly one of",
    ),
    "a threshold with a unit": (
        "{warn_pct: 20}", '{warn_pct: "20 %"}', 34, "thresholds.disk_free.warn_pct", "20 %", "without a unit",
    ),
    "a threshold that is true": (
        "{warn_pct: 20}", "{warn_pct: true}", 34, "thresholds.disk_free.warn_pct", "true", "a number",
    ),
    "a threshold that is no number": (
        "{warn_pct: 20}", "{warn_pct: .nan}", 34, "thresholds.disk_free.warn_pct", ".nan without", "plain number",
    ),
    "a service that is an option": ("services: [cron]\n", "services: [--all]\n", 32, "services[0]", "--all", "unit"),
    "a service twice": ("services: [cron]\n", "services: [cron, cron]\n", 32, "services", "[cron, cron]", "each once"),
    "a key twice": ("  version: 4\n", "  version: 4\n  version: 5\n", 5, "contract.version", "first in line 4", "once"),
    "a key that is no text": ("  hq:\n", "  1:\n", 19, "sites.1", "the unquoted key 1", "in quotes"),
    "a merge key": (
        "  version: 4\n", "  version: 4\n  <<: {a: b}\n", 5, 'contract."<<"', "merge key", "the keys themselves",
    ),
    "a tag": ("locale: pl", "locale: !!str pl", 12, "client.locale", "the tag tag:yaml.org,2002:str", "without a tag"),
    "a tag of a program": (
        "locale: pl", "locale: !!python/object/apply:os.getcwd []", 12, "client.locale", "the tag", "without a tag",
    ),
    "an anchor": ("locale: pl", "locale: &x pl", 12, "client.locale", "the anchor &x", "without an anchor"),
    "an alias": ("locale: pl", "locale: *x", 12, "client.locale", "the alias *x", "the value itself"),
    "a second document": ("services: [cron]\n", "---\n", 32, "", "a second document", "one contract a file"),
    "a tab as indent": ("  version: 4\n", "\tversion: 4\n", 4, "", "not YAML", "spaces"),
    "a bracket left open": ("per: [host]", "per: [host", 38, "", "not YAML", "quotes"),
    "a control character": ("ACME Example", "ACME\x07Example", 10, "", "a control character", "plain text"),
    "a name that turns the text around": (
        "ACME Example", '"ACME\u202eexample" #', 10, "client.legal_name", "ACME\\u202eexample", "printable",
    ),
    "a list in place of keys": ("team:\n  technician: Zofia Ćwik\n  deputy: Paweł Żak\n", "team: [x]\n", 15, "team",
                                "[x]", "keys with values"),
    "no hosts": (ACME[ACME.index("  srv01"):ACME.index("services: [cron]\n")], "", 26, "hosts", "nothing", "keys"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_it_names_file_line_key_found_and_expected(case, tmp_path):
    old, new, line, key, found, expected = case
    path = write(tmp_path, spoil(old, new))
    matching = [p for p in problems_of(path) if p.key == key and found in p.found]
    assert matching, render_problems(problems_of(path))
    assert matching[0].file == str(path)
    assert matching[0].line == line
    assert expected in matching[0].expected


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


def _git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_it_names_the_commit_that_last_changed_the_file(tmp_path):
    _git(tmp_path, "init", "-q")
    path = write(tmp_path)
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    write(tmp_path, "a: b\n", "other.yml")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "two")
    loaded = load_contract(path)
    assert (loaded.commit, loaded.dirty) == (commit, False)


def test_a_change_after_the_commit_is_dirty_even_where_git_was_told_to_look_away(tmp_path):
    _git(tmp_path, "init", "-q")
    path = write(tmp_path)
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    _git(tmp_path, "update-index", "--assume-unchanged", "acme.yml")
    write(tmp_path, spoil("version: 4", "version: 5"))
    assert _git(tmp_path, "status", "--porcelain") == ""
    assert load_contract(path).dirty


def test_an_uncommitted_file_has_no_commit_and_is_dirty(tmp_path):
    _git(tmp_path, "init", "-q")
    write(tmp_path, "a: b\n", "other.yml")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    loaded = load_contract(write(tmp_path))
    assert (loaded.commit, loaded.dirty) == (None, True)


def test_the_callers_git_variables_do_not_point_git_elsewhere(tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    _git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    loaded = load_contract(write(tmp_path))
    assert (loaded.commit, loaded.dirty) == (None, False)


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    loaded = load_contract(write(tmp_path))
    assert (loaded.commit, loaded.dirty) == (None, False)

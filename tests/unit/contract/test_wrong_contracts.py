"""Each way in which a contract can be wrong, with the place and the words it is told in."""

import pytest

from itcare.contract.problems import render_problems
from tests.support.contracts import ACME, problems_of, spoil, write

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

"""Parts of a contract that are checked and kept, though nothing acts upon them yet."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itcare.contract.fields import minutes_of, weekdays_of
from itcare.contract.plan import plan
from tests.support.contracts import ACME, contract_of, problems_of, spoil, write

WHOLE = """\
calendar:
  version: pl-2026.1
  holidays: [PL, DE-BY]
  hours: {mon-fri: ["08:00-12:00", "12:30-16:00"], sat: ["22:00-06:00"]}
  days_off: {firm: [2026-12-28], client: []}
  overlays:
    - {id: month-close, last_n_working_days: 3, hours: ["07:00-18:00"], services: [finance], phone_staff: 2}
    - {id: first-days, nth_working_days: [1, 2]}
    - {id: stocktaking, dates: [2026-11-26], hours: ["00:00-24:00"]}
contacts:
  office-manager: {email: office@acme.example.com, rights: [verifies_work, signs_protocol, receives_schedule]}
  finance-director: {email: f@acme.example.com, rights: [orders_emergency, approves_expedite, approves_cost]}
  branch-lead: {email: branch@acme.example.com, sites: [branch], rights: [orders_emergency],
    first_day: 2026-01-01, last_day: 2026-11-13}
defaults: {holiday_rule: next_working_day, catch_up_working_days: 5, notify_days_before: [7, 1]}
acceptance: {tacit_after_working_days: null}
"""
FULL = ACME + WHOLE


def test_a_whole_contract_is_kept_as_it_is_written(tmp_path):
    contract = contract_of(tmp_path, FULL)
    assert contract.calendar.hours["mon-fri"] == ("08:00-12:00", "12:30-16:00")
    assert contract.calendar.overlays[0].last_n_working_days == 3
    assert contract.contacts["branch-lead"].sites == ("branch",)
    assert contract.defaults.notify_days_before == (7, 1)
    assert contract.acceptance.tacit_after_working_days is None
    with pytest.raises(TypeError):
        contract.contacts["x"] = contract.contacts["branch-lead"]


def test_what_is_kept_changes_nothing_that_is_owed(tmp_path):
    days = date(2026, 11, 1), date(2026, 12, 31)
    plain = plan(contract_of(tmp_path), *days, since=date(2026, 1, 1))
    assert plan(contract_of(tmp_path, FULL), *days, since=date(2026, 1, 1)) == plain


@pytest.mark.parametrize("reach", ["bastion", "pull"])
def test_other_ways_to_a_site_are_kept(reach, tmp_path):
    contract = contract_of(tmp_path, spoil("reach: vpn", f"reach: {reach}"))
    assert contract.sites["branch"].reach == reach


def test_every_kept_part_may_be_left_out(tmp_path):
    contract = contract_of(tmp_path)
    assert (contract.calendar, contract.defaults, contract.acceptance) == (None, None, None)
    assert contract.contacts == {}


# name: (what stands in WHOLE, what is put there, key, found, expected)
WRONG = {
    "hours without quotes": (
        '["07:00-18:00"]', "[07:00-18:00]", "calendar.overlays[0].hours[0]", "07:00-18:00 without quotes", "in quotes",
    ),
    "a single time without quotes": (
        '["07:00-18:00"]', "[12:00]", "calendar.overlays[0].hours[0]", "the number 720", "quotes",
    ),
    "hours that became a number": (
        '["07:00-18:00"]', "[720]", "calendar.overlays[0].hours[0]", "720", 'hours in quotes such as "08:00-16:00"',
    ),
    "hours without an end": ('["07:00-18:00"]', '["07:00"]', "calendar.overlays[0].hours[0]", "07:00", "08:00-16:00"),
    "an hour of one digit": ('["07:00-18:00"]', '["7:00-18:00"]', "calendar.overlays[0].hours[0]", "7:00", "08:00"),
    "an hour that does not exist": ('"07:00-18:00"', '"07:00-25:00"', "calendar.overlays[0].hours[0]", "25", "08:00"),
    "a day from its end": ('"07:00-18:00"', '"24:00-18:00"', "calendar.overlays[0].hours[0]", "24:00", "08:00"),
    "hours of no length": ('"07:00-18:00"', '"07:00-07:00"', "calendar.overlays[0].hours[0]", "07:00", "08:00"),
    "hours of other digits": ('"07:00-18:00"', '"٠٧:00-18:00"', "calendar.overlays[0].hours[0]", "٠٧", "08:00"),
    "hours as text": ('["07:00-18:00"]', '"07:00-18:00"', "calendar.overlays[0].hours", "07:00-18:00", "a list"),
    "no hours": ('["07:00-18:00"]', "[]", "calendar.overlays[0].hours", "[]", "one after the other"),
    "hours that overlap": ('"12:30-16:00"', '"11:59-16:00"', 'calendar.hours.mon-fri', "11:59", "not overlapping"),
    "hours in the wrong order": ('"12:30-16:00"', '"06:00-07:00"', "calendar.hours.mon-fri", "06:00", "one after"),
    "a weekday that is none": ("sat:", "sob:", "calendar.hours.sob", "sob", "mon, tue, wed"),
    "weekdays backwards": ("mon-fri:", "fri-mon:", "calendar.hours.fri-mon", "fri-mon", "mon-fri"),
    "three weekdays": ("mon-fri:", "mon-tue-wed:", "calendar.hours.mon-tue-wed", "mon-tue", "mon-fri"),
    "a weekday twice": ("sat:", "fri:", "calendar", "hours:", "each weekday once"),
    "no hours of the week": (
        'hours: {mon-fri: ["08:00-12:00", "12:30-16:00"], sat: ["22:00-06:00"]}', "hours: {}", "calendar.hours",
        "empty", "at least one",
    ),
    "a country in lower case": ("[PL, DE-BY]", "[pl]", "calendar.holidays[0]", "pl", "PL or DE-BY"),
    "no country": ("[PL, DE-BY]", "[]", "calendar.holidays", "[]", "at least one"),
    "Norway": ("[PL, DE-BY]", "[NO]", "calendar.holidays[0]", "NO without quotes", "quotes"),
    "a calendar without a version": ("  version: pl-2026.1\n", "", "calendar.version", "nothing", "of the calendar"),
    "a calendar without hours": (
        '  hours: {mon-fri: ["08:00-12:00", "12:30-16:00"], sat: ["22:00-06:00"]}\n', "", "calendar.hours", "nothing",
        "hours of the week",
    ),
    "a slip in the calendar": ("  overlays:", "  overlay:", "calendar.overlay", "overlay", "overlays (did you mean"),
    "a slip in the days off": ("{firm:", "{firma:", "calendar.days_off.firma", "firma", "firm (did you mean"),
    "a slip in an overlay": ("phone_staff", "phone_stuff", "calendar.overlays[0].phone_stuff", "stuff", "phone_staff"),
    "a day off that is text": ("[2026-12-28]", '["2026-12-28"]', "calendar.days_off.firm[0]", "2026", "without quotes"),
    "an overlay on no days": ("{id: first-days, nth_working_days: [1, 2]}", "{id: x}", "calendar.overlays[1]", "x",
                              "exactly one of"),
    "an overlay on two kinds of days": (
        "last_n_working_days: 3,", "last_n_working_days: 3, nth_working_days: [1],", "calendar.overlays[0]", "id",
        "exactly one of",
    ),
    "an overlay without an id": ("{id: stocktaking, dates", "{dates", "calendar.overlays[2].id", "nothing", "a short"),
    "an id twice": ("id: stocktaking", "id: month-close", "calendar", "version", "an id of their own"),
    "the zeroth working day": ("[1, 2]", "[0]", "calendar.overlays[1].nth_working_days[0]", "0", "from 1 up"),
    "half a working day": ("days: 3,", "days: 2.5,", "calendar.overlays[0].last_n_working_days", "2.5", "whole number"),
    "a contact without an address": (
        "email: office@acme.example.com, ", "", "contacts.office-manager.email", "nothing", "e-mail address",
    ),
    "an address without a domain": ("office@acme.example.com", "office@acme", "contacts.office-manager.email",
                                    "office@acme", "e-mail address"),
    "an address with a second line": (
        "office@acme.example.com", '"office@acme.example.com\\nBcc: x@y.example"', "contacts.office-manager.email",
        "Bcc", "e-mail address",
    ),
    "two addresses": ("office@acme.example.com", '"a@b.example, c@d.example"', "contacts.office-manager.email", "a@b",
                      "e-mail address"),
    "a right that is none": ("[verifies_work,", "[verifies_works,", "contacts.office-manager.rights[0]",
                             "verifies_works", "verifies_work, signs_protocol"),
    "no rights": ("rights: [orders_emergency],", "rights: [],", "contacts.branch-lead.rights", "[]", "at least one"),
    "a site that is none": ("sites: [branch]", "sites: [hq, moon]", "contacts.branch-lead.sites[1]", "moon",
                            "branch, hq"),
    "no sites": ("sites: [branch]", "sites: []", "contacts.branch-lead.sites", "[]", "at least one"),
    "rights that end before they begin": ("last_day: 2026-11-13", "last_day: 2025-11-13",
                                          "contacts.branch-lead.last_day", "2025-11-13", "2026-01-01"),
    "a contact with a phone": ("sites: [branch]", "phone: x", "contacts.branch-lead.phone", "phone", "not supported"),
    "a contact's name with a space": ("  branch-lead:", "  branch lead:", "contacts.branch lead", "branch lead",
                                      "short name"),
    "another holiday rule": ("next_working_day", "tomorrow", "defaults.holiday_rule", "tomorrow", "run_anyway"),
    "a catch-up of less than nothing": ("catch_up_working_days: 5", "catch_up_working_days: -1",
                                        "defaults.catch_up_working_days", "-1", "from 0 up"),
    "a notice that is text": ("[7, 1]", '["7"]', "defaults.notify_days_before[0]", "7", "whole number"),
    "a slip in the defaults": ("holiday_rule", "holiday_rul", "defaults.holiday_rul", "holiday_rul", "holiday_rule"),
    "acceptance at once": ("days: null", "days: 0", "acceptance.tacit_after_working_days", "0", "from 1 up"),
    "acceptance as a word": ("days: null", "days: never", "acceptance.tacit_after_working_days", "never", "whole"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_it_names_key_found_and_expected(case, tmp_path):
    old, new, key, found, expected = case
    problems = problems_of(write(tmp_path, ACME + spoil(old, new, WHOLE)))
    matching = [p for p in problems if p.key.replace('"', "") == key and found in p.found and expected in p.expected]
    assert matching, [str(problem) for problem in problems]
    assert matching[0].line > ACME.count("\n")


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [
        ("08:00-16:00", (480, 960)),
        ("00:00-24:00", (0, 1440)),
        ("22:00-06:00", (1320, 1800)),
        ("23:59-00:00", (1439, 1440)),
    ],
)
def test_hours_are_minutes_and_may_pass_midnight(hours, minutes):
    assert minutes_of(hours) == minutes


@pytest.mark.parametrize(
    ("weekdays", "numbers"), [("mon", [0]), ("mon-fri", [0, 1, 2, 3, 4]), ("sat-sun", [5, 6]), ("sun", [6])]
)
def test_weekdays_count_from_monday(weekdays, numbers):
    assert list(weekdays_of(weekdays)) == numbers


@given(st.text(max_size=14))
def test_any_text_as_hours_is_accepted_as_hours_or_refused(tmp_path_factory, text):
    quoted = '"' + "".join(f"\\U{ord(char):08x}" for char in text if not "\ud800" <= char <= "\udfff") + '"'
    path = write(tmp_path_factory.mktemp("hours"), ACME + spoil('"07:00-18:00"', quoted, WHOLE))
    try:
        problems_of(path)
    except AssertionError:
        begin, end = minutes_of(text)
        assert 0 <= begin < end <= begin + 1440

"""Plural forms, dates, numbers and the order of names in both languages."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support import dashboard  # noqa: F401 - puts the dashboard's modules on the path

import words  # isort: skip

NBSP = "\u00a0"


@pytest.fixture
def polish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "lang", lambda: "pl")


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "lang", lambda: "en")


@pytest.mark.parametrize(
    ("count", "jobs", "away", "runs"),
    [
        (1, "1 praca do wykonania", "1 komputer był nieosiągalny", "1 przebieg"),
        (2, "2 prace do wykonania", "2 komputery były nieosiągalne", "2 przebiegi"),
        (5, "5 prac do wykonania", "5 komputerów było nieosiągalnych", "5 przebiegów"),
        (12, "12 prac do wykonania", "12 komputerów było nieosiągalnych", "12 przebiegów"),
        (22, "22 prace do wykonania", "22 komputery były nieosiągalne", "22 przebiegi"),
        (112, "112 prac do wykonania", "112 komputerów było nieosiągalnych", "112 przebiegów"),
    ],
)
def test_polish_nouns_and_verbs_agree_with_their_number(
    polish: None, count: int, jobs: str, away: str, runs: str
) -> None:
    told = (
        words.trn("{n} job due", "{n} jobs due", count),
        words.trn("{n} computer could not be reached", "{n} computers could not be reached", count),
        words.trn("{n} run", "{n} runs", count),
    )
    assert tuple(text.replace(NBSP, " ") for text in told) == (jobs, away, runs)


def test_english_has_its_two_forms(english: None) -> None:
    assert words.trn("{n} job due", "{n} jobs due", 1) == f"1{NBSP}job due"
    assert words.trn("{n} job due", "{n} jobs due", 2) == f"2{NBSP}jobs due"


def test_a_number_stays_on_one_line_with_its_noun(polish: None) -> None:
    assert words.tr("{n} done on time", n=231) == f"231{NBSP}w terminie"
    assert words.of(73, 74) == f"73{NBSP}z{NBSP}74"


def test_dates_follow_the_language(polish: None, monkeypatch: pytest.MonkeyPatch) -> None:
    when = date(2026, 11, 30)
    assert words.day(when, year=True) == "30 listopada 2026"
    assert words.short_day(when) == "30.11"
    assert words.table_day(when) == "30.11.2026"
    assert words.month_name(when) == "Listopad 2026"
    monkeypatch.setattr(words, "lang", lambda: "en")
    assert words.day(when, year=True) == "30 November 2026"
    assert words.short_day(when) == "30 Nov"
    assert words.table_day(when) == "30 Nov 2026"


def test_numbers_follow_the_language(polish: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.number(12345.6, 1) == f"12{NBSP}345,6"
    assert words.size(8_400_000_000) == f"8,4{NBSP}GB"
    monkeypatch.setattr(words, "lang", lambda: "en")
    assert words.number(12345.6, 1) == "12,345.6"


@pytest.mark.parametrize(
    ("back", "told"),
    [
        (timedelta(seconds=20), "1 minutę temu"),
        (timedelta(minutes=40), "40 minut temu"),
        (timedelta(hours=33), "33 godziny temu"),
        (timedelta(hours=47), "47 godzin temu"),
        (timedelta(days=4), "4 dni temu"),
    ],
)
def test_ages_under_two_days_are_told_in_hours(polish: None, back: timedelta, told: str) -> None:
    now = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    assert words.ago(now - back, now).replace(NBSP, " ") == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.4, "0,4 s"), (9.96, "10 s"), (75, "1 min 15 s"), (4440, "1 h 14 min"), (0, "0 s")]
)
def test_durations_name_two_units_at_most(polish: None, seconds: float, told: str) -> None:
    assert words.lasting(seconds).replace(NBSP, " ") == told


def test_names_are_sorted_by_the_polish_alphabet() -> None:
    names = ["żuk", "zebra", "łoś", "lis", "Ćma", "cytra", "pc10", "pc02"]
    assert sorted(names, key=words.alphabetical) == ["cytra", "Ćma", "lis", "łoś", "pc02", "pc10", "zebra", "żuk"]


def test_an_unknown_language_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.catalogue("../../etc").gettext("Computers") == "Computers"

"""The Polish catalogue and the code that asks for it: nothing missing, nothing left over."""

import re

import pytest

from tests.support.translations import catalogue, used_messages

_PLACES = re.compile(r"\{[a-z_]+\}")
USED = used_messages()
CATALOGUE = catalogue()
POLISH = {message.id: message.string for message in CATALOGUE if message.id}


def _forms(text: object) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (str(text),)


def test_every_message_of_the_code_is_translated() -> None:
    missing = [message for message in USED if not all(_forms(POLISH.get(message, "")))]
    assert not missing


def test_no_translation_is_left_over() -> None:
    assert not set(POLISH) - set(USED)


def test_the_catalogue_is_found_to_hold_many_messages() -> None:
    assert len(USED) > 400  # a broken extraction must not make the two tests above true


@pytest.mark.parametrize("message", USED, ids=lambda message: str(message)[:40])
def test_a_translation_has_the_same_places_for_values(message: object) -> None:
    wanted = set(_PLACES.findall(_forms(message)[-1]))
    for form in _forms(POLISH[message]):
        assert set(_PLACES.findall(form)) == wanted


def test_every_plural_has_the_three_polish_forms() -> None:
    plurals = [message for message in POLISH if isinstance(message, tuple)]
    assert plurals
    assert all(len(_forms(POLISH[message])) == 3 for message in plurals)
    assert CATALOGUE.num_plurals == 3


def test_nothing_is_fuzzy_or_obsolete() -> None:
    assert not [message for message in CATALOGUE if message.fuzzy and message.id]
    assert not CATALOGUE.obsolete

"""Every command explains itself, and the documentation knows it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from itcare.cli.app import app
from itcare.core.errors import ExitCode
from itcare.core.settings import _KNOWN_KEYS
from tests.support.components import ROOT

DOCUMENT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(group: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    whole: Any = group or typer.main.get_command(app)
    for name, command in whole.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example(name: str) -> None:
    assert re.search(rf"Example: .*itcare {name}\b", COMMANDS[name].help or "", re.S)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_heading_in_the_documentation(name: str) -> None:
    assert re.search(rf"^## {name}$", DOCUMENT, re.M)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_code_is_documented(code: ExitCode) -> None:
    assert re.search(rf"^\| {int(code)} \|", DOCUMENT, re.M)


@pytest.mark.parametrize("key", sorted(_KNOWN_KEYS - {"home"}))
def test_every_setting_is_documented(key: str) -> None:
    assert f"| `{key}` |" in DOCUMENT

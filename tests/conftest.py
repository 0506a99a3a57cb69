"""No skip goes by unexplained: outside CI only those of allowed_skips.toml, in CI none."""

import os
import sys
from collections.abc import Generator, Iterator

import hypothesis
import pytest

from tests.support.components import allowed_skips, can_be_installed, is_present
from tests.support.syscall_sweep import PROPERTY

CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
hypothesis.settings.register_profile("itcare", deadline=None)  # timing is for benchmarks, not for tests
hypothesis.settings.load_profile("itcare")
_used: set[str] = set()
_sweeps: list[str] = []


def _components(item: pytest.Item) -> list[str]:
    return [name for mark in item.iter_markers("component") for name in mark.args]


@pytest.fixture(autouse=True)
def _keep_the_main_module() -> Iterator[None]:
    """A page under test takes the place of `__main__`, which processes started later would run again."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in _components(item):
        if is_present(name):
            continue
        reason = f"{name}: {allowed_skips()[name]['condition']}"
        if CI and can_be_installed(name):
            pytest.fail(f"CI lacks a component: {reason}", pytrace=False)
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    report.user_properties.append(("components", _components(item)))
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        named = [name for name, entry in allowed_skips().items() if f"{name}: {entry['condition']}" in reason]
        if not named or (CI and any(can_be_installed(name) for name in named)):
            report.outcome = "failed"
            report.longrepr = f"a skip that tests/allowed_skips.toml does not allow here: {reason}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _sweeps.extend(str(value) for key, value in report.user_properties if key == PROPERTY)
    if report.when == "call" and report.passed:
        for key, value in report.user_properties:
            if key == "components":
                _used.update(value)


def _unused_components(config: pytest.Config) -> list[str]:
    whole = (
        not config.option.keyword
        and config.option.markexpr in ("", "not slow")
        and config.args == config.getini("testpaths")
    )
    if not CI or not whole or hasattr(config, "workerinput"):
        return []
    return sorted(name for name in set(allowed_skips()) - _used if can_be_installed(name) or is_present(name))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == 0 and _unused_components(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _sweeps:
        terminalreporter.section("faults in every system call")
        for line in sorted(_sweeps):
            terminalreporter.write_line(line)
    if unused := _unused_components(terminalreporter.config):
        terminalreporter.write_line(f"components installed and used by no passing test: {', '.join(unused)}", red=True)

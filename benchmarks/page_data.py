"""How long a page's script takes, and how much of it the reader of the snapshots: the real script, in this process."""

import gc
import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from inspect import getattr_static
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from itcare.publish.firm_reader import FirmOverview
from itcare.publish.reader import Snapshot
from tests.support.dashboard import app, at_page

WARM_CALLS = 2
_SECONDS = 300  # until a page counts as hanging
# Loggers that tell, for every page, that no server runs it. Their level would be set back with each page.
_WARN_OF_NO_SERVER = (
    "streamlit.runtime.scriptrunner_utils.script_run_context", "streamlit.runtime.state.session_state_proxy",
)  # fmt: skip
_MISSING = ("There is no such page.", "The published data cannot be read.", "Nothing has been published yet.")


@dataclass(frozen=True)
class Opened:
    """One way to open a page: its path, its query, and the places to choose in its selection boxes by label.

    Where something is chosen, what is timed is the run of the script after the choice.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: of the whole script, and in the readers by the wall and by the processor.

    `by_method`: those of the processor by the reader's method.
    """

    script: float
    data: float
    data_cpu: float
    by_method: Mapping[str, float]


class ReaderTimer:
    """Adds up the time in the public methods of the readers; one that calls another counts once."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.by_method: dict[str, float] = defaultdict(float)  # seconds of the processor
        self._depth = 0

    @contextmanager
    def watching(self) -> Iterator["ReaderTimer"]:
        """Wrap the methods for a while."""
        with pytest.MonkeyPatch.context() as patch:
            for reader in (Snapshot, FirmOverview):
                for name in dir(reader):
                    found = getattr_static(reader, name)
                    if name.startswith("_"):
                        continue
                    if isinstance(found, classmethod):
                        patch.setattr(reader, name, classmethod(self._timed(found.__func__)))
                    elif callable(found):
                        patch.setattr(reader, name, self._timed(found))
            yield self

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def timed(*args: Any, **options: Any) -> Any:
            if self._depth:
                return method(*args, **options)
            self._depth = 1
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return method(*args, **options)
            finally:
                self.wall += time.perf_counter() - wall
                cpu = time.thread_time() - cpu
                self.cpu += cpu
                self.by_method[method.__name__] += cpu
                self._depth = 0

        return timed


class Pages:
    """Opens pages of a published home as a browser would, each time in a new session."""

    def __init__(self, published: Path, client: str) -> None:
        self._published, self._client = published, client
        for name in _WARN_OF_NO_SERVER:
            logging.getLogger(name).disabled = True

    def time_page(self, ways: Sequence[Opened]) -> list[Timing]:
        """Open a page in each of these ways, in a row, after a few calls that do not count."""
        for opened in ways[:WARM_CALLS]:
            self._time(opened)
        return [self._time(opened) for opened in ways]

    def _time(self, opened: Opened) -> Timing:
        is_firm = opened.path == "clients"
        with pytest.MonkeyPatch.context() as patch:
            test = app(
                self._published, patch, client=None if is_firm else self._client, staff=is_firm,
                **{"lang": "en", **opened.query},
            )  # fmt: skip
            test.default_timeout = _SECONDS
            at_page(test, opened.path)
            if opened.choices:
                _require_page(test.run(), opened)
                for label, place in opened.choices.items():
                    _choose(test, label, place)
            timer = ReaderTimer()
            gc.collect()  # what the pages before left behind is not this one's to clear away
            with timer.watching():
                begin = time.perf_counter()
                test.run()
                whole = time.perf_counter() - begin
        _require_page(test, opened)
        if not timer.by_method:
            raise RuntimeError(f"{opened} was drawn without a question to a reader: what would be measured is not it")
        return Timing(whole, timer.wall, timer.cpu, timer.by_method)


def _choose(test: AppTest, label: str, place: int) -> None:
    boxes = [box for box in test.main.selectbox if box.label == label]
    if not boxes:
        raise RuntimeError(f"the page has no box {label!r}: {[box.label for box in test.main.selectbox]}")
    boxes[0].select_index(place % len(boxes[0].options))


def _require_page(test: AppTest, opened: Opened) -> None:
    """What was timed is the page and no excuse for it."""
    told = [str(element.value) for kind in (test.title, test.text, test.markdown) for element in kind]
    if test.exception or not test.title or any(text in _MISSING for text in told):
        raise RuntimeError(f"{opened} showed no page: {[e.value for e in test.exception]} {told[:5]}")


def percentile_95(seconds: Sequence[float]) -> float:
    """The smallest of the figures that is at least as large as 95 in 100 of them."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]

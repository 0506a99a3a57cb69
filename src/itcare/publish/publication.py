"""Publishing one client: its ledger and contract in, its snapshot and sidecar out.

Three ways lead to the same files. Everything is read from the beginning where nothing is remembered; this month and
the one before it are read again where something but the ledger has changed (contract, thresholds, this program, the
month); and after one more visit its rows are put beside those of before (`update`).
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from itcare.core.clock import read_instant, write_instant
from itcare.core.errors import UnsafeError, UnsoundError
from itcare.publish.bookmark import Bookmark
from itcare.publish.files import PublishedFile, describe_files, locked_folder, told_as_unsafe
from itcare.publish.firm import ClientSummary, summarise_client
from itcare.publish.host_rows import Judge
from itcare.publish.memory import ForgottenError
from itcare.publish.news import News, read_news
from itcare.publish.present import HostRows
from itcare.publish.records import Problem
from itcare.publish.refresh import Made, UnknownProblemsError, refresh
from itcare.publish.revision import ChangedFileError, is_published, is_there, revision
from itcare.publish.schema import SNAPSHOT_FILE
from itcare.publish.source import Source
from itcare.publish.update import UnfitError, update
from itcare.publish.work import Work
from itcare.publish.writer import present_meta, write_sidecar


@dataclass(frozen=True)
class Publication:
    """What was published: the files that were written, and the tree they were built from."""

    files: tuple[PublishedFile, ...]
    policy: str
    tree_size: int
    tree_root: str
    judgements: tuple[Mapping[str, object], ...] = ()
    summary: ClientSummary | None = None

    def to_event(self, findings: str | None = None) -> dict[str, object]:
        """The ledger entry that says what the client was shown (docs/ledger-v1.md).

        `findings`: digest of the body that keeps `judgements`, so that they can be compared with later ones.
        """
        return {
            "type": "publication",
            "files": describe_files(self.files),
            "policy": self.policy,
            "tree": {"size": self.tree_size, "root": self.tree_root},
            "findings": findings,
        }


def publish_client(
    published: Path,
    source: Source,
    judge: Judge,
    now: datetime,
    *,
    bookmark: Path | None = None,
    rebuild: bool = False,
) -> Publication:
    """Write the client's snapshot and sidecar; the old snapshot stays when anything fails.

    `bookmark`: the file of what is remembered between publications; without it everything is read. `rebuild`: read
    this month and the one before it again even where only the ledger has grown. An unsound ledger is not read:
    the snapshot says so, and keeps the rows of before. The caller appends `Publication.to_event()` to the client's
    log and signs. Raises UnsoundError when contract, log and tree do not belong together, UnsafeError for disk and
    permissions, BusyError when another process publishes this client.
    """
    with locked_folder(published, source.client_id) as folder:
        with suppress(ChangedFileError):
            if not source.soundness.sound and (publication := _tell_unsound(folder, source, judge, now, bookmark)):
                return publication
        kept = bookmark if source.soundness.sound else None  # what cannot be confirmed is not built upon
        with told_as_unsafe(bookmark or folder), Bookmark.open(kept) as mark:
            publication = _publish(Work(folder, source, judge, now, mark), rebuild)
            mark.commit()
    return publication


def _tell_unsound(
    folder: Path, source: Source, judge: Judge, now: datetime, bookmark: Path | None
) -> Publication | None:
    """Say that the ledger cannot be confirmed, over the rows of the last time that it could; None without such rows."""
    if bookmark is None or not bookmark.is_file():
        return None
    with told_as_unsafe(bookmark), Bookmark.open(bookmark) as mark:
        work = Work(folder, source, judge, now, mark)
        if not _has_ground(work):
            return None
        _require_one_client(work)
        collection = mark.get("collection")
        before = PublishedFile(**json.loads(mark.get("current") or "{}"))
        with revision(folder, before, SNAPSHOT_FILE, present_meta(work.make_meta(collection))) as (_, done):
            pass
        publication = _publish_rest(work, Made(done[0], (), HostRows(), collection))
        mark.commit()
    return publication


def _publish(work: Work, rebuild: bool) -> Publication:
    """Read what is new and write; begin at the beginning whenever what is remembered turns out not to hold."""
    found: tuple[Problem, ...] = ()
    while True:
        news = _read_news(work, found)
        _require_one_client(work)
        attempt = Work(work.folder, work.source, work.judge, work.now, work.mark)  # it caches what was just read
        try:
            made = (
                refresh(attempt, _begin(attempt)) if rebuild or not _is_update(attempt, news) else update(attempt, news)
            )
        except UnknownProblemsError as error:
            found = error.problems
            work.mark.forget()
        except ForgottenError:
            work.mark.forget()
        except (UnfitError, ChangedFileError):
            rebuild = True
        else:
            return _finish(attempt, made)


def _read_news(work: Work, found: tuple[Problem, ...]) -> News:
    """What is new. `found`: problems that only reading whole runs brings to light."""
    mark, zone = work.mark, work.contract.zone
    was_begun = mark.get("boundary") is not None
    news = read_news(mark, work.source.entries, work.source.checkpoint, zone)
    is_too_old = news.oldest_month is not None and news.oldest_month < (mark.get("boundary") or "")
    is_elsewhere = mark.get("zone") not in (None, work.contract.client.tz)
    if was_begun and (not news.fits or news.strays or is_too_old or is_elsewhere):
        mark.forget()
        news = read_news(mark, work.source.entries, work.source.checkpoint, zone)
    mark["zone"] = work.contract.client.tz
    mark.keep_problems(dict.fromkeys([*mark.problems(), *news.strays, *found]))
    return news


def _require_one_client(work: Work) -> None:
    code, enrolled = work.contract.client.code, work.mark.get("client")
    if code != enrolled:
        raise UnsoundError(
            "publish", code, f"its ledger was begun for {ascii(enrolled)}",
            "Nothing was published. Check which contract belongs to which log.",
        )  # fmt: skip
    if work.source.client_id < 1:
        raise UnsafeError("publish", code, "its number is not positive", "Enrol the client first.")


def _is_update(work: Work, news: News) -> bool:
    """Whether nothing but whole new runs has come, so that all other rows stay as they are."""
    mark = work.mark
    return (
        _has_ground(work)
        and mark.get("signature") == work.signature
        and mark.get("boundary") == work.first_month
        and mark.get("provisional") == _PROVISIONAL[False]
        and news.entries is not None
        and not news.is_late
        and not _has_lost_runs(work)
    )


def _begin(work: Work) -> str:
    """The month from which on all is to be read again: empty for all of them."""
    current = json.loads(work.mark.get("current") or "{}")
    if _has_ground(work) and is_published(work.folder, PublishedFile(**current)):
        return work.mark.get("boundary") or ""
    if work.mark.get("boundary") is not None:
        found = work.mark.problems()
        work.mark.forget()
        _read_news(work, found)
    return ""


def _has_ground(work: Work) -> bool:
    """Whether the files are there that the bookmark speaks of, so that their rows can be carried over."""
    boundary, current = work.mark.get("boundary"), work.mark.get("current")
    if boundary is None or current is None or boundary > work.first_month:
        return False
    if not all(is_there(work.folder, PublishedFile(one.file, one.sha256, one.bytes)) for one in work.mark.months()):
        return False
    return is_there(work.folder, PublishedFile(**json.loads(current)))


_PROVISIONAL = {False: "no", True: "yes"}


def _has_lost_runs(work: Work) -> bool:
    """Whether a run is open whose process is gone: what is made of it has to be taken back when it is recovered."""
    open_runs = (run.number for run in work.mark.runs(work.first_month) if not run.is_closed)
    return any(number not in work.source.live_runs for number in open_runs)


def _finish(work: Work, made: Made) -> Publication:
    """Note what was read, and publish the rest."""
    mark = work.mark
    mark["signature"], mark["boundary"] = work.signature, work.first_month
    mark["provisional"] = _PROVISIONAL[_has_lost_runs(work)]
    mark["checked_at"] = write_instant(work.source.checked_at)
    if made.collection is not None:
        mark["collection"] = made.collection
    return _publish_rest(work, made)


def _publish_rest(work: Work, made: Made) -> Publication:
    """Write the sidecar, which makes the client visible, when there is something to see; note what lies there."""
    source, client = work.source, work.contract.client
    sidecar = write_sidecar(work.folder, client.code, client.legal_name)
    work.mark["current"] = json.dumps(describe_files([made.current])[0])
    summary = summarise_client(source.client_id, work.make_meta(made.collection), work.folder / SNAPSHOT_FILE)
    return Publication(
        (made.current, *made.months, sidecar), work.judge.policy_version, source.checkpoint.size,
        source.checkpoint.root, tuple(made.hosts.judgements), summary,
    )  # fmt: skip


@dataclass(frozen=True)
class Confirmed:
    """A tree that was published after the whole ledger had been checked at `checked_at`; `edge`: its right edge."""

    size: int
    edge: bytes
    checked_at: datetime


def read_confirmed(bookmark: Path) -> Confirmed | None:
    """Up to where a client's ledger was confirmed when it was last published; None where nobody remembers."""
    if not bookmark.is_file():
        return None
    try:
        with Bookmark.open(bookmark) as mark:
            size, edge, checked_at = mark.get("size"), mark.get("edge"), mark.get("checked_at")
    except (sqlite3.Error, OSError):
        return None  # another process publishes, or it will be begun anew
    if size is None or edge is None or checked_at is None:
        return None
    return Confirmed(int(size), bytes.fromhex(edge), read_instant(checked_at))

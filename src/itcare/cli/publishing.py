"""From a client's ledger to findings and to the published snapshot."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from itcare.cli.history import live_runs, plain_fields, read_client, recollect_client
from itcare.core.errors import UnsoundError

if TYPE_CHECKING:
    from pathlib import Path

    from itcare.cli.session import Session
    from itcare.ledger.check import Soundness
    from itcare.ledger.log import LogRef
    from itcare.publish.again import Comparison
    from itcare.publish.firm import ClientSummary


def find_findings(session: "Session", log: "LogRef") -> list[dict[str, Any]]:
    """Findings on the newest look at each computer of the contract, worst first, as plain values."""
    from itcare.assess.finding import SEVERITY
    from itcare.publish.host_rows import make_finding_rows
    from itcare.publish.judge import judge_for
    from itcare.publish.snapshot import list_hosts_today

    contract = session.contract(str(log.client)).contract
    now = session.clock.now()
    hosts = list_hosts_today(contract, now)
    newest = recollect_client(session, log).read_newest(host.name for host in hosts)
    records = read_client(session, log) if newest is None else newest
    rows = sorted(make_finding_rows(records, hosts, judge_for(contract), now), key=lambda row: SEVERITY[row.status])
    return [{"client": log.client, **_without_id(plain_fields(row))} for row in rows]


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "id"}


WHOLE_CHECK_EVERY = timedelta(hours=24)
"""A quick publication builds on a check of the whole ledger that is at most so old."""


def publish_log(session: "Session", log: "LogRef", *, quick: bool = False, rebuild: bool = False) -> str:
    """Check one client's ledger, publish it, record the publication and sign; one line of what was done.

    `quick`: check only what came since the whole ledger was checked, if that was within `WHOLE_CHECK_EVERY`.
    `rebuild`: make the rows of this month and the one before it anew.

    An unsound ledger is published as what it is: the pages then say so and show no figures; nothing is
    appended to it. Raises UnsoundError after that, so that the command does not end well.
    """
    from itcare.drive.controller import read_code_version
    from itcare.publish.judge import judge_for
    from itcare.publish.publication import publish_client
    from itcare.publish.source import read_source

    loaded = session.contract(str(log.client))
    bookmark = session.settings.bookmarks / f"{log.client_id}.sqlite"
    soundness, checked_at = _check(session, log, bookmark, quick=quick)
    with session.ledger.bodies(log) as bodies:
        source = read_source(
            session.ledger, log, loaded, soundness, checked_at=checked_at, code_version=read_code_version().version,
            live_runs=live_runs(session, log), bodies=bodies,
        )  # fmt: skip
        publication = publish_client(
            session.settings.published, source, judge_for(loaded.contract), session.clock.now(), bookmark=bookmark,
            rebuild=rebuild,
        )  # fmt: skip
    if publication.summary is not None:
        _publish_overview(session, publication.summary)
    if not soundness.sound:
        raise UnsoundError(
            "publish", str(log.client), soundness.message,
            "Its pages say that the ledger cannot be confirmed. Run `itcare verify` and keep the state folder.",
        )  # fmt: skip
    with session.ledger.append(log) as batch:
        batch.add(publication.to_event(batch.body(list(publication.judgements))))
    session.ledger.sign(log)
    size = sum(file.bytes for file in publication.files)
    return f"{log.client}: published, {size / 1000:.0f} kB, from {publication.tree_size} ledger entries."


def _check(session: "Session", log: "LogRef", bookmark: "Path", *, quick: bool) -> "tuple[Soundness, datetime]":
    """What is to be said of the ledger, and when all of it was checked."""
    from itcare.ledger.check import check_log
    from itcare.ledger.growth import check_growth
    from itcare.publish.publication import read_confirmed

    now = session.clock.now()
    known = read_confirmed(bookmark) if quick else None
    if known is not None and timedelta(0) <= now - known.checked_at <= WHOLE_CHECK_EVERY:
        grown = check_growth(session.settings, session.engine, log, known.size, known.edge)
        if grown.sound:
            return grown, known.checked_at
    return check_log(session.settings, session.engine, log), now


def _publish_overview(session: "Session", summary: "ClientSummary") -> None:
    """Bring the client's sums into the firm's overview and record that in the firm's log."""
    from itcare.publish.firm_writer import publish_firm

    overview = publish_firm(session.settings.published, summary)
    firm = session.ledger.firm_log()
    with session.ledger.append(firm) as batch:
        batch.add(overview.to_event())
    session.ledger.sign(firm)


def judge_history_again(session: "Session", log: "LogRef") -> "Comparison":
    """Judge every look that a publication judged again, under today's contract and thresholds."""
    from itcare.publish.again import judge_again
    from itcare.publish.judge import judge_for
    from itcare.publish.snapshot import list_hosts

    contract = session.contract(str(log.client)).contract
    history = read_client(session, log)
    return judge_again(history, list_hosts(contract, history, set(), session.clock.now()), judge_for(contract))

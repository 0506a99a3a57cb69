"""From a client's ledger to findings and to the published snapshot."""

from typing import TYPE_CHECKING, Any

from itcare.cli.history import plain_fields, read_client
from itcare.core.errors import UnsoundError

if TYPE_CHECKING:
    from itcare.cli.session import Session
    from itcare.contract.loader import LoadedContract
    from itcare.ledger.log import LogRef
    from itcare.publish.host_rows import Judge


def make_judge(loaded: "LoadedContract") -> "Judge":
    """Today's rules under the thresholds of one contract."""
    from itcare.assess.engine import assess, assess_missing
    from itcare.assess.policy import policy_for
    from itcare.publish.host_rows import Judge

    policy = policy_for(loaded.contract.thresholds)
    return Judge(
        policy_version=policy.version,
        assess=lambda health, host: assess(health, policy, services=host.services),
        assess_missing=assess_missing,
    )


def find_findings(session: "Session", log: "LogRef") -> list[dict[str, Any]]:
    """Findings on the newest look at each computer of the contract, worst first, as plain values."""
    from itcare.assess.finding import SEVERITY
    from itcare.publish.host_rows import make_finding_rows
    from itcare.publish.snapshot import list_hosts

    loaded = session.contract(str(log.client))
    history, now = read_client(session, log), session.clock.now()
    hosts = list_hosts(loaded.contract, history, set(), now)
    rows = sorted(make_finding_rows(history, hosts, make_judge(loaded), now), key=lambda row: SEVERITY[row.status])
    return [{"client": log.client, **_without_id(plain_fields(row))} for row in rows]


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "id"}


def publish_log(session: "Session", log: "LogRef") -> str:
    """Check one client's ledger, publish it, record the publication and sign; one line of what was done.

    An unsound ledger is published as what it is: the pages then say so and show no figures; nothing is
    appended to it. Raises UnsoundError after that, so that the command does not end well.
    """
    from itcare.drive.controller import read_code_version
    from itcare.ledger.check import check_log
    from itcare.publish.snapshot import Source, publish_client

    loaded = session.contract(str(log.client))
    checkpoint = session.ledger.latest_checkpoint(log)
    soundness = check_log(session.settings, session.engine, log)
    history = read_client(session, log, up_to=checkpoint.size)
    source = Source(
        client_id=int(log.client_id or 0),
        contract=loaded,
        history=history,
        checkpoint=checkpoint,
        soundness=soundness,
        checked_at=session.clock.now(),
        code_version=read_code_version().version,
        stale_after_hours=session.settings.stale_after_hours,
    )
    publication = publish_client(session.settings.published, source, make_judge(loaded), session.clock.now())
    if not soundness.sound:
        raise UnsoundError(
            "publish", str(log.client), soundness.message,
            "Its pages say that the ledger cannot be confirmed. Run `itcare verify` and keep the state folder.",
        )  # fmt: skip
    with session.ledger.append(log) as batch:
        batch.add(publication.to_event())
    session.ledger.sign(log)
    size = sum(file.bytes for file in publication.files)
    return f"{log.client}: published, {size / 1000:.0f} kB, from {publication.tree_size} ledger entries."

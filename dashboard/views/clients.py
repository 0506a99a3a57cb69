"""Where do I go first? Every client by area, for the firm's own people only.

Drawn from `firm.sqlite` and the progress files; a client's snapshot is opened only when a number of
that client is pressed, and then this one alone.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

import evidence
import grids
import widgets
from behind import Findings
from itcare.access import ClientScope, StaffScope, find_scope
from itcare.core.clock import SystemClock
from itcare.core.errors import ItcareError, NotFoundError
from itcare.core.words import FindingStatus, ObligationState
from itcare.publish.firm_reader import FirmAreaRow, FirmClientRow, FirmOverview
from itcare.publish.reader import Jobs, Snapshot
from scene import Scene, months
from states import DELIVERED, FINDINGS, STATES, WORST_FIRST, duty_name, finding_glyph, finding_word, state_word
from views import running
from views.frame import quiet
from words import ago, alphabetical, lang, month_name, number, tr, trn

BAD = (ObligationState.FAILED, ObligationState.NO_DATA, ObligationState.NOT_REACHED)
COMING_FIRST = tuple(s for s in WORST_FIRST if s not in (ObligationState.PLANNED, ObligationState.WAIVED))
Areas = Mapping[int, Mapping[str, FirmAreaRow]]


def show(door: StaffScope, scopes: tuple[ClientScope, ...]) -> None:
    """The page. Says so when nothing was published, or when the overview cannot be read."""
    now = SystemClock().now()
    try:
        with FirmOverview.open(door) as overview:
            clients, rows = overview.clients(), overview.areas()
    except NotFoundError:
        st.title(tr("No client has been published yet."), anchor=False)
        quiet(tr("The overview appears after the first itcare publish."))
        running.show(door)
        return
    except ItcareError:
        st.title(tr("The overview of all clients cannot be read."), anchor=False)
        st.error(tr("Publish a client again: the overview is then begun anew."), icon=":material/error:")
        running.show(door)
        return
    if not clients:
        st.title(tr("No client has been published yet."), anchor=False)
        running.show(door)
        return
    areas: dict[int, dict[str, FirmAreaRow]] = {}
    for row in rows:
        areas.setdefault(row.client_id, {})[row.area] = row
    st.title(headline(clients, areas, now), anchor=False)
    quiet(ages(clients, now))
    pressed = _grid(clients, areas, now)
    left, right = st.columns(2, gap="medium")
    with left:
        running.show(door)
    with right:
        _ledgers(clients, now)
    if pressed is not None:
        _press(pressed, scopes, now)


def headline(clients: Sequence[FirmClientRow], areas: Areas, now: datetime) -> str:
    """How many clients, and how many need somebody; parts that are zero are left out."""
    undone = sum(any(bad_of(row) for row in areas.get(client.client_id, {}).values()) for client in clients)
    open_ = sum(any(row.attempted for row in areas.get(client.client_id, {}).values()) for client in clients)
    old = sum(is_stale(client, now) for client in clients)
    unsound = sum(not client.ledger_is_sound for client in clients)
    parts = [
        (unsound, trn("{n} with a ledger in doubt", "{n} with a ledger in doubt", unsound)),
        (undone, trn("{n} with jobs not done", "{n} with jobs not done", undone)),
        (open_, trn("{n} with jobs in progress", "{n} with jobs in progress", open_)),
        (old, trn("{n} without fresh data", "{n} without fresh data", old)),
    ]
    told = ", ".join(text for count, text in parts if count) or tr("nothing is left undone")
    return trn("{n} client", "{n} clients", len(clients)) + f": {told}."


def ages(clients: Sequence[FirmClientRow], now: datetime) -> str:
    """From the newest to the oldest data."""
    newest = max(client.published_at for client in clients)
    oldest = min(client.published_at for client in clients)
    return tr("Newest data: {newest}. Oldest data: {oldest}.", newest=ago(newest, now), oldest=ago(oldest, now))


def is_stale(client: FirmClientRow, now: datetime) -> bool:
    """Whether what is shown of a client is older than the firm promises."""
    return (now - client.published_at).total_seconds() > client.stale_after_hours * 3600


def bad_of(row: FirmAreaRow) -> int:
    """Jobs that were owed and not done, the waived ones left out."""
    return row.failed + row.no_data + row.not_reached


def owed_of(row: FirmAreaRow) -> int:
    """Jobs of the month whose turn has come, the waived ones left out."""
    return bad_of(row) + row.attempted + row.done + row.done_late


def in_order(clients: Sequence[FirmClientRow], areas: Areas, now: datetime) -> list[FirmClientRow]:
    """Clients with old data first, the oldest first; then by what is worst, then by name."""

    def place(client: FirmClientRow) -> tuple[object, ...]:
        states = [worst_of(row) for row in areas.get(client.client_id, {}).values() if owed_of(row)]
        worst = min((WORST_FIRST.index(state) for state in states), default=len(WORST_FIRST))
        stale = is_stale(client, now)
        age = client.published_at if stale else datetime.max.replace(tzinfo=UTC)
        return (client.ledger_is_sound, not stale, age, worst, -client.findings_fail, alphabetical(client.code))

    return sorted(clients, key=place)  # type: ignore[arg-type, return-value]  # tuples of one shape


def worst_of(row: FirmAreaRow) -> ObligationState:
    """The worst state among the jobs whose turn has come; planned and waived ones say nothing of the work."""
    return next((state for state in COMING_FIRST if getattr(row, state.value)), ObligationState.DONE)


def _grid(clients: Sequence[FirmClientRow], areas: Areas, now: datetime) -> str | None:
    names = sorted({area for rows in areas.values() for area in rows}, key=alphabetical)
    titles = {row.area: row.title for rows in areas.values() for row in rows.values() if row.title}
    head = [
        tr("Client, this month"), tr("Data from"), *(_area_name(name, titles) for name in names), tr("Problems"),
        tr("Remarks"), tr("Not known"), tr("Disks full in 30 days"), tr("To be looked at"),
    ]  # fmt: skip
    rows = [
        _row(client, areas.get(client.client_id, {}), names, titles, now) for client in in_order(clients, areas, now)
    ]
    legend = [
        {"state": str(state), "glyph": STATES[state][0], "text": tr(STATES[state][1])}
        for state in (*BAD, ObligationState.ATTEMPTED, ObligationState.DONE_LATE, ObligationState.DONE)
    ]
    pressed = grids.table("clients", head, rows, legend)
    quiet(tr("Counts: not done out of due. Press a field to see its evidence, a name to open the client."))
    return pressed


def _area_name(area: str, titles: Mapping[str, str]) -> str:
    known = duty_name(area)
    return widgets.plain(known if known != area else titles.get(area, area), 60)


def _row(
    client: FirmClientRow, areas: Mapping[str, FirmAreaRow], names: Sequence[str], titles: Mapping[str, str],
    now: datetime,
) -> dict[str, object]:  # fmt: skip
    stale = is_stale(client, now)
    age = ago(client.published_at, now)
    cells: list[dict[str, object]] = [
        {
            "id": f"{client.code}|",
            "state": "no_data",
            "glyph": "?",
            "text": age,
            "title": tr("Old data: {age}", age=age),
        }
        if stale
        else {"text": age}
    ]
    cells += [_area(client, areas.get(name), _area_name(name, titles), stale) for name in names]
    for status, count in (
        (FindingStatus.FAIL, client.findings_fail), (FindingStatus.WARN, client.findings_warn),
        (FindingStatus.UNKNOWN, client.findings_unknown),
    ):  # fmt: skip
        cells.append(_finding(client, status, count))
    cells.append(_plain_count(client, "full", client.full_within_30_days, tr("Disks full in 30 days")))
    cells.append(_plain_count(client, "verify", client.needs_verify, tr("To be looked at")))
    if not client.ledger_is_sound:  # no figure that rests on a ledger in doubt
        cells = [cells[0], *({"text": tr("in doubt")} for _ in cells[1:])]
    return {
        "name": {"id": client.code, "text": client.code, "title": tr("Open client {code}", code=client.code)},
        "note": widgets.plain(client.legal_name, 80),
        "worst": _worst(areas, stale),
        "cells": cells,
    }


def _worst(areas: Mapping[str, FirmAreaRow], stale: bool) -> dict[str, str] | None:
    states = [worst_of(row) for row in areas.values() if owed_of(row)]
    if not states:
        return None
    state = min(states, key=WORST_FIRST.index)
    return {"state": _shade(state, stale), "glyph": STATES[state][0]}


def _shade(state: ObligationState, stale: bool) -> str:
    return "faded" if stale and state in DELIVERED else str(state)


def _area(client: FirmClientRow, row: FirmAreaRow | None, name: str, stale: bool) -> dict[str, object]:
    if row is None:
        return {"text": tr("not covered")}
    owed, bad = owed_of(row), bad_of(row)
    if not owed:
        return {"text": tr("nothing due")}
    state = worst_of(row)
    part = bad or (0 if state is ObligationState.DONE else getattr(row, state.value))
    text = f"{number(part)}/{number(owed)}" if part else number(owed)
    return {
        "id": f"{client.code}|{row.area}",
        "state": _shade(state, stale),
        "glyph": STATES[state][0],
        "text": text,
        "title": f"{client.code}, {name}: {state_word(state)}, {text}",
    }


def _finding(client: FirmClientRow, status: FindingStatus, count: int) -> dict[str, object]:
    if not count:
        return {"text": "0" if client.last_observed_at else tr("no data")}
    return {
        "id": f"{client.code}|findings {status}",
        "state": str(status),
        "glyph": FINDINGS[status][0],
        "text": number(count),
        "title": f"{client.code}: {finding_word(status)}, {number(count)}",
    }


def _plain_count(client: FirmClientRow, what: str, count: int, name: str) -> dict[str, object]:
    if not count:
        return {"text": "0"}
    title = f"{client.code}, {name}: {number(count)}"
    return {"id": f"{client.code}|{what}", "state": "whole", "glyph": "", "text": number(count), "title": title}


def _press(pressed: str, scopes: tuple[ClientScope, ...], now: datetime) -> None:
    """A name opens the client, a field the evidence; both are looked up among the scopes of this visitor."""
    code, bar, what = pressed.partition("|")
    scope = find_scope(scopes, code)
    if scope is None:
        st.info(tr("This client's data cannot be opened here."))
        return
    if not bar or not what:
        query = {"client": scope.code, "lang": lang()}
        st.switch_page(st.session_state["pages"]["overview"], query_params=query)
    try:
        with Snapshot.open(scope) as snapshot:
            meta = snapshot.meta()
            _open(Scene(scope, snapshot, meta, now, months(meta)[0]), what)
    except ItcareError:
        st.info(tr("This client's data cannot be opened here."))


def _open(scene: Scene, what: str) -> None:
    title = f"{scene.scope.code}: "
    if what.startswith("findings "):
        status = what.removeprefix("findings ")
        if status in tuple(FindingStatus):
            wanted = FindingStatus(status)
            evidence.open_findings(scene, Findings(wanted), f"{title}{finding_glyph(wanted)} {finding_word(wanted)}")
    elif what == "full":
        running.open_full_disks(scene, f"{title}{tr('Disks full in 30 days')}")
    elif what == "verify":
        running.open_to_verify(scene, f"{title}{tr('To be looked at')}")
    else:
        which = Jobs(scene.month_key, what, frozenset(BAD))
        if not scene.snapshot.job_count(which):
            which = Jobs(scene.month_key, what, frozenset(ObligationState) - {ObligationState.PLANNED})
        evidence.open_obligations(scene, which, title + month_name(scene.month))


def _ledgers(clients: Sequence[FirmClientRow], now: datetime) -> None:
    """Those in doubt first, each with what the check said; the sound ones in one line."""
    st.header(tr("Ledgers"), anchor=False)
    doubtful = [client for client in clients if not client.ledger_is_sound or client.problems]
    for client in doubtful:
        with st.container(border=True, gap="xsmall"):
            evidence.badge("fail" if not client.ledger_is_sound else "warn")
            widgets.text(f"{client.code}, {client.legal_name}")
            widgets.facts([
                (tr("Checked"), ago(client.ledger_checked_at, now)),
                (tr("Entries"), number(client.tree_size)),
                (tr("Not readable"), number(client.problems) if client.problems else None),
            ])  # fmt: skip
            widgets.block(client.ledger_message)
    sound = len(clients) - len(doubtful)
    if sound:
        words = tr("All ledgers ({n}): sound.", n=sound) if not doubtful else tr("Other ledgers ({n}): sound.", n=sound)
        st.text(words)
    rows = [
        (client.code, number(client.tree_size), ago(client.ledger_checked_at, now))
        for client in clients if client not in doubtful
    ]  # fmt: skip
    if rows:
        columns = {tr("Client"): 100, tr("Entries"): 90, tr("Checked"): None}
        widgets.table("ledgers", columns, rows, tr("Ledgers"))

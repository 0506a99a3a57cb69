"""Which computer needs something? `?host=name` opens one."""

from collections.abc import Mapping

import streamlit as st

import grids
import widgets
from briefs import AREAS, OBSERVATION, area_of, short
from itcare.core.words import FindingStatus
from itcare.publish.rows import FindingRow, HostRow
from scene import Scene
from states import FINDINGS, finding_glyph, finding_word, outcome_word, role_name
from views import computer, frame
from words import alphabetical, short_day, tr, trn

MOST = 60  # computers in the grid; the rest is reached by name
_ORDER = (FindingStatus.FAIL, FindingStatus.WARN, FindingStatus.UNKNOWN, FindingStatus.OK)


def show(scene: Scene) -> None:
    asked = st.query_params.get("host")
    if asked is None:
        listing(scene)
        return
    host = scene.snapshot.host(asked)
    if host is None:
        frame.no_such_page()
    else:
        computer.show(scene, host)


def listing(scene: Scene) -> None:
    hosts = scene.snapshot.hosts()
    if not hosts:
        st.title(tr("The contract names no computers."), anchor=False)
        frame.freshness(scene)
        return
    worst = worst_by_host(hosts, scene.snapshot.worst_by_host())
    st.title(headline(hosts, worst), anchor=False)
    frame.freshness(scene)
    ordered = sorted(hosts, key=lambda host: (*_attention(host, worst), alphabetical(host.name)))
    findings: dict[str, list[FindingRow]] = {}
    for row in scene.snapshot.findings(limit=5000):
        findings.setdefault(row.host, []).append(row)
    rows = [_row(scene, host, worst.get(host.name), findings.get(host.name, [])) for host in ordered[:MOST]]
    head = [tr("Computer"), tr("Last check"), *(tr(words) for words in AREAS.values())]
    pressed = grids.table("hosts", head, rows, _legend())
    if pressed is not None:
        _open(pressed)
    if len(ordered) > MOST:
        rest = [widgets.host_label(host.name) for host in ordered[MOST:]]
        frame.quiet(tr("The {shown} that need most attention are shown.", shown=MOST))
        chosen = st.selectbox(tr("Another computer"), rest, index=None, placeholder=tr("Choose a name"))
        if chosen is not None:
            _open(chosen)


def _open(name: str) -> None:
    st.query_params["host"] = name
    st.rerun()


def worst_by_host(hosts: tuple[HostRow, ...], worst: Mapping[str, FindingStatus]) -> dict[str, FindingStatus]:
    """The worst finding of every computer in the contract; one that nobody observed is unknown."""
    return {host.name: worst.get(host.name, FindingStatus.UNKNOWN) for host in hosts if host.current}


def _attention(host: HostRow, worst: Mapping[str, FindingStatus]) -> tuple[int]:
    return (_ORDER.index(worst[host.name]) if host.name in worst else len(_ORDER),)


def headline(hosts: tuple[HostRow, ...], worst: Mapping[str, FindingStatus]) -> str:
    """Counts that add up to the number of computers; zero parts are left out."""
    states = list(worst.values())
    gone = sum(not host.current for host in hosts)
    parts = [
        (states.count(FindingStatus.FAIL), tr("{n} with a problem", n=states.count(FindingStatus.FAIL))),
        (states.count(FindingStatus.WARN), tr("{n} with a remark", n=states.count(FindingStatus.WARN))),
        (states.count(FindingStatus.UNKNOWN), tr("{n} not fully known", n=states.count(FindingStatus.UNKNOWN))),
        (states.count(FindingStatus.OK), tr("{n} fine", n=states.count(FindingStatus.OK))),
        (gone, tr("{n} no longer in the contract", n=gone)),
    ]
    return trn("{n} computer", "{n} computers", len(hosts)) + ": " + ", ".join(text for n, text in parts if n) + "."


def _row(scene: Scene, host: HostRow, worst: FindingStatus | None, findings: list[FindingRow]) -> dict[str, object]:
    label = widgets.plain(host.name, 64)
    note = ", ".join(widgets.plain(part, 40) for part in (role_name(host.role), host.site) if part)
    cells: list[dict[str, object]] = [_last(scene, host)]
    for area, words in AREAS.items():
        own = [row for row in findings if area_of(row) == area]
        if not host.current:
            cells.append({"text": tr("not covered")})
        elif not own and any(row.rule != OBSERVATION for row in findings):
            cells.append({"text": tr("not present")})  # observed, and the computer has no such thing
        else:
            cells.append(_cell(scene, host, tr(words), own))
    return {
        "name": {"id": host.name, "text": label, "title": tr("Open computer {host}", host=label)},
        "note": note,
        "worst": None if worst is None else {"state": _shade(scene, worst), "glyph": finding_glyph(worst)},
        "cells": cells,
    }


def _shade(scene: Scene, status: FindingStatus) -> str:
    return "faded" if scene.is_stale and status is FindingStatus.OK else str(status)


def _last(scene: Scene, host: HostRow) -> dict[str, object]:
    """When somebody last tried, and how it ended."""
    if host.last_attempt_at is None or host.last_outcome is None:
        return {"text": tr("never")}
    glyph = outcome_word(host.last_outcome)[0]
    return {"text": f"{glyph} {short_day(scene.local(host.last_attempt_at).date())}"}


def _cell(scene: Scene, host: HostRow, area: str, findings: list[FindingRow]) -> dict[str, object]:
    if not findings:
        unseen = {"state": "unknown", "glyph": "?", "text": tr("no data")}
        return {**unseen, "id": host.name, "title": f"{host.name}, {area}: {tr('no data')}"}
    worst = min(findings, key=lambda row: _ORDER.index(row.status))
    text = widgets.plain(short(worst), 60)
    return {
        "id": host.name,
        "state": _shade(scene, worst.status),
        "glyph": finding_glyph(worst.status),
        "text": text,
        "title": f"{host.name}, {area}: {finding_word(worst.status)}, {text}",
    }


def _legend() -> list[dict[str, str]]:
    return [{"state": str(status), "glyph": FINDINGS[status][0], "text": finding_word(status)} for status in _ORDER]

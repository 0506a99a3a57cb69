"""Which computer needs something? `?host=name` opens one."""

from collections.abc import Mapping, Sequence

import streamlit as st

import evidence
import grids
import past_evidence
import widgets
from behind import WorstFindings
from briefs import AREAS, OBSERVATION, area_of, short
from itcare.core.words import FindingStatus
from itcare.publish.reader import Brief
from itcare.publish.rows import HostRow
from past_evidence import Part
from scene import Scene
from states import FINDINGS, finding_glyph, finding_word, outcome_word, role_name
from views import computer, frame, trends
from words import alphabetical, number, short_day, tr, trn

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
    pressed = grids.badges("hosts_by_state", _state_badges(scene, hosts, worst))
    ordered = sorted(hosts, key=lambda host: (*_attention(host, worst), alphabetical(host.name)))
    areas = shown_areas(scene.snapshot.worst_by_rule())
    findings = scene.snapshot.briefs([host.name for host in ordered[:MOST]])
    rows = [_row(scene, host, worst.get(host.name), findings.get(host.name, ()), areas) for host in ordered[:MOST]]
    head = [tr("Computer"), tr("Last check"), *(tr(AREAS[area]) for area in areas)]
    pressed = grids.table("hosts", head, rows, _legend()) or pressed
    frame.quiet(tr("Press a field to see its evidence, a name to open the computer."))
    if len(ordered) > MOST:
        rest = [widgets.host_label(host.name) for host in ordered[MOST:]]
        frame.quiet(tr("The {shown} that need most attention are shown.", shown=MOST))
        chosen = st.selectbox(tr("Another computer"), rest, index=None, placeholder=tr("Choose a name"))
        if chosen is not None:
            _open(chosen)
    st.header(tr("Disks, programs and temporary files"), anchor=False)
    current = [host for host in ordered[:MOST] if host.current]
    named = trends.show(scene, current) if current else None
    if named is not None:
        _open(named)
    if pressed is not None:
        _press(scene, pressed, hosts)


def _press(scene: Scene, pressed: str, hosts: tuple[HostRow, ...]) -> None:
    """`host`, `host|area`, `host|last`, or `*|state` for all computers in that state; looked up, never trusted."""
    name, bar, what = pressed.partition("|")
    known = {host.name: host for host in hosts}
    if name == "*":
        _open_state(scene, what, hosts)
    elif name not in known:
        return
    elif not bar:
        _open(name)
    elif what == "last":
        run = known[name].last_run
        parts = () if run is None else (Part(run, name),)
        past_evidence.open_parts(scene, parts, tr("{host}: last visit", host=widgets.host_label(name)))
    else:
        found = scene.snapshot.host_findings(name)
        rows = [row for row in found if area_of(row.rule) == what or row.rule == OBSERVATION]
        area = tr(AREAS[what]) if what in AREAS else ""
        evidence.open_findings(scene, rows, f"{widgets.host_label(name)}: {area}")


def _open_state(scene: Scene, state: str, hosts: tuple[HostRow, ...]) -> None:
    if state in tuple(FindingStatus):
        status = FindingStatus(state)
        evidence.open_findings(scene, WorstFindings(status), f"{finding_glyph(status)} {finding_word(status)}")
        return
    shown = [host for host in hosts if not (state == "gone" and host.current)]
    parts = [Part(host.last_run, host.name) for host in shown if host.last_run is not None]
    past_evidence.open_parts(scene, parts, tr("Last visits"))


def _state_badges(
    scene: Scene, hosts: tuple[HostRow, ...], worst: Mapping[str, FindingStatus]
) -> list[dict[str, object]]:
    """The parts of the title, to be pressed."""
    text = trn("{n} computer", "{n} computers", len(hosts))
    fields: list[dict[str, object]] = [{"id": "*|all", "state": "whole", "glyph": "", "text": text, "title": text}]
    states = list(worst.values())
    for status in _ORDER:
        if count := states.count(status):
            label = f"{finding_word(status)} {number(count)}"
            fields.append({"id": f"*|{status}", "state": _shade(scene, status), "glyph": finding_glyph(status),
                           "text": label, "title": label})  # fmt: skip
    if gone := sum(not host.current for host in hosts):
        label = tr("{n} no longer in the contract", n=gone)
        fields.append({"id": "*|gone", "state": "planned", "glyph": "", "text": label, "title": label})
    return fields


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


def shown_areas(rules: Mapping[str, FindingStatus]) -> list[str]:
    """Areas of which any computer has something, those with the worst finding first; `rules`: the worst of each."""
    worst: dict[str, int] = {}
    for rule, status in rules.items():
        area = area_of(rule)
        if area is not None:
            worst[area] = min(worst.get(area, len(_ORDER)), _ORDER.index(status))
    there = [area for area in AREAS if area in worst] or list(AREAS)
    return sorted(there, key=lambda area: worst.get(area, len(_ORDER)))


def _row(
    scene: Scene, host: HostRow, worst: FindingStatus | None, findings: Sequence[Brief], areas: list[str]
) -> dict[str, object]:
    label = widgets.plain(host.name, 64)
    note = ", ".join(widgets.plain(part, 40) for part in (role_name(host.role), host.site) if part)
    cells: list[dict[str, object]] = [_last(scene, host)]
    for area in areas:
        words = AREAS[area]
        own = [row for row in findings if area_of(row.rule) == area]
        if not host.current:
            cells.append({"text": tr("not covered")})
        elif not own and any(row.rule != OBSERVATION for row in findings):
            cells.append({"text": tr("not present")})  # observed, and the computer has no such thing
        else:
            cells.append({**_cell(scene, host, tr(words), own), "id": f"{host.name}|{area}"})
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
    text = f"{glyph} {short_day(scene.local(host.last_attempt_at).date())}"
    title = f"{widgets.host_label(host.name)}, {tr('Last check')}: {outcome_word(host.last_outcome)}, {text[2:]}"
    return {"id": f"{host.name}|last", "state": "quiet", "glyph": "", "text": text, "title": title}


def _cell(scene: Scene, host: HostRow, area: str, findings: list[Brief]) -> dict[str, object]:
    if not findings:
        unseen = {"state": "unknown", "glyph": "?", "text": tr("no data")}
        return {**unseen, "title": f"{host.name}, {area}: {tr('no data')}"}
    worst = min(findings, key=lambda row: _ORDER.index(row.status))
    text = widgets.plain(short(worst), 60)
    return {
        "state": _shade(scene, worst.status),
        "glyph": finding_glyph(worst.status),
        "text": text,
        "title": f"{host.name}, {area}: {finding_word(worst.status)}, {text}",
    }


def _legend() -> list[dict[str, str]]:
    return [{"state": str(status), "glyph": FINDINGS[status][0], "text": finding_word(status)} for status in _ORDER]

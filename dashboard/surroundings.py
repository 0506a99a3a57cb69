"""What a computer reported about heat, batteries, who and what may get in, and what protects it, in words."""

from zoneinfo import ZoneInfo

import streamlit as st

import widgets
from itcare.publish.rows import FactRow
from reading import Reading, readings
from words import NBSP, mark, number, tr, trn


def show_temperatures(fact: FactRow, zone: ZoneInfo) -> None:
    """Every sensor with its own limits; one without a limit says so."""
    rows = [
        (f"{row.text('chip')} {row.text('label')}".strip(), _degrees(row.number("celsius")),
         _degrees(row.number("maximum")) or tr("no limit given"), _degrees(row.number("critical")))
        for row in readings(fact.data, zone)
    ]  # fmt: skip
    columns = {tr("Sensor"): 260, tr("Now"): 90, tr("Its maximum"): 130, tr("Critical for it"): None}
    widgets.table("temperatures", columns, rows, tr("Temperatures"))


def _degrees(value: float | None) -> str:
    return "" if value is None else f"{number(value)}{NBSP}°C"


def show_batteries(fact: FactRow, zone: ZoneInfo) -> None:
    """What a battery still holds, in counts beside the share."""
    rows = []
    for row in readings(fact.data, zone):
        full, design, cycles = row.number("full_wh"), row.number("design_wh"), row.number("cycles")
        holds = tr("not told")
        if full is not None and design:
            held, built = number(full, 1), number(design, 1)
            share = number(100 * full / design)
            holds = tr("{held} of {built} Wh ({share}%)", held=held, built=built, share=share)
        state = row.text("state")
        words = tr(_CHARGE[state.lower()]) if state.lower() in _CHARGE else state
        rows.append((row.text("name"), holds, tr("not told") if cycles is None else number(cycles), words))
    columns = {
        tr("Battery"): 120, tr("Holds of what it was built for"): 240, tr("Charge cycles"): 120, tr("State"): None,
    }  # fmt: skip
    widgets.table("batteries", columns, rows, tr("Batteries"))


_CHARGE = {
    "charging": mark("charging"),
    "discharging": mark("in use"),
    "full": mark("full"),
    "not charging": mark("not charging"),
}


def show_administrators(fact: FactRow, zone: ZoneInfo) -> None:
    """Who has full rights, and by what."""
    rows = [
        (row.text("name"), tr("group") if row.text("kind") == "group" else tr("user"), _way(row.text("through")))
        for row in readings(fact.data, zone)
    ]
    st.text(trn("{n} entry with full rights.", "{n} entries with full rights.", len(rows)))
    columns = {tr("Name"): 200, tr("Kind"): 120, tr("Full rights through"): None}
    widgets.table("administrators", columns, rows, tr("Administrators"))


def _way(through: str) -> str:
    return tr(_WAYS[through]) if through in _WAYS else tr("the group {name}", name=through)


_WAYS = {
    "uid0": mark("being the system's superuser"),
    "sudoers": mark("an own line in the rules of sudo"),
}


def show_listeners(fact: FactRow, zone: ZoneInfo) -> None:
    """What waits for connections; first that which others can reach."""
    listed = readings(fact.data, zone)
    open_to_others = [row for row in listed if row.flag("loopback") is not True]
    st.text(
        trn("{n} port can be reached by others.", "{n} ports can be reached by others.", len(open_to_others))
        if open_to_others
        else tr("No port can be reached by others.")
    )
    rows = [
        (f"{row.text('protocol')}/{row.text('port')}", row.text("address"), row.text("process"), row.text("user"),
         tr("only this computer") if row.flag("loopback") else tr("others too"))
        for row in sorted(listed, key=lambda row: (row.flag("loopback") is True, row.number("port") or 0))
    ]  # fmt: skip
    columns = {tr("Port"): 90, tr("Address"): 180, tr("Program"): 160, tr("User"): 120, tr("Reached by"): None}
    if rows:
        widgets.table("listeners", columns, rows, tr("Open ports"))


def show_firewall(fact: FactRow, zone: ZoneInfo) -> None:
    """Whether what nobody asked for is turned away."""
    row = Reading(fact.data, zone)
    state = {True: tr("on"), False: tr("off"), None: tr("not told")}[row.flag("active")]
    rules = row.number("rules")
    widgets.facts([
        (tr("Firewall"), state),
        (tr("Made by"), row.text("kind")),
        (tr("Rules"), None if rules is None else number(rules)),
    ])  # fmt: skip


def show_encryption(fact: FactRow, zone: ZoneInfo) -> None:
    """Volume by volume; what cannot be told is not called encrypted."""
    words = {True: tr("encrypted"), False: tr("not encrypted"), None: tr("? cannot be told")}
    rows = [
        (row.text("mount"), words[row.flag("encrypted")], row.text("kind"), row.text("device"))
        for row in readings(fact.data, zone)
    ]
    columns = {tr("Mounted at"): 200, tr("Encryption"): 160, tr("Kind"): 100, tr("Device"): None}
    widgets.table("encryption", columns, rows, tr("Disk encryption"))

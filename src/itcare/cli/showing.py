"""How one run is shown to a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from itcare.cli.console import plain, print_table, say
from itcare.core.words import RunGrade


def show_run(details: Mapping[str, Any]) -> None:
    """Print who, when, what, on which computers, every task and every file."""
    say(f"Run {details['client']}/{details['number']}: {details['duty']}, {details['state']}" + _check(details))
    if details["grade"] != RunGrade.ANNOUNCED:
        say(
            f"  {details['grade'].upper()}: adopted from a spool that says it was played from {details['played_from']}"
            f" to {details['played_to']}; it keeps no promise of the contract"
        )
    if details["reruns"]:
        say(f"  repeats run {details['client']}/{details['reruns']}")
    say(f"  opened {details['opened_at']}, closed {details['closed_at'] or 'not yet'}")
    say(f"  operator {_operator(details)}, on {plain(details['controller'])}, {_clock(details)}")
    if details["reason"]:
        say(f"  reason: {plain(details['reason'])}")
    dirty = " with uncommitted changes" if details["contract_dirty"] else ""
    say(f"  contract {plain(details['contract_number'])}, commit {details['contract_commit'] or 'none'}{dirty}")
    say(
        f"  itcare {details['code_version']} ({details['code_commit'] or 'no commit'}),"
        f" collection {details['collection_version']}"
    )
    say(f"  playbook {plain(details['playbook'])}, files used: {len(details['files'])}")
    say(f"  ledger entries {details['entry_opened']} to {details['entry_closed']}")
    for alarm in details["alarms"]:
        say(f"  ALARM: {plain(alarm)}")
    for host in details["hosts"]:
        _show_host(host)
    say("")
    print_table(["kind", "file", "SHA-256"], [[f["kind"], f["path"], f["sha256"]] for f in details["files"]])


def _show_host(host: Mapping[str, Any]) -> None:
    reason = f" ({host['reason']})" if host["reason"] else ""
    verify = ", needs to be verified" if host["needs_verify"] else ""
    say(f"\n{host['host']}: {host['outcome']}{reason}{verify}")
    say(
        f"  connected by {host['connection'] or '?'} as {plain(host['remote_user']) or 'the operator'}"
        f" from {host['opened_at'] or 'never'} to {host['closed_at'] or 'never'}"
    )
    if host["message"]:
        say(f"  {plain(host['message'])}")
    for alarm in host["alarms"]:
        say(f"  ALARM: {plain(alarm)}")
    tasks: Sequence[Mapping[str, Any]] = host["tasks"]
    if tasks:
        print_table(
            ["#", "outcome", "task", "module", "where", "start", "end", "message"],
            [
                [
                    task["position"], task["outcome"], task["name"], task["module"], f"{task['file']}:{task['line']}",
                    _time(task["started_at"]), _time(task["ended_at"]), task["message"],
                ]
                for task in tasks
            ],
        )  # fmt: skip


def _time(instant: str | None) -> str:
    return instant[11:19] if instant else ""


def _check(details: Mapping[str, Any]) -> str:
    return ", a look only (--check)" if details["check_mode"] else ""


def _operator(details: Mapping[str, Any]) -> str:
    parts = [plain(details["operator"])]
    for key, word in (("login", "logged in as"), ("sudo_user", "through sudo from"), ("stated_operator", "stated as")):
        if details[key]:
            parts.append(f"{word} {plain(details[key])}")
    return ", ".join(parts)


def _clock(details: Mapping[str, Any]) -> str:
    known = {True: "its clock synchronised", False: "its clock NOT synchronised"}
    return known.get(details["clock_synchronised"], "whether its clock was synchronised is unknown")

"""`protection.firewall` and `protection.encryption`: on where the contract requires it, and on laptops.

On other computers they are facts: a server behind a router may do without either.
"""

from collections.abc import Callable, Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Record, read_list
from itcare.assess.rules.verdict import Case, Rule, Verdict, judge_rows
from itcare.core.words import FindingStatus

_LAPTOP = "laptop"


def _is_asked(protection: str) -> Callable[[Case], bool]:
    return lambda case: protection in case.requires or case.role == _LAPTOP


def _tell_off(protection: str, case: Case, subject: str | None, values: dict[str, Value]) -> Verdict:
    if protection in case.requires:
        return Verdict(FindingStatus.FAIL, "off_required", subject, values, from_contract=True)
    return Verdict(FindingStatus.WARN, "off_laptop", subject, values)


def judge_firewall(data: object, case: Case) -> Iterator[Verdict]:
    """On when what nobody asked for is turned away."""
    firewall = Record.of(data, "firewall")
    is_active = firewall.flag("active")
    values: dict[str, Value] = {
        "firewall_note": firewall.optional_text("kind"),
        "rules": firewall.optional_count("rules"),
    }
    if is_active:
        yield Verdict(FindingStatus.OK, "on", None, values, from_contract="firewall" in case.requires)
    else:
        yield _tell_off("firewall", case, None, values)


def judge_encryption(data: object, case: Case) -> Iterator[Verdict]:
    """One verdict per volume; one of which nobody can tell is unknown."""
    rows = read_list(data, "encryption")
    if not rows:
        yield Verdict(FindingStatus.UNKNOWN, "none", None, {})
    yield from judge_rows(rows, "encryption", lambda row: _judge_volume(row, case))


def _judge_volume(row: Record, case: Case) -> Verdict:
    mount = row.text("mount")
    values: dict[str, Value] = {"mount": mount, "device": row.text("device")}
    kind = row.optional_text("kind")
    is_encrypted = row.optional_flag("encrypted")
    if is_encrypted is None:
        return Verdict(FindingStatus.UNKNOWN, "untold", mount, values)
    if is_encrypted:
        is_required = "encryption" in case.requires
        return Verdict(FindingStatus.OK, "on", mount, values | {"kind_note": kind}, from_contract=is_required)
    return _tell_off("encryption", case, mount, values)


def _tell_absence(case: Case) -> Iterator[Verdict]:
    """What is asked for and not there to be looked at is not known to be on."""
    yield Verdict(FindingStatus.UNKNOWN, "absent", None, {})


RULES = (
    Rule("protection.firewall", 1, "firewall", judge_firewall, _tell_absence, applies=_is_asked("firewall")),
    Rule("protection.encryption", 1, "encryption", judge_encryption, _tell_absence, applies=_is_asked("encryption")),
)

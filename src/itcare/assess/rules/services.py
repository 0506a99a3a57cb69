"""`services.failed`: units that failed, and services of the contract that do not run."""

from collections.abc import Iterator

from itcare.assess.finding import Value
from itcare.assess.reading import Malformed, Record, neutral_text
from itcare.assess.rules.verdict import Case, Rule, Verdict, judge_rows, malformed
from itcare.core.words import FindingStatus

# As `systemctl is-active` counts them: a unit that reloads its settings keeps serving.
_ACTIVE_STATES = frozenset({"active", "reloading", "refreshing"})


def judge_units(data: object, case: Case) -> Iterator[Verdict]:
    """Every failed unit by itself, then every service of the contract, running or not."""
    units = Record.of(data, "units")
    rows = units.rows("failed")
    promised = list(_judge_contract(units, case.services))
    told = {_unit_name(verdict.subject or "") for verdict in promised if verdict.status is FindingStatus.FAIL}
    for verdict in judge_rows(rows, "units.failed", _judge_failed):
        if verdict.subject is None or _unit_name(verdict.subject) not in told:
            yield verdict
    if not rows:
        yield _judge_empty(units)
    yield from promised


def _unit_name(name: str) -> str:
    return name.removesuffix(".service")


def _judge_failed(row: Record) -> Verdict:
    name = row.text("name")
    values: dict[str, Value] = {"unit": name, "description_note": row.optional_text("description")}
    return Verdict(FindingStatus.WARN, "unit", name, values)


def _judge_empty(units: Record) -> Verdict:
    """No unit is listed: fine, unless systemd itself says that some unit failed."""
    state = units.text("system_state")
    if state == "degraded":
        return Verdict(FindingStatus.UNKNOWN, "unlisted", None, {"system_state": state})
    return Verdict(FindingStatus.OK, "ok", None, {"system_state": state})


def _judge_contract(units: Record, services: tuple[str, ...]) -> Iterator[Verdict]:
    for service in services:
        try:
            yield _judge_service(units.record("services"), service)
        except Malformed as error:
            yield malformed(error)


def _judge_service(states: Record, service: str) -> Verdict:
    name = neutral_text(service)
    spellings = (service, _unit_name(service), f"{service}.service")
    key = next((spelling for spelling in spellings if spelling in states.fields), None)
    if key is None:
        return Verdict(FindingStatus.UNKNOWN, "unasked", name, {"service": name}, from_contract=True)
    state = states.fields[key]
    if not isinstance(state, str) or not state:
        raise Malformed(f"{states.place}[{name}]", "no state in words", "a state such as active or failed")
    values: dict[str, Value] = {"service": name, "state": neutral_text(state)}
    if state in _ACTIVE_STATES:
        return Verdict(FindingStatus.OK, "active", name, values, from_contract=True)
    return Verdict(FindingStatus.FAIL, "not_active", name, values, from_contract=True)


def judge_no_units(case: Case) -> Iterator[Verdict]:
    """A computer without units is fine until the contract lists a service."""
    if case.services:
        yield Verdict(FindingStatus.UNKNOWN, "absent", None, {})


RULES = (Rule("services.failed", 1, "units", judge_units, judge_no_units),)

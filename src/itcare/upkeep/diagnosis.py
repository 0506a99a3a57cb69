"""One thing that was looked at on the controller, and what to do about it."""

from dataclasses import dataclass

from itcare.core.words import Severity


@dataclass(frozen=True)
class Diagnosis:
    """`check`: short stable name. `found`: one sentence. `remedy`: what to do; empty when all is well."""

    check: str
    severity: Severity
    found: str
    remedy: str = ""


def well(check: str, found: str) -> Diagnosis:
    """Nothing to do."""
    return Diagnosis(check, Severity.OK, found)


def doubtful(check: str, found: str, remedy: str) -> Diagnosis:
    """Work goes on, and somebody should mend it."""
    return Diagnosis(check, Severity.WARNING, found, remedy)


def wrong(check: str, found: str, remedy: str) -> Diagnosis:
    """Runs, records or secrets are at risk until it is mended."""
    return Diagnosis(check, Severity.ERROR, found, remedy)

"""Errors that a user can act on: one type per remedy, each with an exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every `itcare` command; documented in docs/cli.md."""

    OK = 0
    BAD_NEWS = 1  # the command did its work and the answer is bad: ledger unsound, a host failed
    BAD_INPUT = 2  # wrong option, contract, name or file
    PARTIAL = 3  # run closed, but some host was not reached, is unknown or was not run
    CUT_SHORT = 4  # run cancelled, interrupted or incomplete
    BUSY = 5  # somebody else holds what this command needs
    UNSAFE = 6  # the controller or its state does not allow it: disk, permissions, ledger tail lost


class ItcareError(Exception):
    """A failure told in four parts: what was attempted, on what, why it failed, what to do next.

    Raised by every room for conditions that a user or operator can mend; the command line prints
    it without a traceback and ends with `exit_code`.
    """

    exit_code = ExitCode.BAD_NEWS

    def __init__(self, attempted: str, subject: str, why: str, remedy: str) -> None:
        self.attempted = attempted
        self.subject = subject
        self.why = why
        self.remedy = remedy
        super().__init__(f"{attempted} {subject}: {why}. {remedy}")


class BadInputError(ItcareError):
    """Something the user wrote (option, file, name) is not usable as it stands."""

    exit_code = ExitCode.BAD_INPUT


class NotFoundError(BadInputError):
    """The named client, run, host or file is not there. A foreign one answers the same."""


class BusyError(ItcareError):
    """Another process or run holds the host, the database or the ledger; wait or stop it."""

    exit_code = ExitCode.BUSY


class UnsafeError(ItcareError):
    """The controller's state forbids going on (permissions, disk, version, lost tail)."""

    exit_code = ExitCode.UNSAFE


class UnsoundError(ItcareError):
    """Evidence does not verify; the message names the entry or the two checkpoints around it."""

    exit_code = ExitCode.BAD_NEWS

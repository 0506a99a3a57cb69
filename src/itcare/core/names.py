"""Names of clients, hosts and runs: what is allowed, and how a run is written."""

import re
from dataclasses import dataclass

from itcare.core.errors import BadInputError

CLIENT_CODE = re.compile(r"[A-Z][A-Z0-9-]{0,14}[A-Z0-9]")
HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DEVICE_NAMES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
_RUN_NAME = re.compile(r"([A-Z][A-Z0-9-]{0,14}[A-Z0-9])/([1-9][0-9]{0,8})")


def check_client_code(text: str) -> str:
    """Return a client code: 2 to 16 of A-Z, 0-9 and inner hyphens, first a letter.

    ASCII only, so that no look-alike letter or right-to-left mark can name a second client like
    the first. Raises BadInputError.
    """
    if not CLIENT_CODE.fullmatch(text) or text.lower() in _DEVICE_NAMES:
        raise BadInputError(
            "read client code", ascii(text[:40]), "it is not 2 to 16 characters of A-Z, 0-9 and '-'",
            "Use a code such as ACME or NORD-2.",
        )  # fmt: skip
    return text


def check_host_name(text: str) -> str:
    """Return a host name: one DNS label in lower case (RFC 1123), no Windows device name.

    Raises BadInputError.
    """
    if not HOST_NAME.fullmatch(text) or text in _DEVICE_NAMES:
        raise BadInputError(
            "read host name", ascii(text[:40]), "it is not one lower-case DNS label of at most 63 characters",
            "Use a name such as pc01 or srv-files; the network address goes into `address`.",
        )  # fmt: skip
    return text


@dataclass(frozen=True, order=True)
class RunName:
    """`CLIENT/NUMBER`, the name of a run everywhere."""

    client: str
    number: int

    def __str__(self) -> str:
        return f"{self.client}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "RunName":
        """Read `CLIENT/NUMBER`; raises BadInputError."""
        match = _RUN_NAME.fullmatch(text)
        if not match:
            raise BadInputError(
                "read run name", ascii(text[:60]), "a run is written CLIENT/NUMBER", "Example: itcare show ACME/12"
            )
        return cls(check_client_code(match[1]), int(match[2]))

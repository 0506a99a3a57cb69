"""The only door to published data: which clients exist for whom, and where each one's folder is.

Nothing here opens a snapshot. What a person types is only ever compared with the codes of scopes
that were listed already; a path is built from a numbered folder's own name and from nothing else,
so a foreign code and a missing code cannot be told apart.
"""

import json
import logging
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from itcare.core.errors import BadInputError, NotFoundError
from itcare.core.names import check_client_code

SIDECAR_FILE = "client.json"
SIDECAR_MAXIMUM_BYTES = 4096
PROGRESS_FOLDER = "progress"
LEGAL_NAME_MAXIMUM_LENGTH = 300

_FOLDER_NAME = re.compile(r"[1-9][0-9]{0,8}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClientScope:
    """What one person may see of one client: everything inside `path`, nothing outside it.

    `client_id`: the engine's number of the client, which is also the folder's name.
    `path`: the folder with the client's published files.
    """

    client_id: int
    code: str
    legal_name: str
    path: Path


@dataclass(frozen=True)
class Principal:
    """Who asks, as whoever checked the login says. `is_staff`: of the firm itself, not of a client."""

    name: str
    is_staff: bool = False


@dataclass(frozen=True)
class StaffScope:
    """What the firm's own people may see across clients: the overview in `published`, runs in `progress`."""

    principal: Principal
    published: Path
    progress: Path


def staff_scope(published: Path, principal: Principal) -> StaffScope:
    """The door to what lies across clients. Raises NotFoundError for anybody who is not staff.

    They are told what is told of any missing thing, and nothing was opened.
    """
    if principal.is_staff is not True:
        raise NotFoundError(
            "open the overview for", ascii(principal.name[:40]), "there is none", "Choose one of your clients."
        )
    return StaffScope(principal, published, published.parent / PROGRESS_FOLDER)


def list_scopes(published: Path) -> tuple[ClientScope, ...]:
    """Every published client that this OS user may read, by code.

    Folders with another name, symbolic links and sidecars that cannot be read or understood are
    left out with a warning in the log. Two folders that claim one code are both left out: guessing
    would show one client's data under the other's name.
    """
    try:
        with os.scandir(published) as entries:
            names = sorted(entry.name for entry in entries if _FOLDER_NAME.fullmatch(entry.name))
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            _log.warning("cannot list the published clients: %s", error)
        return ()
    scopes = [scope for name in names if (scope := _read_scope(published, name))]
    claims = Counter(scope.code for scope in scopes)
    for code, count in claims.items():
        if count > 1:
            _log.warning("%d folders claim the client code %s: none of them is shown", count, code)
    return tuple(sorted((s for s in scopes if claims[s.code] == 1), key=lambda scope: scope.code))


def find_scope(scopes: Iterable[ClientScope], code: str) -> ClientScope | None:
    """The scope of `code` among `scopes`, or None: for a missing client, a foreign one and nonsense alike."""
    return next((scope for scope in scopes if scope.code == code), None)


def _read_scope(published: Path, name: str) -> ClientScope | None:
    try:
        code, legal_name = _read_sidecar(_read_capped(published / name))
    except (OSError, ValueError, RecursionError, BadInputError) as error:
        _log.warning("published folder %s is left out: %s", name, ascii(str(error)))
        return None
    return ClientScope(int(name), code, legal_name, published / name)


def _read_capped(folder: Path) -> bytes:
    """The sidecar's bytes, reached without following a link; ValueError for anything but a small file."""
    folder_descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # O_NONBLOCK: a FIFO in the place of the sidecar must not hang the portal.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(SIDECAR_FILE, flags, dir_fd=folder_descriptor)
    finally:
        os.close(folder_descriptor)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{SIDECAR_FILE} is not a regular file")
        content = file.read(SIDECAR_MAXIMUM_BYTES + 1)
    if len(content) > SIDECAR_MAXIMUM_BYTES:
        raise ValueError(f"{SIDECAR_FILE} is larger than {SIDECAR_MAXIMUM_BYTES} bytes")
    return content


def _read_sidecar(content: bytes) -> tuple[str, str]:
    values = json.loads(content.decode("utf-8"), object_pairs_hook=_refuse_doubles)
    if not isinstance(values, dict):
        raise ValueError(f"{SIDECAR_FILE} is not an object")
    code, legal_name = values.get("code"), values.get("legal_name")
    if not isinstance(code, str) or not isinstance(legal_name, str):
        raise ValueError("code or legal_name is missing or not text")
    # A no-break space belongs into "Sp. z o.o."; direction marks and other invisible signs do not.
    shown = legal_name.replace("\N{NO-BREAK SPACE}", " ")
    if not 0 < len(shown) <= LEGAL_NAME_MAXIMUM_LENGTH or not shown.isprintable():
        raise ValueError("legal_name is empty, too long or has control characters")
    return check_client_code(code), legal_name


def _refuse_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key is given twice")
    return values

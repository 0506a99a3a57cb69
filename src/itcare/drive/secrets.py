"""Secrets that the driver knows, told to the recorder of a run so that no task's output keeps them."""

import re
from collections.abc import Iterable
from pathlib import Path

from itcare.core.errors import UnsafeError

_LARGEST_KEY_BYTES = 64 * 1024
# Lines of a private key file that hold key material. The first and last lines and the headers of an
# old encrypted key are no secret, and a remainder of a few characters would strike ordinary words.
_MATERIAL = re.compile(r"[A-Za-z0-9+/=]{8,}")


def key_lines(files: Iterable[Path]) -> tuple[str, ...]:
    """Every line of these private key files that is secret, each once, in order.

    Output of a task is compared with it line by line: a key comes out of a file or an agent in the
    lines in which it lies there. Raises UnsafeError for a file that cannot be read as a key.
    """
    found: dict[str, None] = {}
    for path in files:
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST_KEY_BYTES + 1)
        except OSError as error:
            raise _unreadable(path, error.strerror or "it cannot be read") from error
        if len(content) > _LARGEST_KEY_BYTES:
            raise _unreadable(path, f"it has more than {_LARGEST_KEY_BYTES} bytes")
        lines = (line.strip() for line in content.decode("ascii", errors="replace").splitlines())
        found.update(dict.fromkeys(line for line in lines if _MATERIAL.fullmatch(line)))
    return tuple(found)


def _unreadable(path: Path, why: str) -> UnsafeError:
    return UnsafeError("read the key", str(path), why, "Put the private key there, mode 0600, own user.")

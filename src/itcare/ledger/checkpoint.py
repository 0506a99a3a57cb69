"""Kept checkpoints of one log: a folder beside the database with one file per signed tree."""

import base64
from collections.abc import Iterator
from pathlib import Path

from itcare.core.errors import UnsoundError
from itcare.ledger.note import Signer
from itcare.ledger.verify import Checkpoint, NoteError, VerifierKey, checkpoint_name, open_checkpoint
from itcare.store.durable import sync_folder, write_durably


def make_checkpoint(signer: Signer, origin: str, size: int, root: bytes) -> Checkpoint:
    """Sign a tree head. Whoever calls this has checked that the tree extends the last signed one."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return Checkpoint(origin, size, root.hex(), signer.sign(text, origin).decode())


class CheckpointFolder:
    """Checkpoints of the log that `key` is named after; none is ever replaced or removed."""

    def __init__(self, folder: Path, key: VerifierKey) -> None:
        self._folder = folder
        self._key = key

    def sizes(self) -> list[int]:
        """Signed sizes, ascending, as the file names tell them."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(name[:-4]) for name in names if name.endswith(".txt") and name[:-4].isdecimal())

    def latest(self) -> Checkpoint | None:
        """The last signed checkpoint, verified; None when nothing was signed. Raises UnsoundError."""
        sizes = self.sizes()
        return self.load(sizes[-1]) if sizes else None

    def load(self, size: int) -> Checkpoint:
        """The checkpoint of `size` entries, verified. Raises UnsoundError."""
        path = self.path(size)
        try:
            checkpoint = open_checkpoint(path.read_bytes(), self._key)
            if checkpoint.size != size:
                raise NoteError(f"it is the checkpoint of {checkpoint.size} entries")
        except (OSError, NoteError) as error:
            raise UnsoundError(
                "read checkpoint", str(path), str(error), "Put the file back from a backup or from a client's copy."
            ) from error
        return checkpoint

    def path(self, size: int) -> Path:
        """Where the checkpoint of `size` entries is kept."""
        return self._folder / checkpoint_name(size)

    def __iter__(self) -> Iterator[Checkpoint]:
        """Every checkpoint, ascending, verified. Raises UnsoundError."""
        return map(self.load, self.sizes())

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep a new checkpoint. Raises OSError; it is not kept then."""
        for folder in (self._folder.parent, self._folder):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
                sync_folder(folder.parent)
        write_durably(self.path(checkpoint.size), checkpoint.text.encode())

"""Leaves and bodies are packed with phrases known beforehand; see `itcare.store.packing`.

No table changes, and what is stored stays as it is: a leaf is never changed, and both forms are read. The revision
keeps programs away that would take a packed leaf for a forged one.
"""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Nothing but the revision."""

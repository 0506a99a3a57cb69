"""The reader of `firm.sqlite`: all clients in few numbers, for the firm's own people."""

from pathlib import Path
from typing import Self

from itcare.access import StaffScope
from itcare.publish.database import MAXIMUM_ROWS, PublishedDatabase, connect, number_or_none, window
from itcare.publish.firm import FirmAreaRow, FirmClientRow
from itcare.publish.firm_schema import FIRM_FILE, FIRM_VERSION

__all__ = ["FirmAreaRow", "FirmClientRow", "FirmOverview"]

_WHAT = "the overview of"
_SUBJECT = "all clients"

CLIENTS = "SELECT * FROM client ORDER BY client_id LIMIT :limit OFFSET :offset"
AREAS = "SELECT * FROM area ORDER BY client_id, area LIMIT :limit OFFSET :offset"
CLIENT_AREAS = "SELECT * FROM area WHERE client_id = :client ORDER BY area LIMIT :limit OFFSET :offset"


class FirmOverview(PublishedDatabase):
    """The overview across clients. A context manager; threads may share one."""

    @classmethod
    def open(cls, scope: StaffScope) -> Self:
        """Open the overview through the door of `access.staff_scope`, which a client's person does not pass.

        Raises NotFoundError when nothing was published yet, UnsafeError for an unknown version, a
        link or a damaged file.
        """
        return cls.at(scope.published / FIRM_FILE)

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open the file itself, for the publisher; pages go through `open`."""
        connection = connect(path, _WHAT, _SUBJECT)
        try:
            overview = cls(connection, path, _WHAT, _SUBJECT)
            overview._refuse_version("firm_version", FIRM_VERSION)
        except BaseException:
            connection.close()
            raise
        return overview

    def clients(self, *, limit: int = MAXIMUM_ROWS, offset: int = 0) -> tuple[FirmClientRow, ...]:
        """Every client that was published with this version, by number."""
        return self._rows(FirmClientRow, CLIENTS, window(limit, offset))

    def areas(
        self, client_id: int | None = None, *, limit: int = MAXIMUM_ROWS, offset: int = 0
    ) -> tuple[FirmAreaRow, ...]:
        """Duties with their counts, by client and duty; of all clients or of one."""
        if client_id is None:
            return self._rows(FirmAreaRow, AREAS, window(limit, offset))
        return self._rows(FirmAreaRow, CLIENT_AREAS, {"client": number_or_none(client_id), **window(limit, offset)})

"""What a run was to do, kept in its folder so that a recovery knows it after a crash."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from itcare.contract.models import ResolvedHost
from itcare.drive.collection import FileDigest
from itcare.drive.folder import RunFolder, read_object, write_private


@dataclass(frozen=True)
class PlannedHost:
    """One host of a run; all but the name None or "" when only the ledger is left to tell."""

    name: str
    connection: str
    address: str | None
    port: int | None
    user: str | None


@dataclass(frozen=True)
class RunPlan:
    """Hosts of a run and the digests that the collection's files had before its start, by path."""

    hosts: tuple[PlannedHost, ...]
    files: Mapping[str, str]

    @classmethod
    def make(cls, hosts: Sequence[ResolvedHost], files: Sequence[FileDigest]) -> "RunPlan":
        planned = tuple(PlannedHost(host.name, host.connection, host.address, host.port, host.user) for host in hosts)
        return cls(planned, {file.path: file.sha256 for file in files})

    @classmethod
    def of_names(cls, names: Sequence[str]) -> "RunPlan":
        return cls(tuple(PlannedHost(name, "", None, None, None) for name in names), {})

    def write(self, folder: RunFolder) -> None:
        content = {"hosts": [asdict(host) for host in self.hosts], "files": dict(self.files)}
        write_private(folder.plan, json.dumps(content))

    @classmethod
    def read(cls, folder: RunFolder) -> "RunPlan | None":
        """The plan in a run's folder; None when folder or file is gone or cut."""
        content = read_object(folder.plan) or {}
        try:
            return cls(tuple(PlannedHost(**host) for host in content["hosts"]), dict(content["files"]))
        except (KeyError, TypeError, ValueError):
            return None

"""A run that is open in a real ledger, with a spool written by hand: to test the import without a playbook."""

from itcare.core.clock import SystemClock
from itcare.core.words import RunState
from itcare.drive import rows
from itcare.drive.folder import RunFolder, make_folder
from itcare.drive.importing import bring, read_import
from itcare.drive.orders import Ended, Ending
from itcare.drive.plan import PlannedHost, RunPlan
from itcare.drive.report import RunReport
from itcare.drive.rows import RunRow
from itcare.ledger.log import LogRef
from itcare.store.engine import write
from tests.support.driving import Bench
from tests.support.spools import DIGEST, SpoolText

CLIENT = "DOMEK"
CLOCK = SystemClock()


class OpenRun:
    """An open run of two hosts with its leases and an empty folder."""

    def __init__(self, bench: Bench, number: int = 1, hosts: tuple[str, ...] = ("pc01", "pc02")) -> None:
        self.bench = bench
        self.log: LogRef = bench.ledger.client_log(CLIENT, "Domek")
        self.folder: RunFolder = make_folder(bench.settings.runs, f"{number:032x}")
        planned = tuple(PlannedHost(name, "ssh", "192.0.2.7", 22, "itcare") for name in hosts)
        self.plan = RunPlan(planned, {"plugins/modules/health_info.py": DIGEST})
        with write(bench.ledger.engine) as connection:
            self.row = RunRow(
                id=self.folder.run_id, client_id=self.log.client_id or 0, client=CLIENT, client_name="Domek",
                number=number, duty="visit.daily", state=RunState.RUNNING, check=False, nonce="ab" * 16,
                fence=rows.next_fence(connection), folder=self.folder.path, sockets=None, opened_at=CLOCK.now(),
                closed_at=None, cancel_by=None,
            )  # fmt: skip
            rows.insert_run(connection, self.row)
            rows.take_leases(connection, self.row, hosts, CLOCK.now())

    @property
    def identity(self) -> dict[str, object]:
        return {"id": self.row.id, "nonce": self.row.nonce, "fence": self.row.fence}

    def text(self, **changes: object) -> SpoolText:
        return SpoolText().header({**self.identity, **changes}).file().play("pc01", "pc02")

    def whole(self) -> SpoolText:
        text = self.text()
        for host in ("pc01", "pc02"):
            text.start(host, "t1").end(host, "t1")
        return text.close()

    def bring(self, text: SpoolText | None, ended: Ended | None = None, owner: int | None = None) -> RunReport:
        if text is not None:
            text.write(self.folder.path)
        (ended or Ended(Ending.FINISHED, 0)).write(self.folder)
        content = read_import(self.row, self.folder, self.plan)
        return bring(self.bench.ledger, self.log, content, self.row.fence if owner is None else owner, CLOCK)

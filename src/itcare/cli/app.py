"""The list of commands."""

import typer

from itcare.cli import comparing, doctoring, evidence, judgement, keeping, pages, repeating, runs, setup

app = typer.Typer(
    name="itcare",
    help="Every duty of the contract, performed on schedule, with evidence that the client can verify.\n\n"
    "Example: itcare run ACME visit.daily",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
contract = typer.Typer(help="The contract files.\n\nExample: itcare contract check acme.yml", no_args_is_help=True)
app.add_typer(contract, name="contract")
ledger = typer.Typer(help="The ledger.\n\nExample: itcare ledger compare held.txt acme-proof/", no_args_is_help=True)
app.add_typer(ledger, name="ledger")

app.command("init")(setup.init)
contract.command("check")(setup.check_contract)
app.command("clients")(setup.clients)
app.command("trust")(setup.trust)
app.command("run")(runs.run)
app.command("rerun")(repeating.rerun)
app.command("adopt")(repeating.adopt)
app.command("cancel")(runs.cancel)
app.command("recover")(runs.recover)
app.command("runs")(runs.list_)
app.command("show")(runs.show)
app.command("verify")(evidence.verify)
app.command("export-proof")(evidence.export_proof)
ledger.command("compare")(comparing.compare)
ledger.command("new-epoch")(comparing.new_epoch)
app.command("doctor")(doctoring.doctor)
app.command("backup")(keeping.backup)
app.command("restore")(keeping.restore)
app.command("upgrade")(keeping.upgrade)
app.command("assess")(judgement.assess)
app.command("findings")(judgement.findings)
app.command("publish")(pages.publish)
app.command("dashboard")(pages.dashboard)

"""The documentation, the demo and the messages know every key of the model."""

import re
from datetime import date
from pathlib import Path

import pytest

from itcare.contract import kept, models, wording
from itcare.contract.loader import load_contract, load_contracts
from itcare.contract.plan import plan
from tests.support.contracts import write

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "contract-v1.md"
DEMO = ROOT / "inventories" / "demo"
SECTIONS = {
    "### The file": models.Contract,
    "### `contract`": models.Terms,
    "### `client`": models.ClientTerms,
    "### `team`": models.Team,
    "### `sites`, each": models.Site,
    "### `hosts`, each": models.Host,
    "### `duties`, each": models.Duty,
    "### `options` of a visit": models.VisitOptions,
    "### `select`": models.Selection,
    "### `cadence`": models.Cadence,
    "### `calendar`": kept.Calendar,
    "### `days_off`": kept.DaysOff,
    "### `overlays`, each": kept.Overlay,
    "### `contacts`, each": kept.Contact,
    "### `defaults`": kept.Defaults,
    "### `acceptance`": kept.Acceptance,
}


def _rows(heading):
    section = DOCS.read_text(encoding="utf-8").split(f"\n{heading}\n")[1].split("\n#")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, flags=re.MULTILINE))


@pytest.mark.parametrize(("heading", "model"), SECTIONS.items())
def test_every_key_has_a_row_in_the_documentation_and_every_row_a_key(heading, model):
    rows = _rows(heading)
    keys = {field.alias or name: field.is_required() for name, field in model.model_fields.items()}
    assert rows.keys() == keys.keys()
    assert {key for key, needed in rows.items() if needed.strip() == "yes"} == {k for k, r in keys.items() if r}


@pytest.mark.parametrize("model", SECTIONS.values())
def test_every_needed_key_says_what_is_missing(model):
    needed = {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
    assert needed <= wording.MISSING.keys()


def test_the_worked_example_owes_what_the_documentation_says(tmp_path):
    example = re.search(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)[1]
    contract = load_contract(write(tmp_path, example)).contract
    days = [date(2026, 11, 20), date(2026, 11, 21)]
    assert [len(plan(contract, day, day, since=date(2026, 1, 1))) for day in days] == [4, 3]


def test_the_demo_has_two_clients_valid_on_any_day():
    contracts = load_contracts(DEMO)
    assert list(contracts) == ["DOMOWA", "NORDWIND"]
    for day in (date(2020, 1, 1), date(2026, 11, 26), date(2099, 12, 31)):
        for loaded in contracts.values():
            assert len(plan(loaded.contract, day, day, since=date(2020, 1, 1))) == 1
    (here,) = contracts["DOMOWA"].contract.hosts_on(date(2026, 11, 26))
    assert (here.name, here.connection, here.become) == ("this-computer", "local", False)
    (closed,) = contracts["NORDWIND"].contract.hosts_on(date(2026, 11, 26))
    assert (closed.connection, closed.address, closed.port) == ("ssh", "127.0.0.2", 9)


def test_the_demo_explains_its_keys_to_a_newcomer():
    text = (DEMO / "home.yml").read_text(encoding="utf-8")
    scalars = [line for line in text.splitlines() if re.match(r"  +[\w.]+: +\S", line)]
    assert scalars
    assert [line for line in scalars if "#" not in line and "legal_name" not in line] == []

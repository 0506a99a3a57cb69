"""Which hosts a run has, which keys it may use, and how they reach Ansible."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from itcare.contract.models import ResolvedHost
from itcare.core.clock import FixedClock
from itcare.core.errors import BadInputError, UnsafeError
from itcare.drive.hosts import assign_sockets, credential_file, plan_hosts, write_inventory
from tests.support.collection import import_plugin_util
from tests.support.driving import DUTY, LOCAL, write_contract


def host(name: str = "pc01", **changes: object) -> ResolvedHost:
    values: dict[str, object] = {
        "name": name, "site": "office", "role": "workstation", "connection": "ssh", "address": "192.0.2.7",
        "port": 2201, "user": "itcare", "become": False, "credential": "key:fleet", "python": None,
        "services": ("cron",),
    }  # fmt: skip
    return ResolvedHost(**{**values, **changes})  # type: ignore[arg-type]  # values of the fields above


def test_today_is_the_client_s_day(tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, "DOMEK", {"pc01": LOCAL, "pc02": {**LOCAL, "first_day": _day(2026, 8, 4)}})

    def names(*instant: int) -> list[str]:
        clock = FixedClock(datetime(*instant, tzinfo=UTC))  # type: ignore[misc]  # year, month, day, hour, minute
        return [one.name for one in plan_hosts(loaded.contract, DUTY, (), clock)]

    assert names(2026, 8, 3, 21, 59) == ["pc01"]
    assert names(2026, 8, 3, 22, 1) == ["pc01", "pc02"]  # past midnight in Warsaw


def _day(*parts: int) -> object:
    return datetime(*parts).date()  # type: ignore[arg-type]  # noqa: DTZ001 - a day of the contract has no zone


def test_an_unknown_name_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    loaded = write_contract(tmp_path, "DOMEK", {"pc01": LOCAL, "pc02": LOCAL})
    clock = FixedClock(datetime(2026, 8, 3, tzinfo=UTC))
    assert [one.name for one in plan_hosts(loaded.contract, DUTY, ["pc02"], clock)] == ["pc02"]
    with pytest.raises(BadInputError, match=r"pc03.*pc01, pc02"):
        plan_hosts(loaded.contract, DUTY, ["pc02", "pc03"], clock)


def test_a_key_of_the_owner_alone_is_used(tmp_path: Path) -> None:
    key = tmp_path / "fleet"
    key.write_text("invented")
    key.chmod(0o600)
    assert credential_file(tmp_path, host()) == key
    assert credential_file(tmp_path, host(credential="agent")) is None
    assert credential_file(tmp_path, host(credential=None)) is None


def _link(key: Path) -> None:
    key.rename(key.with_name("real"))
    key.symlink_to(key.with_name("real"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key.chmod(0o640),
        lambda key: key.chmod(0o604),
        lambda key: key.chmod(0o700),
        lambda key: key.unlink(),
        lambda key: (key.unlink(), key.mkdir()),
        _link,
    ],
    ids=["group", "others", "executable", "missing", "folder", "link"],
)
def test_a_key_that_others_could_read_or_plant_is_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    key = tmp_path / "fleet"
    key.write_text("invented")
    key.chmod(0o600)
    spoil(key)
    with pytest.raises(UnsafeError):
        credential_file(tmp_path, host())


def test_a_key_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "fleet"
    key.write_text("invented")
    key.chmod(0o600)
    monkeypatch.setattr("itcare.drive.hosts.os.geteuid", lambda: key.stat().st_uid + 1)
    with pytest.raises(UnsafeError, match="another user"):
        credential_file(tmp_path, host())


def test_the_inventory_is_what_the_plugin_reads(tmp_path: Path) -> None:
    hosts = [
        host(),
        host("srv-files", become=True, user=None, port=None, credential="agent"),
        host("laptop", connection="local", address=None, port=None, user=None, credential=None),
    ]
    sockets = assign_sockets(hosts, Path("/run/user/0/itcare-abcdefgh"))
    text = write_inventory(hosts, {"pc01": tmp_path / "fleet"}, sockets)
    path = tmp_path / "hosts.itcare.json"
    path.write_text(text)
    read = import_plugin_util("_inventory").read_inventory(str(path))
    assert set(read) == {"pc01", "srv-files", "laptop"}
    assert read["pc01"]["ansible_ssh_private_key_file"] == str(tmp_path / "fleet")
    assert read["pc01"]["visit_services"] == ["cron"]
    assert read["laptop"]["ansible_connection"] == "local"
    assert read["laptop"]["ansible_control_path"] is None
    paths = [read[name]["ansible_control_path"] for name in ("pc01", "srv-files")]
    assert len(set(paths)) == 2
    assert json.loads(text)["schema"] == "itcare/inventory/v1"

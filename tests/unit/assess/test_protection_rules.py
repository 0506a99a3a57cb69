import pytest

from tests.support.judging import judge, judge_one
from tests.support.observations import firewall, observation, ok, volume

WALL, DISK = "protection.firewall", "protection.encryption"


def seen(wall=None, volumes=None):
    sources = {"firewall": ok(wall or firewall()), "encryption": ok([volume()] if volumes is None else volumes)}
    return observation(**sources)


OFF = seen(firewall(False), [volume("/", False)])


@pytest.mark.parametrize(("rule", "word"), [(WALL, "firewall"), (DISK, "encryption")])
@pytest.mark.parametrize(
    ("role", "is_required", "status"),
    [
        ("laptop", False, "warn"),
        ("laptop", True, "fail"),
        ("server", True, "fail"),
        ("workstation", True, "fail"),
        (None, True, "fail"),
        ("server", False, None),
        ("workstation", False, None),
        (None, False, None),
        ("Laptop", False, None),
    ],
)
def test_off_is_judged_by_the_contract_then_by_the_role(rule, word, role, is_required, status):
    requires = (word,) if is_required else ({"firewall", "encryption"} - {word})
    findings = judge(OFF, rule, requires=tuple(requires), role=role)
    assert [finding.status for finding in findings] == ([status] if status else [])
    for finding in findings:
        source = "contract" if is_required else "itcare's own choice for laptops; else the contract's"
        assert finding.threshold_source == source


@pytest.mark.parametrize(("rule", "word"), [(WALL, "firewall"), (DISK, "encryption")])
def test_on_is_good_where_anybody_asks(rule, word):
    assert judge_one(seen(), rule, requires=[word]).status == "ok"
    assert judge_one(seen(), rule, role="laptop").status == "ok"
    assert judge(seen(), rule, role="server") == []


def test_the_firewall_is_told_with_its_kind_and_rules():
    assert judge_one(seen(), WALL, role="laptop").reason == "The firewall (nftables) is on; rules: 12."
    off = judge_one(seen(firewall(False, None, None)), WALL, requires=["firewall"])
    assert off.reason == "The firewall is off, though the contract requires it; rules: not reported."


def test_each_volume_is_judged_by_itself():
    rows = [volume("/", True), volume("/srv", False, device="/dev/sdb1"), volume("swap", None), {}]
    findings = judge(seen(volumes=rows), DISK, requires=["encryption"])
    assert [(finding.status, finding.subject) for finding in findings] == [
        ("fail", "/srv"),
        ("unknown", "swap"),
        ("unknown", None),
        ("ok", "/"),
    ]
    assert findings[0].reason == "/srv is not encrypted, though the contract requires it; device: /dev/sdb1."


def test_no_volume_at_all_is_unknown():
    assert judge_one(seen(volumes=[]), DISK, role="laptop").fact == f"{DISK}.none"


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        (WALL, {"active": "yes", "kind": "ufw", "rules": 1}),
        (WALL, {"active": None, "kind": "ufw", "rules": 1}),
        (WALL, {"active": 1, "kind": "ufw", "rules": 1}),
        (WALL, {"active": True, "kind": ["ufw"], "rules": 1}),
        (WALL, {"active": True, "kind": "ufw", "rules": -1}),
        (WALL, {}),
        (WALL, []),
        (DISK, [volume(encrypted="no")]),
        (DISK, [volume("")]),
        (DISK, [volume(device=None)]),
        (DISK, [volume(kind=7)]),
        (DISK, {}),
    ],
)
def test_another_shape_is_unknown(rule, data):
    source = "firewall" if rule == WALL else "encryption"
    finding = judge_one(observation(**{source: ok(data)}), rule, requires=["firewall", "encryption"])
    assert (finding.status, finding.fact) == ("unknown", f"{rule}.malformed")

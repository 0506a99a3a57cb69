"""A hostile or careless contract file harms nobody: names stay names, secrets stay secret, text stays text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from itcare.contract.document import read_document
from itcare.contract.loader import load_contract
from itcare.contract.models import Contract
from itcare.contract.problems import ContractError, render_problems
from itcare.core.names import HOST_NAME
from tests.support.contracts import ACME, problems_of, spoil, write

HOSTILE_NAMES = [
    "../../x", "../../../../evil", "a b;rm", "con", "CON", "nul", "com1", "x" * 300, "pc01\u202e", "рc01", "pc01\u0000",
    "pc01\n", "$(id)", "{{ 7*7 }}", "-oProxyCommand=id", "/etc/passwd", ".", "..", "", " ", "pc.01", "pc_01", "all:!x",
    "localhost:2222", "pc[01:50]", "%s", "~root", "\\\\srv\\c$", "ｐｃ01",
]  # fmt: skip


def _quoted(name):
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in name) + '"'


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_hostile_host_name_is_accepted(name, tmp_path):
    problems = problems_of(write(tmp_path, spoil("  pc01:", f"  {_quoted(name)}:")))
    text = render_problems(problems)
    assert any(p.key.startswith("hosts.") for p in problems)
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "acme", "A", "X" * 17, "АСМЕ", "AC ME", "ACME-"])
def test_no_hostile_client_code_is_accepted(name, tmp_path):
    problems = problems_of(write(tmp_path, spoil("code: ACME", f"code: {_quoted(name)}")))
    assert any(p.key == "client.code" for p in problems)
    assert all(line.isprintable() for line in render_problems(problems).splitlines())


@pytest.mark.parametrize("place", ["  hq:", "  visit.daily:", "  disk_free:"])
@pytest.mark.parametrize("name", ["../x", "a b", "x" * 300, "\u202ex", "{{ x }}", "-x", "X"])
def test_no_hostile_name_of_a_site_duty_or_rule_is_accepted(place, name, tmp_path):
    assert problems_of(write(tmp_path, spoil(place, f"  {_quoted(name)}:")))


@given(st.text(max_size=70))
@settings(max_examples=60)
def test_every_host_name_that_is_accepted_is_one_dns_label(tmp_path_factory, name):
    path = write(tmp_path_factory.mktemp("names"), spoil("  pc01:", f"  {_quoted(name)}:"))
    try:
        hosts = load_contract(path).contract.hosts
    except (ContractError, UnicodeEncodeError):
        return
    assert all(HOST_NAME.fullmatch(host) for host in hosts)


PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAA\\n-----END OPENSSH PRIVATE KEY-----"
CANARY = "Canary7Tr0ub4dor"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("credential: agent", f"credential: {CANARY}"),
        ("credential: agent", f'credential: "key:../{CANARY}"'),
        ("credential: agent", f'credential: "key:{CANARY}/x"'),
        ("credential: agent", f"credential: {{key: {CANARY}}}"),
        ("credential: agent", f"credential: [{CANARY}]"),
        ("credential: agent", f"credential: !vault {CANARY}"),
        ("credential: agent", f"password: {CANARY}"),
        ("credential: agent", f"ansible_ssh_pass: {CANARY}"),
        ("credential: agent", f"become_password: {CANARY}"),
        ("credential: agent", f"{{token: {CANARY}}}: 1"),
        ("    credential: agent", f"    credential: |\n      {PEM}\n      {CANARY}"),
        ("credential: agent", f"private_key: {CANARY}\n    private_key: {CANARY}"),
        ("technician: Zofia Ćwik", f'technician: [{{"password": {CANARY}}}]'),
        ("technician: Zofia Ćwik", f'technician: {{a: b, secret: {CANARY}}}'),
        ("locale: pl", f'locale: "-----BEGIN RSA PRIVATE KEY----- {CANARY}"'),
        ("locale: pl", f"locale: ghp_{CANARY}"),
        ("locale: pl", f"locale: {CANARY}0123456789abcdef0123456789"),
        ("select: all", f"select: {{password: {CANARY}}}"),
        ("cadence: {daily: all}", f"cadence: {{daily: all, token: {CANARY}}}"),
    ],
)  # fmt: skip
def test_a_secret_written_into_a_contract_is_never_repeated(old, new, tmp_path):
    problems = problems_of(write(tmp_path, spoil(old, new)))
    told = render_problems(problems) + str(ContractError("x", problems)) + repr(problems)
    assert CANARY not in told
    assert "b3Blb" not in told


def test_a_pin_is_not_told_through_the_number_yaml_makes_of_it(tmp_path):
    problems = problems_of(write(tmp_path, spoil("credential: agent", "credential: 12:34")))
    assert all("12" not in p.found and "754" not in p.found for p in problems)


def test_a_secret_beside_the_file_is_not_carried_by_pydantics_error(tmp_path):
    path = write(tmp_path, spoil("credential: agent", f"credential: {CANARY}"))
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    chain, error = "", caught.value
    while error is not None:
        chain, error = chain + str(error), error.__cause__ or error.__context__
    assert CANARY not in chain


def test_the_model_alone_does_not_repeat_a_value_either():
    with pytest.raises(ValidationError) as caught:
        Contract.model_validate({"sites": {"hq": {"reach": "onsite", "credential": CANARY, "password": CANARY}}})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("reference", ["key:nord", "key:branch_2024", "key:A-1", "agent"])
def test_a_reference_is_accepted(reference, tmp_path):
    text = spoil("credential: agent", f"credential: {reference}")
    assert load_contract(write(tmp_path, text)).contract.sites["hq"].credential == reference


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
TREES = st.recursive(
    LEAVES,
    lambda t: st.lists(t, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=8), t, max_size=3),
    max_leaves=6,
)


def _paths(tree, path=()):
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, tuple) else ()
    for key, value in items:
        yield from _paths(value, (*path, key))


def _write_yaml(value):
    """Flow YAML of a tree, every text quoted with escapes, so that any value can stand at any place."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)}: {_write_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_write_yaml(v) for v in value) + "]"
    if isinstance(value, str):
        return _quoted(value)
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, float)
        else str(value)
    )


def _replace(tree, path, value):
    if not path:
        return value
    if isinstance(tree, dict):
        return {k: _replace(v, path[1:], value) if k == path[0] else v for k, v in tree.items()}
    return tuple(_replace(v, path[1:], value) if n == path[0] else v for n, v in enumerate(tree))


BASE = read_document(ACME.encode(), "acme.yml").tree


@given(st.sampled_from(sorted(_paths(BASE), key=str)), TREES)
@settings(max_examples=300, deadline=None)
def test_any_value_at_any_place_is_accepted_or_refused_in_our_words(tmp_path_factory, path, value):
    text = _write_yaml(_replace(BASE, path, value))
    file = tmp_path_factory.mktemp("any") / "any.yml"
    file.write_bytes(text.encode("utf-8", errors="replace"))
    try:
        assert isinstance(load_contract(file).contract, Contract)
    except ContractError as error:
        for problem in error.problems:
            assert problem.found
            assert problem.expected
            assert "Input should" not in problem.expected
            assert problem.line in (1, 2, None)
            assert len(str(problem)) < 1500

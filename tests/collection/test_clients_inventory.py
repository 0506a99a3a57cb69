import copy
import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.collection import import_plugin_util
from tests.support.playbook import ANSIBLE_PLAYBOOK, run_playbook, scrubbed_environment, touch, write_settings

inventory = import_plugin_util("_inventory")

HOST = {
    "connection": "local",
    "address": "127.0.0.2",
    "port": 22,
    "user": "maintenance",
    "become": False,
    "python": str(ANSIBLE_PLAYBOOK.with_name("python")),
    "private_key_file": None,
    "control_path": None,
    "vars": {"visit_services": ["ssh"]},
}
ENABLED = {"ANSIBLE_INVENTORY_ENABLED": "itcare.maintenance.clients"}


def export(**changes):
    return {"schema": "itcare/inventory/v1", "hosts": {"pc01": {**HOST, **changes}}}


def write(folder, document, name="run.itcare.json"):
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def read(folder, document):
    return inventory.read_inventory(str(write(folder, document)))


def list_hosts(folder, path, **env):
    write_settings(folder, {})
    return subprocess.run(
        [ANSIBLE_PLAYBOOK.with_name("ansible-inventory"), "-i", str(path), "--list"],
        cwd=folder, env=scrubbed_environment(folder, {**ENABLED, **env}), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_host_gets_exactly_the_documented_variables(tmp_path):
    key = {"private_key_file": "/run/key", "control_path": "/run/itcare/%C"}
    assert read(tmp_path, export(connection="ssh", become=True, **key)) == {
        "pc01": {
            "visit_services": ["ssh"],
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.2",
            "ansible_port": 22,
            "ansible_user": "maintenance",
            "ansible_become": True,
            "ansible_become_method": "ansible.builtin.sudo",
            "ansible_python_interpreter": HOST["python"],
            "ansible_ssh_private_key_file": "/run/key",
            "ansible_control_path": "/run/itcare/%C",
        }
    }


def test_ansible_reads_the_export_and_runs_on_it(tmp_path):
    run = run_playbook(tmp_path, [touch("{{ visit_services[0] }}")], env=ENABLED, inventory=write(tmp_path, export()))

    assert run.rc == 0, run.output
    assert (tmp_path / "ssh").exists()


def test_a_value_of_null_does_not_let_a_group_variable_in(tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("ansible_ssh_private_key_file: /theirs\nansible_connection: ssh\n")
    listed = json.loads(list_hosts(tmp_path, write(tmp_path, export())).stdout)
    variables = listed["_meta"]["hostvars"]["pc01"]

    assert variables["ansible_ssh_private_key_file"] is None
    assert variables["ansible_connection"] == {"__ansible_unsafe": "local"}


def test_only_files_of_the_agreed_name_are_taken(tmp_path):
    assert list_hosts(tmp_path, write(tmp_path, export())).returncode == 0
    assert list_hosts(tmp_path, write(tmp_path, export(), "hosts.json")).returncode != 0


def test_a_refused_export_ends_the_run(tmp_path):
    path = write(tmp_path, export(connection="winrm"))
    run = run_playbook(tmp_path, [touch("x")], env=ENABLED, inventory=path)

    assert run.rc == 1
    assert "refused" in run.output
    assert not (tmp_path / "x").exists()


def _template(canary):
    return f"{{{{ lookup('ansible.builtin.pipe', 'touch {canary}') }}}}"


def test_braces_in_any_value_are_never_evaluated(tmp_path):
    canary = tmp_path / "CANARY"
    document = export(
        vars={"visit_services": [_template(canary)], "visit_note": {_template(canary): _template(canary)}}
    )
    tasks = [
        {"name": "show", "ansible.builtin.debug": {"msg": "{{ visit_services[0] }} {{ visit_note }}"}},
        {"name": "all", "ansible.builtin.debug": {"var": "hostvars[inventory_hostname]"}},
        touch("ran"),
    ]
    run = run_playbook(tmp_path, tasks, env=ENABLED, inventory=write(tmp_path, document))

    assert run.rc == 0, run.output
    assert (tmp_path / "ran").exists()
    assert not canary.exists()


def test_the_same_value_in_a_yaml_inventory_is_evaluated(tmp_path):
    """The attack is real: without the plugin the canary of the test above is touched."""
    canary = tmp_path / "CANARY"
    task = {"name": "show", "ansible.builtin.debug": {"msg": "{{ visit_services[0] }}"}}
    run_playbook(tmp_path, [task], {"pc01": {"visit_services": [_template(canary)]}})

    assert canary.exists()


BAD_HOSTS = {
    "a connection of another kind": {"connection": "paramiko"},
    "no connection": {"connection": None},
    "an option of ssh as address": {"address": "-oProxyCommand=touch x"},
    "a command in the address": {"address": "127.0.0.1;rm"},
    "a template as address": {"address": "{{ x }}"},
    "an address with a line feed": {"address": "127.0.0.1\n"},
    "an address that is a number": {"address": 1},
    "port 0": {"port": 0},
    "port 65536": {"port": 65536},
    "a port that is true": {"port": True},
    "a port that is text": {"port": "22"},
    "an option as user": {"user": "-oX"},
    "no user over ssh": {"connection": "ssh", "user": None},
    "become that is text": {"become": "yes"},
    "a relative interpreter": {"python": "python3"},
    "a command as interpreter": {"python": "/usr/bin/python3; rm"},
    "a relative key file": {"private_key_file": "key"},
    "a key file with NUL": {"private_key_file": "/a\0b"},
    "a control path with a line feed": {"control_path": "/a\nb"},
    "vars that are a list": {"vars": []},
    "a connection variable": {"vars": {"ansible_connection": "ssh"}},
    "a magic variable": {"vars": {"inventory_hostname": "x"}},
    "a group variable": {"vars": {"group_names": []}},
    "a name in capitals": {"vars": {"Visit_x": 1}},
    "a name without a role": {"vars": {"services": 1}},
    "a name with a digit": {"vars": {"visit_1": 1}},
    "a deep value": {"vars": {"visit_x": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}},
    "a NUL in a value": {"vars": {"visit_x": [{"a": "\0"}]}},
    "half a surrogate pair in a value": {"vars": {"visit_x": "\ud800"}},
    "an unknown key": {"more": 1},
}


@pytest.mark.parametrize("name", BAD_HOSTS)
def test_a_host_with_an_unusable_value_is_refused_by_name(tmp_path, name):
    with pytest.raises(inventory.InventoryError, match="host pc01: "):
        read(tmp_path, export(**BAD_HOSTS[name]))


@pytest.mark.parametrize("key", sorted(HOST))
def test_every_key_of_a_host_is_required(tmp_path, key):
    document = copy.deepcopy(export())
    del document["hosts"]["pc01"][key]
    with pytest.raises(inventory.InventoryError, match=f"'{key}'"):
        read(tmp_path, document)


BAD_NAMES = ["", "../../x", "a b;rm", "con", "com1", "PC01", "x" * 64, "pc\u202e01", "pс01", "pc01\0", "-pc", "a.b"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_host_name_that_is_no_plain_label_is_refused(tmp_path, name):
    with pytest.raises(inventory.InventoryError, match="DNS label"):
        read(tmp_path, {"schema": "itcare/inventory/v1", "hosts": {name: HOST}})


BAD_DOCUMENTS = {
    "another schema": {**export(), "schema": "itcare/inventory/v2"},
    "a key more": {**export(), "groups": {}},
    "no hosts": {"schema": "itcare/inventory/v1", "hosts": {}},
    "hosts in a list": {"schema": "itcare/inventory/v1", "hosts": []},
    "a list": [],
    "no JSON": "hosts: {}",
    "a host twice": '{"schema": "itcare/inventory/v1", "hosts": {"pc01": 1, "pc01": 2}}',
    "NaN": json.dumps(export(vars={"visit_x": float("nan")})),
    "a number too large": json.dumps(export()).replace('["ssh"]', "1e999"),
    "depth 100000": "[" * 100_000,
    "8 MiB and more": json.dumps(export(vars={"visit_x": "x" * (8 * 1024 * 1024)})),
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_a_document_that_is_not_exactly_as_agreed_is_refused(tmp_path, name):
    with pytest.raises(inventory.InventoryError):
        read(tmp_path, BAD_DOCUMENTS[name])


def test_a_local_host_needs_no_user(tmp_path):
    assert read(tmp_path, export(user=None))["pc01"]["ansible_user"] is None


@given(st.text(max_size=70))
def test_host_names_are_the_same_here_and_in_the_contract(name):
    from itcare.core.errors import BadInputError
    from itcare.core.names import check_host_name

    def is_refused(check, error):
        try:
            check(name)
        except error:
            return True
        return False

    assert is_refused(check_host_name, BadInputError) == is_refused(inventory._check_name, inventory.InventoryError)

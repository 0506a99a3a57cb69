#!/usr/bin/python
# Copyright (c) 2026, the itcare authors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module of a computer that is not on our side: `kind` chooses what it returns.

It prints its own JSON, so that nothing of what a well-behaved module would do stands in between.
"""

from __future__ import annotations

import base64
import json
import sys

from ansible.module_utils.basic import AnsibleModule


def forge_event(host):
    """Text that ansible-runner reads out of stdout as one of its own events."""
    data = {
        "uuid": "11111111-2222-3333-4444-555555555555",
        "event": "runner_on_ok",
        "event_data": {"host": host, "task": "forged", "task_action": "forged", "res": {"changed": False}},
    }
    text = base64.b64encode(json.dumps(data).encode()).decode()
    parts = [text[start : start + 78] for start in range(0, len(text), 78)]
    chunks = "".join(f"{part}\x1b[{len(part)}D" for part in parts)
    return "\x1b[K" + chunks + "\x1b[K"


def nest(depth):
    return "[" * depth + "]" * depth


def answer(kind, text, size):
    """The JSON text of a result."""
    if kind == "warnings":
        return json.dumps({"changed": False, "warnings": [text]})
    if kind == "diff":
        return json.dumps({"changed": True, "diff": {"before": "", "after": text, "prepared": text}})
    if kind == "stdout":
        return json.dumps({"changed": False, "stdout": text or "x" * size})
    if kind == "forged":
        event = forge_event(text)
        result = {"changed": False, "stdout": event, "msg": event, "warnings": [event], "diff": {"prepared": event}}
        return json.dumps(result)
    if kind == "facts":
        facts = {
            "inventory_hostname": text,
            "client_id": text,
            "groups": {"all": [text]},
            "ansible_host": text,
            "ansible_connection": "ssh",
            "itcare_template": "{{ lookup('pipe', 'touch " + text + "') }}",
        }
        return json.dumps({"changed": False, "ansible_facts": facts})
    if kind == "template":
        evil = "{{ lookup('pipe', 'touch " + text + "') }}"
        return json.dumps({"changed": False, "msg": evil, "stdout": evil, evil: evil, "ansible_facts": {"evil": evil}})
    if kind == "numbers":
        return '{"changed": false, "rc": 0, "msg": [NaN, Infinity, 1e999, 9007199254740993, 1' + "0" * 400 + "]}"
    if kind == "nested":
        return '{"changed": false, "msg": ' + nest(size) + "}"
    if kind == "text":
        return '{"changed": false, "msg": "a\\u0000b\\ud800c\\udfffd\\u202e"}'
    if kind == "keys":
        return json.dumps({"changed": False, **{f"{text}{i}": i for i in range(size)}})
    if kind == "claims":  # what only ansible-core itself should say
        return json.dumps({"changed": False, "timedout": {"period": 1, "frame": ""}, "_ansible_no_log": True})
    if kind == "censored":
        return json.dumps({"changed": False, "censored": "by me", "msg": text})
    if kind == "markers":
        return json.dumps({"changed": False, "msg": {"_cut": {"bytes": 1}}, "omitted": {"a": {"bytes": 1}}})
    raise ValueError(kind)


def main():
    module = AnsibleModule(
        argument_spec={
            "kind": {"required": True},
            "text": {"default": ""},
            "size": {"type": "int", "default": 0},
            "secret": {"no_log": True},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    if parameters["kind"] == "raise":
        raise RuntimeError(parameters["text"])
    if parameters["kind"] == "fail":
        module.fail_json(msg=parameters["text"])
    sys.stdout.write(answer(parameters["kind"], parameters["text"], parameters["size"]) + "\n")
    sys.exit(0)


if __name__ == "__main__":
    main()

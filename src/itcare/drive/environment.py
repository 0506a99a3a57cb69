"""The environment of a run's process tree: made from nothing, never inherited."""

import os
import pwd
import shlex
import sys
from pathlib import Path

import itcare
from itcare.core.errors import UnsafeError
from itcare.drive.collection import NAMESPACE
from itcare.drive.folder import RunFolder, temporary_folder
from itcare.drive.process import MARK

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHIM_FOLDERS = {"shims"}  # pyenv, rbenv, asdf and mise: a python3 that may answer rc 127
_CONNECT_SECONDS = 15
_ALIVE_SECONDS = 15
_ALIVE_TRIES = 3


def clean_path() -> str:
    """PATH for a run: the folder of this interpreter, then the system's.

    Raises UnsafeError when ansible-playbook is not beside the interpreter or that folder holds a
    version manager's shims.
    """
    folder = Path(sys.executable).parent
    if _SHIM_FOLDERS & set(folder.parts):
        raise UnsafeError(
            "prepare PATH", str(folder), "it holds a version manager's shims", "Run itcare from its own environment."
        )
    if not os.access(folder / "ansible-playbook", os.X_OK):
        raise UnsafeError(
            "find ansible-playbook", str(folder), "it is not there", "Install ansible-core beside itcare."
        )
    return f"{folder}:{_SYSTEM_PATH}"


def ansible_configuration(collections: Path) -> str:
    """Text of the run's ansible.cfg: what the repository's file says, with an absolute path.

    `inject_facts_as_vars` off: else a host's facts may rename it. The inventory lines: else a run
    that found no host ends with rc 0.
    """
    return (
        "[defaults]\n"
        "inject_facts_as_vars = False\n"
        f"callbacks_enabled = {NAMESPACE}.spool\n"
        f"collections_path = {str(collections).replace('%', '%%')}\n"
        "[inventory]\n"
        "unparsed_is_failed = True\n"
        "host_pattern_mismatch = error\n"
    )


def ssh_arguments(known_hosts: Path, *, with_agent: bool) -> str:
    """Options of every ssh call of a run, quoted for Ansible's option parser.

    No configuration of the user or the system is read, no prompt is possible, and only the client's
    own pinned host keys are believed and never added to. Keys of an agent are offered only if asked.
    """
    # ssh reads the value with quotes and expands per cent signs.
    file = str(known_hosts).replace("%", "%%")
    options = [
        "ControlMaster=auto", "ControlPersist=3600",
        f'UserKnownHostsFile="{file}"', "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no", "VerifyHostKeyDNS=no", "CheckHostIP=no",
        "BatchMode=yes", f"IdentitiesOnly={'no' if with_agent else 'yes'}", "ForwardAgent=no", "LogLevel=ERROR",
        f"ServerAliveInterval={_ALIVE_SECONDS}", f"ServerAliveCountMax={_ALIVE_TRIES}",
    ]  # fmt: skip
    return shlex.join(["-F", "none", *(word for option in options for word in ("-o", option))])


def build_environment(
    folder: RunFolder, sockets: Path, *, nonce: str, fence: int, known_hosts: Path, agent: str | None = None
) -> dict[str, str]:
    """Every variable that the supervisor and what it starts will see. Raises UnsafeError.

    `agent`: socket of the operator's ssh agent, for a contract that says `credential: agent`.
    """
    user = pwd.getpwuid(os.geteuid())
    home = folder.path
    return {
        "PATH": clean_path(),
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LOGNAME": user.pw_name,
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary_folder(sockets)),
        "PYTHONPATH": str(Path(itcare.__file__).parents[1]),  # for the supervisor, which drops it
        "PYTHONDONTWRITEBYTECODE": "1",
        MARK: folder.run_id,
        "ITCARE_NONCE": nonce,
        "ITCARE_FENCE": str(fence),
        "ITCARE_SPOOL": str(folder.spool),
        **({"ITCARE_SECRETS": str(folder.secrets)} if folder.secrets.exists() else {}),
        "ANSIBLE_CONFIG": str(folder.configuration),
        "ANSIBLE_HOME": str(home / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(folder.temporary),
        "ANSIBLE_INVENTORY_ENABLED": f"{NAMESPACE}.clients",
        "ANSIBLE_HOST_KEY_CHECKING": "True",  # runner would switch it off
        "ANSIBLE_SSH_ARGS": ssh_arguments(known_hosts, with_agent=agent is not None),
        "ANSIBLE_SSH_RETRIES": "0",  # a second try would hide that the first lost its contact
        "ANSIBLE_TIMEOUT": str(_CONNECT_SECONDS),
        "ANSIBLE_STRATEGY": "ansible.builtin.host_pinned",  # one hanging host must not hold up the others
        "ANSIBLE_NOCOLOR": "1",
        "_ANSIBLE_CALLBACK_DISPATCH_ERROR_BEHAVIOR": "error",  # no record, no run
        **({"SSH_AUTH_SOCK": agent} if agent else {}),
    }

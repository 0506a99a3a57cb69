"""ARA Records Ansible, the peer of recording: its callback with its offline client and a database of its own.

It stands in the dependency group `bench`. Nothing of it is changed: the settings are ARA's own, the database is the
SQLite file it makes itself, and its migrations run before anything is timed.
"""

import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measure import measure


class AraMissingError(RuntimeError):
    """The dependency group `bench` is not installed."""


class Ara:
    """One ARA installation in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        spec = find_spec("ara")
        if spec is None or not spec.submodule_search_locations:
            raise AraMissingError("ARA is not installed: run `sh .ci/environment.sh bench`, or `make bench`")
        self._package = Path(spec.submodule_search_locations[0])
        self._folder = folder
        self.database = folder / "ansible.sqlite"
        self.version = version("ara")

    @property
    def server_environment(self) -> dict[str, str]:
        """What ARA's server, in whatever process, is told: where its files are."""
        return {
            "DJANGO_SETTINGS_MODULE": "ara.server.settings",
            "ARA_BASE_DIR": str(self._folder),
            "ARA_SETTINGS": str(self._folder / "settings.yaml"),
            "ARA_SECRET_KEY": "of-a-benchmark",
            "ARA_TIME_ZONE": "UTC",
        }

    @property
    def callback_environment(self) -> dict[str, str]:
        """What ansible-playbook is told in order to be recorded by ARA, as ARA's documentation says."""
        return self.server_environment | {
            "ANSIBLE_CALLBACK_PLUGINS": str(self._package / "plugins" / "callback"),
            "ARA_API_CLIENT": "offline",
        }

    def migrate(self, environment: dict[str, str]) -> None:
        """Make the database with all of ARA's migrations."""
        self._folder.mkdir(mode=0o700)
        command = [sys.executable, "-m", "django", "migrate"]
        measure(command, self._folder, environment | self.server_environment, self._folder.with_suffix(".log"))

"""The door to what lies across clients. It exists only in a server that was started for the firm's own people.

`itcare dashboard` without `--client` serves whoever owns the files; the launcher says so by environment.
With a client it says nothing, and then nothing here leads to `firm.sqlite`: not even its name is asked for.
"""

import os
from pathlib import Path

from itcare.access import Principal, StaffScope, staff_scope
from itcare.core.errors import NotFoundError

STAFF_VARIABLE = "ITCARE_DASHBOARD_STAFF"
CLIENT_VARIABLE = "ITCARE_DASHBOARD_CLIENT"


def door() -> StaffScope | None:
    """What staff may see across clients; None where this server was not started for staff."""
    is_staff = os.environ.get(STAFF_VARIABLE) == "1" and CLIENT_VARIABLE not in os.environ
    try:
        return staff_scope(Path(os.environ["ITCARE_PUBLISHED"]), Principal("this user", is_staff=is_staff))
    except NotFoundError:
        return None

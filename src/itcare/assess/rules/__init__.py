"""The rules of this version, in the order in which findings of equal gravity are listed."""

from itcare.assess.rules import (
    access,
    disk,
    libraries,
    log,
    memory,
    protection,
    reboot,
    sensors,
    services,
    smart,
    time_sync,
)
from itcare.assess.rules.verdict import Rule

RULES: tuple[Rule, ...] = (
    *smart.RULES,
    *disk.RULES,
    *services.RULES,
    *log.RULES,
    *memory.RULES,
    *reboot.RULES,
    *libraries.RULES,
    *time_sync.RULES,
    *sensors.RULES,
    *access.RULES,
    *protection.RULES,
)

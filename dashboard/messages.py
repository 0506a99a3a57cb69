"""What each finding says. English here, other languages in the catalogue.

The same templates as in the package's own `assess.messages` (a test holds them equal); the
dashboard has them itself, because it knows nothing of judging, only of showing.
"""

from words import mark

TOPICS = {
    "disk.smart": mark("the health of the physical disks"),
    "disk.free": mark("free disk space"),
    "disk.inodes": mark("free inodes"),
    "services.failed": mark("services"),
    "log.errors": mark("the system log"),
    "memory.pressure": mark("memory"),
    "reboot.pending": mark("pending restarts"),
    "libraries.outdated": mark("libraries in use"),
    "time.sync": mark("the clock"),
    "sensors.temperature": mark("temperatures"),
    "battery.wear": mark("the batteries"),
    "access.administrators": mark("administrators"),
    "access.listeners": mark("open ports"),
    "protection.firewall": mark("the firewall"),
    "protection.encryption": mark("disk encryption"),
}
"""What each rule looks at, for the sentences that all rules share."""

SHARED = {
    "unavailable": mark("Could not check {topic_word}: {reason_word}{detail_note}."),
    "not_observed": mark("Could not check {topic_word}: the observation does not contain it."),
    "malformed": mark("Could not judge {topic_word}: in {place}, found {found}, expected {expected}."),
    "truncated": mark("There are {count} results on {topic_word}; only the worst {shown} are listed."),
}

OWN = {
    "observation.missing": mark("Nothing is known about this computer's health: {reason_word}."),
    "observation.truncated": mark("The health observation was cut short on its way and cannot be judged."),
    "observation.unsupported": mark("The health observation has the schema {found}; this version judges {expected}."),
    "observation.malformed": mark(
        "The health observation cannot be read: in {place}, found {found}, expected {expected}."
    ),
    "observation.empty": mark("The health observation calls everything absent, so nothing was judged."),
    "disk.smart.ok": mark("{device}{model_note} passes its self-assessment, and none of its counters is over a limit."),
    "disk.smart.failing": mark(
        "{device}{model_note} fails its self-assessment; sectors reallocated: {reallocated}, pending: "
        "{pending}, uncorrectable: {uncorrectable}."
    ),
    "disk.smart.critical_warning": mark(
        "{device}{model_note} raises a critical warning (NVMe bits {critical_warning})."
    ),
    "disk.smart.bad_sectors": mark(
        "{device}{model_note} has bad sectors; reallocated: {reallocated}, pending: {pending}, uncorrectable: "
        "{uncorrectable}, limit: {limit_sectors}."
    ),
    "disk.smart.worn": mark(
        "{device}{model_note} has used {used_percent} of its rated life; the limit is {limit_percent}."
    ),
    "disk.smart.spare_low": mark(
        "{device}{model_note} has {spare_percent} of its spare blocks left; it needs at least {least_spare_percent}."
    ),
    "disk.smart.no_verdict": mark("{device}{model_note} gives no assessment of itself."),
    "disk.smart.disk_unavailable": mark("{device}{model_note} could not be asked about its health: {reason_word}."),
    "disk.smart.none": mark("No physical disk was listed, though disks were asked about their health."),
    "disk.free.ok": mark(
        "{mount} has {available_bytes} of {total_bytes} free ({free_percent}); the limit is {limit_percent}."
    ),
    "disk.free.low": mark(
        "{mount} has {available_bytes} of {total_bytes} free ({free_percent}), below the {limit_percent} limit."
    ),
    "disk.free.low_gb": mark(
        "{mount} has {available_bytes} of {total_bytes} free ({free_percent}), below the {limit_bytes} limit."
    ),
    "disk.free.none": mark("No file system was listed whose free space could be judged."),
    "disk.inodes.ok": mark(
        "{mount} has {free_percent} of its inodes free ({free_inodes} of {total_inodes}); the limit is {limit_percent}."
    ),
    "disk.inodes.low": mark(
        "{mount} has {free_percent} of its inodes free ({free_inodes} of {total_inodes}), below the "
        "{limit_percent} limit."
    ),
    "disk.inodes.none": mark("No file system was listed whose inodes could be judged."),
    "services.failed.ok": mark("No unit has failed; systemd calls the system {system_state}."),
    "services.failed.unit": mark("The unit {unit}{description_note} has failed."),
    "services.failed.unlisted": mark("systemd calls the system {system_state}, yet no failed unit was listed."),
    "services.failed.active": mark("The service {service} of the contract is running ({state})."),
    "services.failed.not_active": mark("The service {service} of the contract is not running: its state is {state}."),
    "services.failed.unasked": mark(
        "The service {service} of the contract was not asked for, so its state is not known."
    ),
    "services.failed.absent": mark(
        "The contract lists services, but this computer has nothing that could tell their state."
    ),
    "log.errors.ok": mark("No grave errors are in the system log since {since_at}."),
    "log.errors.incomplete": mark(
        "The system log since {since_at} was not read to its end; unread entries may be grave."
    ),
    "log.errors.oom_kill": mark(
        "Programs were killed for want of memory, count: {count}, last at {last_at}, logged by {origin}: {sample}."
    ),
    "log.errors.disk_io": mark(
        "The log has disk input/output errors, count: {count}, last at {last_at}, logged by {origin}: {sample}."
    ),
    "log.errors.filesystem": mark(
        "The log has file system errors, count: {count}, last at {last_at}, logged by {origin}: {sample}."
    ),
    "log.errors.remount_read_only": mark(
        "A file system became read-only after an error, count: {count}, last at {last_at}, logged by {origin}: "
        "{sample}."
    ),
    "log.errors.machine_check": mark(
        "The processor reported hardware errors, count: {count}, last at {last_at}, logged by {origin}: {sample}."
    ),
    "memory.pressure.ok": mark(
        "{available_bytes} of {total_bytes} memory is available ({available_percent}), the limit is "
        "{limit_percent}; programs waited for memory {some_percent} of the time."
    ),
    "memory.pressure.ok_no_figures": mark(
        "{available_bytes} of {total_bytes} memory is available ({available_percent}), the limit is "
        "{limit_percent}; the kernel gives no figures on waiting."
    ),
    "memory.pressure.low": mark(
        "{available_bytes} of {total_bytes} memory is available ({available_percent}), below the {limit_percent} limit."
    ),
    "memory.pressure.stalls": mark(
        "Programs waited for memory {some_percent} of the last five minutes; the limit is {limit_some_percent}."
    ),
    "memory.pressure.exhausted": mark(
        "{available_bytes} of {total_bytes} memory is available ({available_percent}), below the "
        "{limit_percent} limit, and all programs stood still {full_percent} of the last five minutes."
    ),
    "reboot.pending.none": mark("No restart is pending; the running kernel is {running_kernel}."),
    "reboot.pending.recent": mark("A restart has been pending for {age_seconds}; the limit is {limit_age_seconds}."),
    "reboot.pending.overdue": mark(
        "A restart has been pending for {age_seconds}, which reaches the limit of {limit_age_seconds}."
    ),
    "reboot.pending.no_start": mark("A restart is pending; since when could not be told."),
    "reboot.pending.start_in_future": mark(
        "A restart is pending, but its recorded start, {since_at}, lies after the observation."
    ),
    "libraries.outdated.ok": mark("No program runs on a replaced library; processes checked: {checked}."),
    "libraries.outdated.found": mark("Programs still run on replaced libraries, count: {count} ({names})."),
    "libraries.outdated.unreadable": mark(
        "Some processes could not be looked into, count: {unreadable}, besides {checked} that were."
    ),
    "libraries.outdated.none": mark("No process was looked into."),
    "time.sync.ok": mark(
        "The clock is synchronised; it is {offset_seconds} off, the limit is {limit_seconds} (source: {method})."
    ),
    "time.sync.synchronised": mark("The clock is synchronised; its offset is not reported (source: {method})."),
    "time.sync.not_synchronised": mark("The clock is not synchronised (source: {method})."),
    "time.sync.offset": mark("The clock is {offset_seconds} off, more than {limit_seconds} (source: {method})."),
    "sensors.temperature.ok": mark(
        "All sensors that have limits are below them, count: {count}; the one nearest to its limit, {sensor}, "
        "shows {found_celsius} of {limit_celsius}."
    ),
    "sensors.temperature.high": mark(
        "{sensor} shows {found_celsius}, which reaches the sensor's own maximum of {limit_celsius}."
    ),
    "sensors.temperature.critical": mark(
        "{sensor} shows {found_celsius}, which reaches the sensor's critical value of {limit_celsius}."
    ),
    "sensors.temperature.none": mark("No temperature was listed, though sensors were asked."),
    "battery.wear.ok": mark(
        "{battery} still holds {full_percent} of what it was built for; the limit is {limit_percent} (charge "
        "cycles: {cycles})."
    ),
    "battery.wear.worn": mark(
        "{battery} holds {full_percent} of what it was built for, below the {limit_percent} limit (charge cycles: "
        "{cycles})."
    ),
    "battery.wear.unmeasured": mark("{battery} does not tell how much it holds and what it was built for."),
    "battery.wear.none": mark("No battery was listed, though batteries were asked."),
    "access.administrators.ok": mark(
        "Everyone with full rights on this computer is on the contract's list, entries: {count}."
    ),
    "access.administrators.unlisted": mark(
        "{name} has full rights on this computer (through {through}) and is not on the contract's list."
    ),
    "access.administrators.none": mark("Nobody was listed as administrator, which no computer can be without."),
    "access.administrators.absent": mark("The contract lists administrators, but this computer says that it has none."),
    "access.listeners.ok": mark("Every port that others can reach is on the contract's list, ports: {count}."),
    "access.listeners.unlisted": mark(
        "A program{process_note} waits for others on {listener} ({addresses}), which is not on the contract's list."
    ),
    "access.listeners.absent": mark("The contract lists open ports, but this computer says that it cannot have any."),
    "protection.firewall.on": mark("The firewall{firewall_note} is on; rules: {rules}."),
    "protection.firewall.off_required": mark(
        "The firewall is off, though the contract requires it{firewall_note}; rules: {rules}."
    ),
    "protection.firewall.off_laptop": mark("The firewall is off on a laptop{firewall_note}; rules: {rules}."),
    "protection.firewall.absent": mark("A firewall is expected here, but this computer says that it cannot have one."),
    "protection.encryption.on": mark("{mount} is encrypted{kind_note}; device: {device}."),
    "protection.encryption.off_required": mark(
        "{mount} is not encrypted, though the contract requires it; device: {device}."
    ),
    "protection.encryption.off_laptop": mark("{mount} is not encrypted on a laptop; device: {device}."),
    "protection.encryption.untold": mark("Whether {mount} is encrypted cannot be told; device: {device}."),
    "protection.encryption.none": mark("No volume was listed whose encryption could be judged."),
    "protection.encryption.absent": mark("Encryption is expected here, but this computer shows no volumes of its own."),
}

MESSAGES = OWN | {f"{rule}.{name}": template for rule in TOPICS for name, template in SHARED.items()}

REASONS = {
    "not_installed": mark("the program that reads it is not installed"),
    "no_permission": mark("the user who looked may not read it"),
    "timeout": mark("it gave no answer in time"),
    "no_journal": mark("there is no journal to read"),
    "unreadable": mark("its answer could not be understood"),
    "no_systemd": mark("systemd does not run this system"),
    "failed": mark("the query failed"),
    "not_supported": mark("the system does not offer it"),
    "timed_out": mark("the look at the computer took too long and was given up"),
    "missing": mark("no observation was made"),
    "not_reached": mark("the computer was not reached"),
    "unreachable": mark("the computer stopped answering"),
    "interrupted": mark("the run ended while the computer was being looked at"),
    "unfinished": mark("the look at the computer was begun and no end was recorded"),
    "unknown": mark("contact was lost, and what happened then is not known"),
    "erased": mark("the observation was erased from the record"),
    "unreported": mark("no reason was given"),
}

NOT_REPORTED = mark("not reported")

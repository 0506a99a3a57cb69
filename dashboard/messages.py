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
    "missing": mark("no observation was made"),
    "not_reached": mark("the computer was not reached"),
    "unreported": mark("no reason was given"),
}

NOT_REPORTED = mark("not reported")

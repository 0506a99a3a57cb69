"""Every statement of the reader. Each has a LIMIT or a bounded answer, and an index to go by."""

PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON")

META = "SELECT key, value FROM meta LIMIT :limit"

MONTHS = "SELECT DISTINCT month FROM obligation ORDER BY month DESC LIMIT :limit"
# Bounded by duties x states.
OBLIGATION_COUNTS = """
SELECT duty, state, count(*) AS count FROM obligation WHERE month = :month GROUP BY duty, state ORDER BY duty, state
"""
SETTLED = """
SELECT count(*) AS settled, total(state IN ('done', 'done_late')) AS delivered
FROM obligation WHERE month = :month AND is_open = 0 AND state <> 'waived'
"""
OBLIGATIONS = """
SELECT * FROM obligation
WHERE month = :month AND (:state IS NULL OR state = :state) AND (:duty IS NULL OR duty = :duty)
ORDER BY nominal_date, duty, host LIMIT :limit OFFSET :offset
"""
HOST_OBLIGATIONS = """
SELECT * FROM obligation WHERE host = :host ORDER BY nominal_date DESC, duty DESC LIMIT :limit OFFSET :offset
"""

HOSTS = "SELECT * FROM host ORDER BY name LIMIT :limit OFFSET :offset"
HOST = "SELECT * FROM host WHERE name = :host"
HOST_HISTORY = "SELECT * FROM host_result WHERE host = :host ORDER BY run DESC LIMIT :limit OFFSET :offset"
HOST_FINDINGS = """
SELECT * FROM finding WHERE host = :host ORDER BY severity, rule, id LIMIT :limit OFFSET :offset
"""

FINDINGS = "SELECT * FROM finding ORDER BY severity, host, rule, id LIMIT :limit OFFSET :offset"
FINDINGS_OF_STATUS = """
SELECT * FROM finding WHERE status = :status ORDER BY host, rule, id LIMIT :limit OFFSET :offset
"""
FINDING = "SELECT * FROM finding WHERE id = :id"
# Bounded by the four statuses.
FINDING_COUNTS = "SELECT status, count(*) AS count FROM finding GROUP BY status"
WORST_BY_HOST = "SELECT host, min(severity) AS severity FROM finding GROUP BY host ORDER BY host LIMIT :limit"
FACTS = "SELECT * FROM fact WHERE host = :host ORDER BY source LIMIT :limit OFFSET :offset"

RUNS = "SELECT * FROM run ORDER BY number DESC LIMIT :limit OFFSET :offset"
RUN_COUNT = "SELECT count(*) AS count FROM run"
RUN = "SELECT * FROM run WHERE number = :run"
HOST_RESULTS = "SELECT * FROM host_result WHERE run = :run ORDER BY host LIMIT :limit OFFSET :offset"
TASKS = "SELECT * FROM task WHERE run = :run ORDER BY host, position LIMIT :limit OFFSET :offset"
TASKS_OF_HOST = """
SELECT * FROM task WHERE run = :run AND host = :host ORDER BY position LIMIT :limit OFFSET :offset
"""
FILES = "SELECT * FROM file WHERE run = :run ORDER BY kind, path, sha256 LIMIT :limit OFFSET :offset"

MEASURES = """
SELECT * FROM measure
WHERE host = :host AND name = :name AND (:subject IS NULL OR subject = :subject) AND at >= :since
ORDER BY subject, at LIMIT :limit OFFSET :offset
"""
FORECASTS = "SELECT * FROM forecast WHERE name = :name ORDER BY host, subject LIMIT :limit OFFSET :offset"
HOST_FORECASTS = "SELECT * FROM forecast WHERE host = :host ORDER BY name, subject LIMIT :limit OFFSET :offset"
HOST_INTERVALS = """
SELECT * FROM finding_interval WHERE host = :host ORDER BY rule, subject, first_seen LIMIT :limit OFFSET :offset
"""
CURRENT_INTERVALS = """
SELECT * FROM finding_interval WHERE current = 1 ORDER BY host, rule, subject LIMIT :limit OFFSET :offset
"""
SOFTWARE = """
SELECT * FROM software WHERE host = :host
ORDER BY name, source, scope, architecture, version LIMIT :limit OFFSET :offset
"""
SOFTWARE_NAMED = """
SELECT * FROM software WHERE name = :name
ORDER BY host, source, scope, architecture, version LIMIT :limit OFFSET :offset
"""
SOFTWARE_CHANGES = "SELECT * FROM software_change ORDER BY at DESC, rowid DESC LIMIT :limit OFFSET :offset"
HOST_SOFTWARE_CHANGES = """
SELECT * FROM software_change WHERE host = :host ORDER BY at DESC, rowid DESC LIMIT :limit OFFSET :offset
"""
HOST_TEMPS = "SELECT * FROM temp WHERE host = :host ORDER BY run DESC, category DESC LIMIT :limit OFFSET :offset"
RUN_TEMPS = "SELECT * FROM temp WHERE run = :run ORDER BY host, category LIMIT :limit OFFSET :offset"

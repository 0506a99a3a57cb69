"""Every statement that is put to `current.sqlite`. Each has a LIMIT or a bounded answer, and an index to go by."""

PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON")

META = "SELECT key, value FROM meta LIMIT :limit"

MONTH_FILES = "SELECT * FROM month ORDER BY month DESC LIMIT :limit"
MONTH_OF_RUN = "SELECT month FROM run WHERE number = :run"
# Bounded by the runs that are asked for.
MONTHS_OF_RUNS = "SELECT number, month FROM run WHERE number IN (SELECT value FROM json_each(:runs))"

# From month to month by the index: DISTINCT would read all obligations.
MONTHS = """
WITH RECURSIVE found (month) AS (
  SELECT max(month) FROM obligation
  UNION ALL
  SELECT (SELECT max(month) FROM obligation WHERE month < found.month) FROM found WHERE found.month IS NOT NULL
)
SELECT month FROM found WHERE month IS NOT NULL LIMIT :limit
"""
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
_JOBS = """
FROM obligation
WHERE month = :month AND (:duty IS NULL OR duty = :duty) AND state IN (SELECT value FROM json_each(:states))
AND (NOT :away OR state = 'not_reached' OR (state = 'attempted' AND last_outcome = 'not_reached'))
"""
# Sorted only within a day.
JOBS = "SELECT * " + _JOBS + "ORDER BY nominal_date DESC, host, duty LIMIT :limit OFFSET :offset"
JOB_COUNT = "SELECT count(*) AS count " + _JOBS
JOB_HOSTS = "SELECT count(DISTINCT host) AS count " + _JOBS
UNDONE = """
SELECT duty, reason, min(state) AS state, json_group_array(DISTINCT host) AS hosts
FROM obligation WHERE month = :month AND state IN (SELECT value FROM json_each(:states))
GROUP BY duty, nullif(reason, ''), CASE WHEN nullif(reason, '') IS NULL THEN state END LIMIT :limit
"""
HOST_OBLIGATIONS = """
SELECT * FROM obligation WHERE host = :host ORDER BY nominal_date DESC, duty DESC LIMIT :limit OFFSET :offset
"""

HOSTS = "SELECT * FROM host ORDER BY name LIMIT :limit OFFSET :offset"
HOST = "SELECT * FROM host WHERE name = :host"
HOST_NAMES = "SELECT name FROM host ORDER BY name LIMIT :limit OFFSET :offset"
HOSTS_TO_VERIFY = "SELECT * FROM host WHERE needs_verify = 1 ORDER BY name LIMIT :limit OFFSET :offset"
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
WORST_BY_RULE = "SELECT rule, min(severity) AS severity FROM finding GROUP BY rule LIMIT :limit"
# Bounded by the findings of the hosts that are asked for.
BRIEFS = """
SELECT finding.host, finding.rule, finding.status, finding.fact, finding.values_json
FROM json_each(:hosts) AS asked CROSS JOIN finding ON finding.host = asked.value
ORDER BY finding.host, finding.severity, finding.rule, finding.id
"""
_WORST_FINDINGS = """
FROM finding WHERE status = :status
AND NOT EXISTS (SELECT 1 FROM finding AS worse WHERE worse.host = finding.host AND worse.severity < finding.severity)
"""
WORST_FINDINGS = "SELECT * " + _WORST_FINDINGS + "ORDER BY host, rule, id LIMIT :limit OFFSET :offset"
WORST_FINDING_COUNT = "SELECT count(*) AS count " + _WORST_FINDINGS
FACTS = "SELECT * FROM fact WHERE host = :host ORDER BY source LIMIT :limit OFFSET :offset"

RUNS = "SELECT * FROM run ORDER BY number DESC LIMIT :limit OFFSET :offset"
RUN_COUNT = "SELECT count(*) AS count FROM run"
RUN = "SELECT * FROM run WHERE number = :run"
RUNS_OF_MONTH = "SELECT * FROM run WHERE month = :month ORDER BY number DESC LIMIT :limit OFFSET :offset"

FORECASTS = "SELECT * FROM forecast WHERE name = :name ORDER BY host, subject LIMIT :limit OFFSET :offset"
FORECASTS_OF_HOSTS = """
SELECT forecast.* FROM json_each(:hosts) AS asked CROSS JOIN forecast
ON forecast.host = asked.value AND forecast.name = :name
ORDER BY forecast.host, forecast.subject LIMIT :limit OFFSET :offset
"""
FORECASTS_UNTIL = """
SELECT * FROM forecast WHERE name = :name AND full_at <= :until ORDER BY host, subject LIMIT :limit OFFSET :offset
"""
HOST_FORECASTS = "SELECT * FROM forecast WHERE host = :host ORDER BY name, subject LIMIT :limit OFFSET :offset"
HOST_INTERVALS = """
SELECT * FROM finding_interval WHERE host = :host ORDER BY rule, subject, first_seen LIMIT :limit OFFSET :offset
"""
CURRENT_INTERVALS = """
SELECT * FROM finding_interval WHERE current = 1 ORDER BY host, rule, subject LIMIT :limit OFFSET :offset
"""
CURRENT_INTERVALS_OF_HOSTS = """
SELECT finding_interval.* FROM json_each(:hosts) AS asked CROSS JOIN finding_interval
ON finding_interval.current = 1 AND finding_interval.host = asked.value
ORDER BY finding_interval.host, finding_interval.rule, finding_interval.subject LIMIT :limit OFFSET :offset
"""
_SEEN_SOFTWARE = """
SELECT software.*, software_look.run
FROM software LEFT JOIN software_look ON software_look.host = software.host AND software_look.source = software.source
"""
SOFTWARE = (
    _SEEN_SOFTWARE
    + """WHERE software.host = :host
ORDER BY software.name, software.source, software.scope, software.architecture, software.version
LIMIT :limit OFFSET :offset
"""
)
SOFTWARE_NAMED = (
    _SEEN_SOFTWARE
    + """WHERE software.name = :name
ORDER BY software.host, software.source, software.scope, software.architecture, software.version
LIMIT :limit OFFSET :offset
"""
)
SOFTWARE_COUNT = "SELECT count(*) AS count FROM software WHERE host = :host"
# Bounded by the hosts that are asked for.
NEWEST_LISTS = """
SELECT host, max(run) AS run FROM software_look WHERE host IN (SELECT value FROM json_each(:hosts)) GROUP BY host
"""

"""Every statement that is put to the file of a month. Each has a LIMIT or a bounded answer, and an index to go by."""

HOST_HISTORY = "SELECT * FROM host_result WHERE host = :host ORDER BY run DESC LIMIT :limit OFFSET :offset"
HOST_HISTORY_COUNT = "SELECT count(*) AS count FROM host_result WHERE host = :host"
RUNS_OF_HOST = "SELECT run FROM host_result WHERE host = :host ORDER BY run LIMIT :limit OFFSET :offset"
HOST_RESULTS = "SELECT * FROM host_result WHERE run = :run ORDER BY host LIMIT :limit OFFSET :offset"
HOST_RESULT = "SELECT * FROM host_result WHERE run = :run AND host = :host"
DOUBTS = "SELECT run, host FROM host_result WHERE needs_verify = 1 ORDER BY run, host LIMIT :limit OFFSET :offset"
# Bounded by the hosts asked for.
LAST_LOOKS = """
SELECT asked.value AS host, (
  SELECT max(run) FROM host_result
  WHERE host = asked.value AND needs_verify = 0 AND outcome IN (SELECT value FROM json_each(:states))
  AND run NOT IN (SELECT value FROM json_each(:runs))
) AS run FROM json_each(:hosts) AS asked
"""
TASKS = "SELECT * FROM task WHERE run = :run ORDER BY host, position LIMIT :limit OFFSET :offset"
TASKS_OF_HOST = """
SELECT * FROM task WHERE run = :run AND host = :host ORDER BY position LIMIT :limit OFFSET :offset
"""
TASK_COUNT = "SELECT count(*) AS count FROM task WHERE run = :run"
FILES = "SELECT * FROM file WHERE run = :run ORDER BY kind, path, sha256 LIMIT :limit OFFSET :offset"

# The newest first, so that a limit leaves out the oldest.
MEASURES = """
SELECT * FROM measure WHERE host = :host AND name = :name AND at >= :since
ORDER BY subject DESC, at DESC LIMIT :limit
"""
MEASURES_OF_SUBJECT = """
SELECT * FROM measure WHERE host = :host AND name = :name AND subject = :subject AND at >= :since
ORDER BY at DESC LIMIT :limit
"""
# Bounded by the places that are asked for and the looks of a month.
AMOUNTS = """
SELECT place.key AS place, measure.at, measure.value, measure.capacity
FROM json_each(:places) AS place CROSS JOIN measure
ON measure.host = place.value ->> 0 AND measure.name = :name AND measure.subject IS place.value ->> 1
AND measure.at >= :since
"""

SOFTWARE_CHANGES = """
SELECT * FROM software_change WHERE at >= :since ORDER BY at DESC, rowid DESC LIMIT :limit OFFSET :offset
"""
SOFTWARE_CHANGE_COUNT = "SELECT count(*) AS count FROM software_change WHERE at >= :since"
HOST_SOFTWARE_CHANGES = """
SELECT * FROM software_change WHERE host = :host AND at >= :since
ORDER BY at DESC, rowid DESC LIMIT :limit OFFSET :offset
"""
HOST_SOFTWARE_CHANGE_COUNT = """
SELECT count(*) AS count FROM software_change WHERE host = :host AND at >= :since
"""
CHANGING_LOOKS = "SELECT DISTINCT at, run FROM software_change WHERE host = :host AND at >= :since LIMIT :limit"
CHANGES_OF_RUN = """
SELECT * FROM software_change WHERE host = :host AND run = :run
ORDER BY at DESC, rowid DESC LIMIT :limit OFFSET :offset
"""
# Bounded by the hosts that are asked for and the three kinds.
CHANGE_COUNTS = """
SELECT look.value ->> 0 AS host, change.kind, count(*) AS count
FROM json_each(:looks) AS look CROSS JOIN software_change AS change
ON change.host = look.value ->> 0 AND change.run = look.value ->> 1
GROUP BY look.key, change.kind
"""

HOST_TEMPS = "SELECT * FROM temp WHERE host = :host ORDER BY run DESC, category DESC LIMIT :limit OFFSET :offset"
HOST_TEMP_COUNT = "SELECT count(*) AS count FROM temp WHERE host = :host"
RUN_TEMPS = "SELECT * FROM temp WHERE run = :run ORDER BY host, category LIMIT :limit OFFSET :offset"
RUN_TEMPS_OF_HOST = """
SELECT * FROM temp WHERE run = :run AND host = :host ORDER BY category LIMIT :limit OFFSET :offset
"""
RUN_TEMP_COUNT = "SELECT count(*) AS count FROM temp WHERE run = :run"
# Bounded by the hosts that are asked for.
NEWEST_CLEAN_UPS = """
SELECT named.host, named.run, (
  SELECT max(at) FROM temp WHERE temp.run = named.run AND temp.host = named.host
) AS at, (
  SELECT value FROM measure WHERE measure.host = named.host AND measure.name = :freed AND measure.run = named.run
  LIMIT 1
) AS freed, (
  SELECT value FROM measure WHERE measure.host = named.host AND measure.name = :planned AND measure.run = named.run
  LIMIT 1
) AS planned
FROM (
  SELECT asked.value AS host, (SELECT max(run) FROM temp WHERE temp.host = asked.value) AS run
  FROM json_each(:hosts) AS asked
) AS named WHERE named.run IS NOT NULL
"""

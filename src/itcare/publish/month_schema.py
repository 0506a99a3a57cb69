"""The tables of the file of a month; see `schema`."""

from itcare.publish.schema import META_DDL

MONTH_DDL = (
    META_DDL
    + """
CREATE TABLE host_result (
  run INTEGER NOT NULL,
  host TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN
    ('ok', 'changed', 'failed', 'not_reached', 'unknown', 'interrupted', 'not_run')),
  reason TEXT,
  needs_verify INTEGER NOT NULL CHECK (needs_verify IN (0, 1)),
  truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)),
  connection TEXT,
  remote_user TEXT,
  address TEXT,
  opened_at TEXT,
  closed_at TEXT,
  message TEXT,
  entry INTEGER,
  leaf_sha256 TEXT,
  alarms_json TEXT NOT NULL,
  PRIMARY KEY (run, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
  run INTEGER NOT NULL,
  host TEXT NOT NULL,
  position INTEGER NOT NULL,
  name TEXT,
  module TEXT,
  file TEXT,
  line INTEGER,
  started_at TEXT,
  ended_at TEXT,
  outcome TEXT NOT NULL CHECK (outcome IN
    ('ok', 'changed', 'failed', 'skipped', 'unreachable', 'timed_out', 'unfinished')),
  ignored INTEGER NOT NULL CHECK (ignored IN (0, 1)),
  truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)),
  message TEXT,
  args_json TEXT NOT NULL,
  PRIMARY KEY (run, host, position),
  FOREIGN KEY (run, host) REFERENCES host_result (run, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
  run INTEGER NOT NULL,
  kind TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run, kind, path, sha256)
) STRICT, WITHOUT ROWID;

CREATE TABLE measure (
  host TEXT NOT NULL,
  name TEXT NOT NULL,
  subject TEXT,
  at TEXT NOT NULL,
  value REAL NOT NULL,
  capacity REAL,
  run INTEGER NOT NULL
) STRICT;

CREATE TABLE software_change (
  host TEXT NOT NULL,
  at TEXT NOT NULL,
  run_before INTEGER NOT NULL,
  run INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('installed', 'removed', 'updated')),
  name TEXT NOT NULL,
  scope TEXT NOT NULL,
  source TEXT NOT NULL,
  architecture TEXT,
  old_version TEXT,
  new_version TEXT
) STRICT;

CREATE TABLE temp (
  run INTEGER NOT NULL,
  host TEXT NOT NULL,
  category TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ok', 'absent', 'skipped', 'unavailable')),
  reason TEXT,
  planned_files INTEGER,
  planned_bytes INTEGER,
  deleted_files INTEGER,
  deleted_bytes INTEGER,
  skipped_json TEXT NOT NULL,
  at TEXT,
  PRIMARY KEY (run, host, category)
) STRICT, WITHOUT ROWID;
"""
)
MONTH_INDEXES = """
CREATE INDEX host_result_by_host ON host_result (host, run);
CREATE INDEX measure_by_host ON measure (host, name, subject, at);
CREATE INDEX software_change_by_host ON software_change (host, at);
CREATE INDEX software_change_by_time ON software_change (at);
CREATE INDEX temp_by_host ON temp (host, run, category);
"""

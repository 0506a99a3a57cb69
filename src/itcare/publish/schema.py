"""The tables of a snapshot, format version 3 (docs/snapshot-v3.md).

A snapshot is a few SQLite files in one folder that hold one client and nothing of any other: one of
how things are, and one per month of what was done in the runs opened in it. Instants are text in the
form of `core.clock.write_instant`; digests are lower-case hex SHA-256; truth values are 0 or 1;
columns ending in `_json` hold one JSON value. The words of a state are those of `core.words`, and
a CHECK refuses any other: a word that the portal cannot show must not get into the file.
"""

import re

SNAPSHOT_VERSION = 3
SNAPSHOT_FILE = "current.sqlite"

MONTH_FILE = re.compile(r"(?P<month>[0-9]{4}-[0-9]{2})\.(?P<size>[0-9]{1,15})\.sqlite")
"""Name of a month's file: the month, and the entries of the tree that it was first published from."""

PRESENT_TABLES = (
    "host", "month", "run", "finding", "fact", "obligation", "forecast", "finding_interval", "software",
    "software_look",
)  # fmt: skip
"""Tables of `current.sqlite` beside `meta`, each after those it refers to."""

MONTH_TABLES = ("host_result", "task", "file", "measure", "software_change", "temp")
"""Tables of a month's file beside `meta`, each after those it refers to."""


def month_file_name(month: str, size: int) -> str:
    """The name of the file of a month (`YYYY-MM`) as published from a tree of `size` entries."""
    return f"{month}.{size}.sqlite"


META_DDL = """
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

PRESENT_DDL = (
    META_DDL
    + """
CREATE TABLE host (
  name TEXT NOT NULL PRIMARY KEY,
  site TEXT,
  role TEXT,
  os TEXT,
  current INTEGER NOT NULL CHECK (current IN (0, 1)),
  last_run INTEGER,
  last_outcome TEXT CHECK (last_outcome IN
    ('ok', 'changed', 'failed', 'not_reached', 'unknown', 'interrupted', 'not_run')),
  last_reason TEXT,
  last_attempt_at TEXT,
  last_observed_at TEXT,
  needs_verify INTEGER NOT NULL CHECK (needs_verify IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE month (
  month TEXT NOT NULL PRIMARY KEY,
  file TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  number INTEGER NOT NULL PRIMARY KEY,
  duty TEXT NOT NULL,
  grade TEXT NOT NULL CHECK (grade IN ('announced', 'unannounced')),
  check_mode INTEGER NOT NULL CHECK (check_mode IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN
    ('running', 'cancelled', 'interrupted', 'incomplete', 'partial', 'complete')),
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  played_from TEXT,
  played_to TEXT,
  reruns INTEGER,
  closed_reason TEXT,
  cancelled_by TEXT,
  operator TEXT,
  stated_operator TEXT,
  login TEXT,
  sudo_user TEXT,
  reason TEXT,
  controller TEXT,
  clock_synchronised INTEGER CHECK (clock_synchronised IN (0, 1)),
  contract_number TEXT,
  contract_commit TEXT,
  contract_dirty INTEGER CHECK (contract_dirty IN (0, 1)),
  code_version TEXT,
  code_commit TEXT,
  collection_version TEXT,
  playbook TEXT,
  playbook_sha256 TEXT,
  inventory_sha256 TEXT,
  spool_sha256 TEXT,
  spool_lines INTEGER,
  hosts_total INTEGER NOT NULL,
  hosts_good INTEGER NOT NULL,
  needs_verify INTEGER NOT NULL,
  entry_opened INTEGER NOT NULL,
  entry_closed INTEGER,
  leaf_opened TEXT NOT NULL,
  leaf_closed TEXT,
  alarms_json TEXT NOT NULL,
  month TEXT NOT NULL REFERENCES month (month)
) STRICT;

CREATE TABLE finding (
  id INTEGER NOT NULL PRIMARY KEY,
  host TEXT NOT NULL REFERENCES host (name),
  rule TEXT NOT NULL,
  rule_version INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('ok', 'warn', 'fail', 'unknown')),
  severity INTEGER NOT NULL GENERATED ALWAYS AS
    (CASE status WHEN 'fail' THEN 0 WHEN 'warn' THEN 1 WHEN 'unknown' THEN 2 ELSE 3 END) STORED,
  subject TEXT,
  fact TEXT NOT NULL,
  values_json TEXT NOT NULL,
  reason TEXT NOT NULL,
  threshold_json TEXT NOT NULL,
  threshold_source TEXT,
  source TEXT,
  run INTEGER REFERENCES run (number),
  entry INTEGER,
  task_position INTEGER,
  observed_at TEXT
) STRICT;

CREATE TABLE fact (
  host TEXT NOT NULL REFERENCES host (name),
  source TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ok', 'absent', 'unavailable')),
  reason TEXT,
  detail TEXT,
  data_json TEXT,
  run INTEGER NOT NULL REFERENCES run (number),
  observed_at TEXT,
  PRIMARY KEY (host, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE obligation (
  id INTEGER NOT NULL PRIMARY KEY,
  duty TEXT NOT NULL,
  host TEXT NOT NULL REFERENCES host (name),
  nominal_date TEXT NOT NULL,
  due_from TEXT NOT NULL,
  due_to TEXT NOT NULL,
  catch_up_to TEXT NOT NULL,
  is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN
    ('planned', 'attempted', 'done', 'done_late', 'failed', 'not_reached', 'waived', 'no_data')),
  reason TEXT,
  last_outcome TEXT CHECK (last_outcome IN
    ('ok', 'changed', 'failed', 'not_reached', 'unknown', 'interrupted', 'not_run')),
  run INTEGER REFERENCES run (number),
  month TEXT NOT NULL
) STRICT;

CREATE TABLE forecast (
  host TEXT NOT NULL REFERENCES host (name),
  name TEXT NOT NULL,
  subject TEXT,
  at TEXT NOT NULL,
  value REAL NOT NULL,
  capacity REAL,
  full_at TEXT,
  days REAL,
  reason TEXT CHECK (reason IN ('too_short', 'not_growing')),
  run INTEGER NOT NULL REFERENCES run (number)
) STRICT;

CREATE TABLE finding_interval (
  host TEXT NOT NULL REFERENCES host (name),
  rule TEXT NOT NULL,
  subject TEXT,
  status TEXT NOT NULL CHECK (status IN ('ok', 'warn', 'fail', 'unknown')),
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run (number),
  last_run INTEGER NOT NULL REFERENCES run (number),
  current INTEGER NOT NULL CHECK (current IN (0, 1)),
  ended_by INTEGER REFERENCES run (number)
) STRICT;

CREATE TABLE software (
  host TEXT NOT NULL REFERENCES host (name),
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  publisher TEXT,
  architecture TEXT,
  scope TEXT NOT NULL,
  installed_at TEXT,
  source TEXT NOT NULL
) STRICT;

CREATE TABLE software_look (
  host TEXT NOT NULL REFERENCES host (name),
  source TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES run (number),
  PRIMARY KEY (host, source)
) STRICT, WITHOUT ROWID;
"""
)
PRESENT_INDEXES = """
CREATE INDEX finding_worst_first ON finding (severity, host, rule, id);
CREATE INDEX finding_by_status ON finding (status, host, rule, id);
CREATE INDEX finding_by_host ON finding (host, severity, rule, id);
CREATE INDEX obligation_by_month ON obligation (month, nominal_date, duty, host);
CREATE INDEX obligation_by_duty ON obligation (month, duty, state, is_open);
CREATE INDEX obligation_by_host ON obligation (host, nominal_date, duty);
CREATE INDEX forecast_by_name ON forecast (name, host, subject);
CREATE INDEX forecast_by_host ON forecast (host, name, subject);
CREATE INDEX finding_interval_by_host ON finding_interval (host, rule, subject, first_seen);
CREATE INDEX finding_interval_current ON finding_interval (current, host, rule, subject);
CREATE INDEX software_by_host ON software (host, name, source, scope, architecture, version);
CREATE INDEX software_by_name ON software (name, host, source, scope, architecture, version);
CREATE INDEX run_by_month ON run (month, number);
"""

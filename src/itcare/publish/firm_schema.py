"""The tables of `firm.sqlite`, format version 1 (docs/snapshot-v3.md): sums over clients, for staff only."""

FIRM_VERSION = 1
FIRM_FILE = "firm.sqlite"

FIRM_TABLES = ("meta", "client", "area")

FIRM_DDL = """
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client (
  client_id INTEGER NOT NULL PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  legal_name TEXT NOT NULL,
  published_at TEXT NOT NULL,
  stale_after_hours REAL NOT NULL,
  last_observed_at TEXT,
  hosts INTEGER NOT NULL,
  findings_fail INTEGER NOT NULL,
  findings_warn INTEGER NOT NULL,
  findings_unknown INTEGER NOT NULL,
  findings_ok INTEGER NOT NULL,
  needs_verify INTEGER NOT NULL,
  ledger_state TEXT NOT NULL CHECK (ledger_state IN ('sound', 'unsound')),
  ledger_message TEXT NOT NULL,
  ledger_checked_at TEXT NOT NULL,
  tree_size INTEGER NOT NULL,
  problems INTEGER NOT NULL,
  full_within_30_days INTEGER NOT NULL
) STRICT;

CREATE TABLE area (
  client_id INTEGER NOT NULL REFERENCES client (client_id),
  area TEXT NOT NULL,
  title TEXT,
  month TEXT NOT NULL,
  planned INTEGER NOT NULL,
  attempted INTEGER NOT NULL,
  done INTEGER NOT NULL,
  done_late INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  not_reached INTEGER NOT NULL,
  waived INTEGER NOT NULL,
  no_data INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  PRIMARY KEY (client_id, area)
) STRICT, WITHOUT ROWID;
"""

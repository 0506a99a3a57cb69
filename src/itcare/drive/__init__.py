"""Launch one run, read its spool into the ledger, recover after a crash."""

"""The ledger: append-only logs, one per client and one of the firm, that a client can verify alone."""

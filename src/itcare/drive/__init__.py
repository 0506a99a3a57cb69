"""Launch one run with ansible-runner in its own process tree and bring its evidence into the ledger."""

"""The contract of one client: its YAML file, its model, and what it makes the firm owe (docs/contract-v1.md)."""

"""What a client may see: one read-only snapshot per client, written here and read by the dashboard."""

"""Keeping an installation well: what is missing on the controller, backups, restores, upgrades."""

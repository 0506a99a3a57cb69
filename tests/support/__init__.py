"""Helpers that tests share: real components, hostile inputs, fixtures."""

"""Notices: what the owner is told, once for each event."""

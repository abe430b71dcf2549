"""Drafts: what waits for the editor, as they read and write it, and what they decide."""

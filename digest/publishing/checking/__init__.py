"""Checking: what is wrong with a newsletter, and what to do about it."""

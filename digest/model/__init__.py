"""Frozen values and closed unions. Imports nothing but the standard library and `digest.errors`."""

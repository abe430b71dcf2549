"""Pure: candidates and rules -> an edition's stories, and a decision for every candidate."""

from digest.selection.select import Selection, TooFew, select

__all__ = ["Selection", "TooFew", "select"]

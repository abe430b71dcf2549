"""An edition from its candidates to the ledger: built, rendered, stored."""

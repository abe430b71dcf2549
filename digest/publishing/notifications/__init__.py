"""What the owner is told: derived from the ledger, written, mailed once."""

"""The life of a subscription: import, export, consent, membership, suppression."""

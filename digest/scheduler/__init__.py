"""The scheduler: what one tick does, and what the next ones will do."""

"""The use cases: what a command, the scheduler or the service asks for in one call."""

"""The use cases: what a command, and later the scheduler, asks for in one call."""

"""The long-running process of `digest run`."""

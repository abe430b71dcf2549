"""The service: one process that keeps the timetable, and how operators see it."""

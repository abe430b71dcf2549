"""When: a pure timetable, and the service that keeps it."""

"""When: phrases and cron, the timetable, catching up. Pure; no clock and no database."""

"""When editions are due: phrases and cron, the timetable, catching up. All pure."""

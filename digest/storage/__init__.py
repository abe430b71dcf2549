"""The database: the only SQL in the project.

Most modules have one table and what belongs to it; `editions` is read by several.
"""

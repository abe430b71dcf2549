"""A source -> articles: feeds, CSV, JSON, JSON Lines, a table of another SQLite database.

Each format turns a document into rows (`rows.Row`), one pure function turns a row into an article
(`normalize.from_row`), and `sources.gather` reads many sources and stores what they hold.
"""

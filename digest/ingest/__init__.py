"""A source -> articles: feeds, CSV, JSON, JSON Lines, a table of another SQLite database.

Each format turns a document into rows (`reading.Row`), one pure function turns a row into an
article (`article.from_row`), and `gather.gather` reads many sources and keeps what they hold.
"""

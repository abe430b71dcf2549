"""A message and a recipient in, an outcome out. Never sees the database."""

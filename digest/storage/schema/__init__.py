"""The steps of the schema, as plain SQL. A step that has been released never changes."""

"""The only SQL in the project: connection, migrations, one file per entity."""

"""The database: engine, tables, rows, migrations."""

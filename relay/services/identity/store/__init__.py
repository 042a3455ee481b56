"""The daemon's one database: SQLite in its home, or PostgreSQL. Each role has tables of its own in it."""

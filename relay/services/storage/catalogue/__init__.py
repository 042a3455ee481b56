"""Where a gateway's objects lie: a cache of what the packs' catalogue sections say, in SQLite or PostgreSQL."""

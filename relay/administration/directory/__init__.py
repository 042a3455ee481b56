"""Acts of publishers and readers of the data directory on a hub."""

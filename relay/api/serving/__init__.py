"""The HTTP server: front, keys, limits, cache, and the ways to run it."""

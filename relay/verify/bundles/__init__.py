"""Bundles of a relay judged from files: one by one, a whole period, an archive and its anchor."""

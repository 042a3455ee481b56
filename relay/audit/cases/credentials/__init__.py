"""Rules of cases with credentials, and what these have in common."""

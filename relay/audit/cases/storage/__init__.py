"""Rules of the cases whose files lie in trusted storage."""

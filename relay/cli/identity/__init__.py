"""`hutong identity`: credentials."""

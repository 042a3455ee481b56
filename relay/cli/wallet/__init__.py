"""`hutong wallet`: credentials in one person's hands."""

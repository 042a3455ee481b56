"""Credentials issued, beside another project in a Python of its own."""

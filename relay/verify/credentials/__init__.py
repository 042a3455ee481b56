"""Credentials judged from files: presentations, status lists, queries, documents."""

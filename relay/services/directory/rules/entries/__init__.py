"""Entries of the directory: documents of data sets, and catalogues compared (docs/spec/directory-documents.md)."""

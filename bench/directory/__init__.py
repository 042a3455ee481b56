"""Figures of the data directory."""

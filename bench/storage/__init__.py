"""Figures of trusted storage."""

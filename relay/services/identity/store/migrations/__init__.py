"""Alembic's environment for the daemon's tables; package data."""

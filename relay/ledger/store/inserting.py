"""Inserts that say what to do where the row is there already, in the dialect of either database."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite


def insert_into(dialect: str, row: type[Any]) -> Any:
    """An insert that knows ON CONFLICT, in the dialect of a connection."""
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(row)

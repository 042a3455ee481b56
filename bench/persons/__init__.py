"""Persons by the million: registered on a hub, and a hundred million of them generated."""

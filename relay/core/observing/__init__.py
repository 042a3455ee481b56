"""Keeping records of other chains' state fresh on a hub: what is due, how it is shown, who pays (docs/observations.md)."""

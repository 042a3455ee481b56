"""`hutong directory`."""

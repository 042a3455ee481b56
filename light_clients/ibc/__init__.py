"""IBC v2 values: packets, acknowledgements, commitments, paths, identifiers and the payload formats of our own apps."""

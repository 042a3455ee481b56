"""Consensus of several validators from a seed: the real transition function, last-signed record and replay under a clock
that only moves from event to event."""

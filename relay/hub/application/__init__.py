"""The hub's deterministic state machine behind ABCI 2.0's calls. No I/O, no clock, no randomness."""

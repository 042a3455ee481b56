"""Tendermint as a pure transition function over CometBFT 0.38 values. No I/O, no clock, no randomness."""

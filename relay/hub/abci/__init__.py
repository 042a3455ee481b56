"""The hub's application behind CometBFT's ABCI 2.0 socket: the other consensus engine that may run it."""

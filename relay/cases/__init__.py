"""Application cases, each written as a dapp's author writes it: HTTP API through the SDK, contracts, and nothing of the relay."""

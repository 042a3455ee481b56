"""The HTTP API and the explorer: what a relay's ledger and its chains say, for dapps, people and programs."""

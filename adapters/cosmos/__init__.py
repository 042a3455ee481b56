"""The adapter of Cosmos SDK chains with ibc-go: CometBFT RPC alone, protobuf transactions."""

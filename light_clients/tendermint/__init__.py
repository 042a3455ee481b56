"""CometBFT 0.38 consensus: values, encodings, hashes, sign bytes, and the 07-tendermint light client."""

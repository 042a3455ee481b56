"""CometBFT's protocol between a node and the signer of its validator (privval, version 0.38), for both ends."""

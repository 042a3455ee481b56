"""What a hub node answers: CometBFT's RPC and hutong's own methods."""

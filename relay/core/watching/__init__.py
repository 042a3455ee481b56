"""What happens on the chains: heads, packets, timeouts, and what was missed."""

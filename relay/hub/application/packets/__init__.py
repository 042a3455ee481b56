"""IBC on the hub: clients, packets, forwarding, quotas."""

"""What may be believed of storage. Pure: time, secrets and trusted roots come in as arguments."""

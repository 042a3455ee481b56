"""What may be believed of the directory. Pure: time, records and trusted roots come in as arguments."""

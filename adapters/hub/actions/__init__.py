"""What actions of a service hold, for whoever decides them."""

"""Records of a hub that the relay keeps fresh, and whom it brings them to."""

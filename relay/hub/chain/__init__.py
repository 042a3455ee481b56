"""The hub's blocks as a node stores them, and how much of them it keeps."""

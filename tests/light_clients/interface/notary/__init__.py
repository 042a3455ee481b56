"""A toy consensus: one notary signs every block. All that a new light client brings stands in this folder."""
